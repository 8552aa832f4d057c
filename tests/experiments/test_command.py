"""The installed commands run the packages of this distribution, whatever the folder holds that they are started in."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from experiments.machine import command

ROOT = Path(__file__).parents[2]
START = "import sys; sys.argv[0] = 'command'; from experiments.machine.command import {0}; {0}()"


@pytest.fixture
def foreign(tmp_path) -> Path:
    """A folder with packages of its own that have the names of ours."""
    for name in ("experiments", "proofs", "conf"):
        (tmp_path / name).mkdir()
        for file in ("__init__.py", "__main__.py"):
            (tmp_path / name / file).write_text("print('theirs')\n")
    (tmp_path / "conf" / "config.yaml").write_text("theirs: true\n")
    return tmp_path


def started(name: str, folder: Path, *arguments: str) -> subprocess.CompletedProcess:
    """A command as its script starts it: the folder is not at the head of the path (``-P``)."""
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    run = [sys.executable, "-P", "-c", START.format(name), *arguments]
    return subprocess.run(run, cwd=folder, env=environment, capture_output=True, text=True)


def test_experiments_are_ours_in_a_folder_with_a_package_of_that_name(foreign):
    done = started("experiments", foreign, "--cfg", "job", "model=mlp", "plan=gamma")
    assert done.returncode == 0 and "theirs" not in done.stdout + done.stderr
    assert "seed: 0" in done.stdout and "name: gamma" in done.stdout


def test_proofs_are_ours_in_a_folder_with_a_package_of_that_name(foreign):
    done = started("proofs", foreign, "zplus", "--steps")
    assert done.returncode == 0 and "explicit rule LRPZPlus" in done.stdout and "theirs" not in done.stdout


def test_reports_refuse_as_the_module_does(foreign):
    done = started("report", foreign, "runs")
    assert done.returncode == 2 and "theirs" not in done.stdout


def test_a_folder_that_comes_first_by_the_environment_is_refused_in_words(foreign, monkeypatch, capsys):
    (foreign / "experiments" / "__init__.py").unlink()
    monkeypatch.setattr(sys, "path", [str(foreign), *sys.path])
    monkeypatch.delitem(sys.modules, "proofs", raising=False)
    with pytest.raises(SystemExit, match=f"comes first: take {foreign} out of PYTHONPATH"):
        command.proofs()
    assert capsys.readouterr().out == ""


def test_a_missing_extra_is_named(monkeypatch):
    monkeypatch.setattr(command, "find_spec", lambda name: None)
    with pytest.raises(SystemExit, match=r"hydra, matplotlib.* missing\): pip install \"dtd\[experiments\]\""):
        command.report()
