"""Every preset in conf/experiment runs, in process and at tiny size.

A preset NAME is made tiny by the overrides in tests/experiments/tiny/NAME.yaml, a list as on the command line.
"""

from pathlib import Path

import pandas as pd
import pytest
from omegaconf import OmegaConf

from experiments.report.cells import grid, latex
from experiments.report.joined import joined
from experiments.report.runs import asked, read_runs
from experiments.report.section import drawn
from experiments.runs.job import DONE, run
from tests.experiments.conftest import CONF, TINY, optional

PRESETS = sorted(path.stem for path in (CONF / "experiment").glob("*.yaml"))


def test_every_preset_has_its_tiny_size_and_every_tiny_size_its_preset():
    assert sorted(path.stem for path in TINY.glob("*.yaml")) == PRESETS


@pytest.mark.parametrize("preset", [pytest.param(preset, marks=optional(preset)) for preset in PRESETS])
def test_every_preset_runs(composed, tmp_path, preset):
    overrides = OmegaConf.load(TINY / f"{preset}.yaml")
    assert run(composed(f"experiment={preset}", *overrides), tmp_path) == DONE
    assert len(pd.read_csv(tmp_path / "rows.csv"))
    reported(tmp_path)


def reported(path: Path) -> None:
    """What a report makes of the run: each summary finds its columns, as a table or as figures."""
    runs, _ = read_runs([path])
    for key, summary in asked(runs[0])[0].summaries.items():
        found = joined(runs, key, summary, [])
        assert found.summary.measures, key
        assert drawn(key, found)
        if summary.along is None:
            assert "\\bottomrule" in latex(grid(found), "", key)
