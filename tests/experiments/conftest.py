"""Configs composed in process, and a cache of trained models that lasts one session."""

from collections.abc import Callable
from pathlib import Path

import platformdirs
import pytest
from hydra import compose, initialize_config_dir
from omegaconf import DictConfig

from experiments.configs import register

CONF = Path(__file__).parents[2] / "conf"
TINY = Path(__file__).parent / "tiny"  # overrides by preset


@pytest.fixture(scope="session")
def session_cache(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("cache")


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
