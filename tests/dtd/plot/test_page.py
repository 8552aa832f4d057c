"""The docs page about pictures: its code runs, prints what it says, and makes the pictures that the page shows."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
from matplotlib.image import imread

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "plot.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    """The page's blocks of a language, in their order."""
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


def test_the_page_runs_and_makes_its_pictures(tmp_path):
    code = "\n".join(blocks("python"))
    environment = {"PYTHONPATH": str(ROOT), "PATH": "", "OMP_NUM_THREADS": "1", "HOME": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "".join(blocks("text"))
    shown = re.findall(r"!\[[^\]]+\]\((plot_\w+\.png)\)", PAGE)
    assert sorted(shown) == sorted(path.name for path in tmp_path.glob("*.png"))
    for name in shown:
        assert np.ptp(imread(tmp_path / name)) > 0.1  # it is not blank
        kept = imread(ROOT / "docs" / name)
        assert kept.shape == imread(tmp_path / name).shape, f"make docs/{name} anew: run the page's code in docs/"
