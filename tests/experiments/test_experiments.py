"""Every preset in conf/experiment runs, in process and at tiny size.

A preset NAME is made tiny by the overrides in tests/experiments/tiny/NAME.yaml, a list as on the command line.
"""

import pandas as pd
import pytest
from omegaconf import OmegaConf

from experiments.job import DONE, run
from tests.experiments.conftest import CONF, TINY

PRESETS = sorted(path.stem for path in (CONF / "experiment").glob("*.yaml"))


def test_every_preset_has_its_tiny_size_and_every_tiny_size_its_preset():
    assert sorted(path.stem for path in TINY.glob("*.yaml")) == PRESETS


@pytest.mark.parametrize("preset", PRESETS)
def test_every_preset_runs(composed, tmp_path, preset):
    overrides = OmegaConf.load(TINY / f"{preset}.yaml")
    assert run(composed(f"experiment={preset}", *overrides), tmp_path) == DONE
    assert len(pd.read_csv(tmp_path / "rows.csv"))
