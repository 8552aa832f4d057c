"""What a sweep costs is measured on real sweeps."""

import pandas as pd
import pytest

from experiments.configs.run import typed
from experiments.questions import overhead
from experiments.questions.overhead import Took


@pytest.fixture
def measured(monkeypatch):
    """Ten jobs alone take 20 s; the sweeps take what is given."""

    def rows(config, **seconds: float) -> pd.DataFrame:
        monkeypatch.setattr(overhead, "bare_jobs", lambda job, jobs: Took(jobs, 2.0 * jobs, 2.0 * jobs))
        monkeypatch.setattr(overhead, "sweep_jobs", lambda name, asked: Took(asked.jobs, seconds[name], seconds[name]))
        monkeypatch.setattr(overhead, "compose", lambda *_, **__: config)
        monkeypatch.setattr(overhead, "PROCESSES", {"basic": 1, "joblib": 2})
        return overhead.rows(typed(config)).set_index("launcher")

    return rows


def test_overhead_is_what_a_job_takes_beyond_its_share_of_the_bare_computation(composed, measured):
    config = composed("question=overhead", "question.jobs=100", "question.bare=10")
    rows = measured(config, basic=230.0, joblib=130.0)
    assert rows.overhead.to_dict() == pytest.approx({"bare": 0.0, "basic": 0.3, "joblib": 0.3})
    assert rows.jobs.to_dict() == {"bare": 10, "basic": 100, "joblib": 100}


@pytest.mark.slow
def test_real_sweeps_are_measured(composed, cache, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache))
    one = ("model=mlp", "model.epochs=1", "question.samples=1", "question.rules=[lrp0]", "model.seed=0", "data.seed=0")
    small = f"question.overrides={list(one)}"
    config = composed("question=overhead", "question.jobs=2", "question.bare=1", "question.launchers=[basic]", small)
    monkeypatch.setattr(overhead, "compose", lambda *_, overrides: composed(*overrides))
    rows = overhead.rows(typed(config)).set_index("launcher")
    assert rows.jobs.to_dict() == {"bare": 1, "basic": 2} and (rows.seconds > 0).all() and (rows.cpu > 0).all()
    assert rows.overhead["basic"] > 0
