"""Two jobs are the same exactly if nothing that their rows depend on differs."""

import pytest
from hydra.core.global_hydra import GlobalHydra
from omegaconf import OmegaConf

from experiments.runs import identity
from experiments.runs.identity import job_key, job_name, sources, sweep_name


@pytest.fixture
def fresh():
    """Sources and versions read anew."""
    for cached in (identity.sources, identity.versions):
        cached.cache_clear()
    yield
    for cached in (identity.sources, identity.versions):
        cached.cache_clear()


@pytest.mark.parametrize(
    "other", ["quiet=true", "figures=true", "sweep=x", "objective=[a]", "+at_most.a=1", "hydra.job.name=x"]
)
def test_how_a_job_is_run_does_not_matter(composed, other):
    assert job_name(composed(other)) == job_name(composed())


@pytest.mark.parametrize("other", ["seed=1", "threads=2", "question.samples=3", "plan=zplus", "data.test_fraction=0.3"])
def test_what_rows_depend_on_does(composed, other):
    assert job_name(composed(other)) != job_name(composed())


def test_only_the_resolved_config_counts_not_the_way_to_it(composed):
    assert job_name(composed("seed=3")) == job_name(
        composed("seed=3", "data.seed=3", "model.parts.mlp.seed=3", "model.parts.cnn.seed=3")
    )


def test_code_that_computes_changes_the_key_but_not_the_directory(composed, fresh, monkeypatch, tmp_path):
    config = OmegaConf.merge(OmegaConf.to_container(composed()), {"trusted": ["mine"]})
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "mine").mkdir()
    keys, names = set(), set()
    for text in ("x = 1", "x = 2"):
        (tmp_path / "mine" / "__init__.py").write_text(text)
        sources.cache_clear()
        keys.add(job_key(config))
        names.add(job_name(config))
    assert len(keys) == 2 and len(names) == 1


def test_a_trusted_module_of_one_file_and_one_that_is_missing(fresh, monkeypatch, tmp_path):
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "alone.py").write_text("x = 1")
    assert sources("alone") != "" and sources("there_is_no_such_package") == ""


def test_code_that_only_shows_does_not_count(fresh, monkeypatch, tmp_path):
    monkeypatch.syspath_prepend(tmp_path)
    package = tmp_path / "mine"
    (package / "figures").mkdir(parents=True)
    (package / "__init__.py").write_text("")
    monkeypatch.setattr(identity, "SHOWN_ONLY", ("mine/figures/",))
    before = sources("mine")
    (package / "figures" / "bars.py").write_text("x = 1")
    sources.cache_clear()
    assert sources("mine") == before
    (package / "rows.py").write_text("x = 1")
    sources.cache_clear()
    assert sources("mine") != before


def test_another_version_changes_the_key(composed, fresh, monkeypatch):
    before = job_key(composed())
    identity.versions.cache_clear()
    monkeypatch.setattr(identity, "installed", lambda name: "0.0")
    assert job_key(composed()) != before


def named(*overrides: str, sweep: str | None = None) -> str:
    """The sweep's name for a command."""
    hydra = {"overrides": {"task": list(overrides)}, "runtime": {"choices": {"question": "cost"}}}
    return sweep_name(OmegaConf.create({"sweep": sweep, "hydra": hydra}))


def test_the_same_overrides_name_the_same_sweep_in_any_order_quiet_or_not():
    assert named("seed=0,1", "model=mlp") == named("model=mlp", "quiet=true", "seed=0,1")
    assert named("seed=0,1").startswith("cost-") and named("seed=0,1") != named("seed=0,1,2")
    assert named("seed=0", sweep="mine") == "mine"
    assert not GlobalHydra.instance().is_initialized()
