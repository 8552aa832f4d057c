"""The distribution as a user gets it: built as a wheel, installed into a new environment, used away from the checkout."""

import os
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCES = ("dtd", "experiments", "conf", "proofs", "hydra_plugins", "pyproject.toml", "README.md", "LICENSE")
pytestmark = pytest.mark.slow
EXAMPLE = """
import dtd, torch
net = dtd.trace(torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.ReLU()), torch.ones(1, 3))
print(dtd.__file__, float(dtd.explain(net, torch.ones(1, 3), 0).layers["0"].balance.gap.abs().max()) < 1e-6)
"""


def done(*command: str | Path, cwd: Path) -> str:
    """What a command prints; it must succeed, and knows nothing of the checkout."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"} | {"OMP_NUM_THREADS": "1"}
    ran = subprocess.run([str(part) for part in command], cwd=cwd, env=environment, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    """The wheel, built from a copy, so that the checkout gets no build folder."""
    folder = tmp_path_factory.mktemp("wheel")
    (folder / "source").mkdir()
    for name in SOURCES:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, folder / "source" / name)
    done(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", folder, folder / "source", cwd=folder)
    (found,) = folder.glob("dtd-*.whl")
    return found


@pytest.fixture(scope="module")
def scripts(wheel, tmp_path_factory) -> Path:
    """A new environment with the wheel; other packages are those of this one, so that nothing is downloaded."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=True)
    scripts = folder / "bin"
    done(scripts / "python", "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", wheel, cwd=folder)
    packages = done(scripts / "python", "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=folder).strip()
    lines = (
        f"import sys; sys.path.append({sysconfig.get_path('purelib')!r})\n"  # no .pth of theirs: it may name the checkout
    )
    (Path(packages) / "others.pth").write_text(lines)
    return scripts


def test_the_wheel_holds_what_is_needed_and_nothing_else(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0] for name in names if ".dist-info" not in name} == set(SOURCES[:5])
    for name in ("dtd/py.typed", "conf/config.yaml", "conf/experiment/small.yaml"):
        assert name in names
    kept = {path.relative_to(ROOT).as_posix() for package in SOURCES[:5] for path in (ROOT / package).rglob("*")}
    missing = {name for name in kept if name.endswith((".py", ".yaml", ".html", ".tex", ".j2", ".typed"))} - set(names)
    assert missing - {name for name in missing if name.startswith("proofs/tex/")} == set()
    metadata = zipfile.ZipFile(wheel).read(next(name for name in names if name.endswith("METADATA"))).decode()
    assert "Author: The dtd authors" in metadata and "License-Expression: MIT" in metadata


def test_the_wheel_explains_away_from_the_checkout(scripts, tmp_path):
    where, right = done(scripts / "python", "-c", EXAMPLE, cwd=tmp_path).split()
    assert Path(where).is_relative_to(scripts.parent) and right == "True"


def test_commands_run_where_folders_have_our_names(scripts, tmp_path):
    for name in ("experiments", "proofs"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("raise SystemExit('theirs')\n")
    small = ("question=conservation", "model=mlp", "model.epochs=1", "question.samples=2", "plan=gamma", "sweep=small")
    done(scripts / "dtd-experiments", "-m", *small, "seed=0", "quiet=true", cwd=tmp_path)
    assert list(tmp_path.glob("runs/sweeps/small/*/rows.csv"))
    done(scripts / "dtd-report", "runs/sweeps/small", cwd=tmp_path)
    assert (tmp_path / "runs/sweeps/small/report/report.html").exists()
    assert "LRPZPlus" in done(scripts / "dtd-proofs", "zplus", "--steps", cwd=tmp_path)
