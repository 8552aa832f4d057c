"""What a sweeper that searches is told."""

from pathlib import Path

import pytest
from omegaconf import OmegaConf

from experiments.runs.objective import objective

MEASURES = {"aopc": 0.5, "error": 0.3, "cost": 2.0}


@pytest.mark.parametrize(
    ("wanted", "limits", "value"),
    [
        ([], {}, None),
        (["aopc"], {}, 0.5),
        (["cost", "aopc"], {}, (2.0, 0.5)),
        (["aopc"], {"error": 0.3}, (0.5, 0.0)),
        (["aopc"], {"error": 0.1, "cost": 1.5}, (0.5, pytest.approx(0.7))),
        ([], {"error": 0.1}, pytest.approx(0.2)),
    ],
)
def test_the_wanted_measures_in_their_order_and_what_exceeds_the_limits(wanted, limits, value):
    assert objective(MEASURES, wanted, limits) == value


def test_optuna_finds_the_best_seed_within_a_limit_and_goes_on_without_computing_again(command, probe):
    pytest.importorskip("optuna")
    arguments = (
        *("-m", "seed=range(0,5)", "sweep=mine", "hydra/sweeper=optuna", "hydra/sweeper/sampler=random"),
        *("hydra.sweeper.sampler.seed=0", "hydra.sweeper.n_trials=8", "objective=[value]", "+at_most.seed=2"),
        "hydra.sweeper.direction=[maximize,minimize]",
    )
    assert command(*arguments) == 0
    first = OmegaConf.load("runs/sweeps/mine/optimization_results.yaml")
    best = [solution.params.seed for solution in first.solutions if solution["values"][-1] == 0]
    within = [seed for seed in probe.computed if seed <= 2]
    assert set(best) == {max(within)} and len(probe.computed) == len(set(probe.computed))
    computed = list(probe.computed)
    assert command(*arguments) == 0 and probe.computed == computed
    assert OmegaConf.load("runs/sweeps/mine/optimization_results.yaml") == first


def test_a_trial_that_fails_does_not_stop_the_search(command, probe):
    pytest.importorskip("optuna")

    def fail():
        raise ValueError("no")

    probe.fate = {1: fail, 2: fail}
    arguments = (
        *("seed=0,1,2", "hydra/sweeper=optuna", "hydra/sweeper/sampler=random", "hydra.sweeper.n_trials=3"),
        "hydra.sweeper.sampler.seed=1",  # draws all three; a grid has no seed and stumbles when its last trial fails
    )
    assert command("-m", *arguments, "sweep=mine", "objective=[value]", "hydra.sweeper.n_jobs=1") == 1
    assert sorted(probe.computed) == [0, 1, 2]
    assert OmegaConf.load(Path("runs/sweeps/mine/optimization_results.yaml")).best_value == 0
