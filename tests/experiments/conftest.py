"""Configs composed in process, and a cache of trained models that lasts one session."""

from collections.abc import Callable, Iterator
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import platformdirs
import pytest
from hydra import compose, initialize_config_dir
from omegaconf import DictConfig

from experiments.configs.run import register
from tests.experiments.reviews import files

CONF = Path(__file__).parents[2] / "conf"
TINY = Path(__file__).parent / "tiny"  # overrides by preset
EXTRAS = {
    "circuits": ("transformers", "transformers"),
    "cost_transformers": ("transformers", "transformers"),
    "minmax": ("mlxtend", "images"),
    "next_token": ("transformers", "transformers"),
    "sentence_similarity": ("transformers", "transformers"),
    "sentiment": ("transformers", "transformers"),
    "tune_gamma": ("hydra_plugins.hydra_optuna_sweeper", "sweep"),
}


def optional(preset: str) -> tuple[pytest.MarkDecorator, ...]:
    """The mark of a preset that cannot do without a package of an extra."""
    if preset not in EXTRAS:
        return ()
    package, extra = EXTRAS[preset]
    return (pytest.mark.skipif(find_spec(package) is None, reason=f"needs the extra {extra}"),)


@pytest.fixture(scope="session")
def session_cache(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="session", autouse=True)
def review_files(tmp_path_factory) -> Iterator[Path]:
    """The folder of the tiny film criticism; the presets' tiny sizes find it in the environment."""
    folder = tmp_path_factory.mktemp("reviews")
    files.write(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DTD_TEST_REVIEWS", str(folder))
        yield folder


@pytest.fixture(scope="session", autouse=True)
def language_files(tmp_path_factory) -> Iterator[Path | None]:
    """The folder of the tiny language models, found in the environment as well; none without the extra."""
    if find_spec("transformers") is None:
        yield None
        return
    folder = tmp_path_factory.mktemp("language")
    import_module("tests.experiments.language.files").write(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DTD_TEST_LANGUAGE", str(folder))
        yield folder


@pytest.fixture(autouse=True)
def cache(session_cache, monkeypatch) -> Path:
    """Nothing is read from or written to the user's own cache."""
    monkeypatch.setattr(platformdirs, "user_cache_dir", lambda name: str(session_cache / name))
    return session_cache


@pytest.fixture
def composed() -> Callable[..., DictConfig]:
    """The config of ``python -m experiments OVERRIDES``."""
    register()

    def make(*overrides: str) -> DictConfig:
        with initialize_config_dir(str(CONF), version_base="1.3"):
            return compose("config", overrides=list(overrides))

    return make
