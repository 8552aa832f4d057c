"""The launcher of every sweep, as a plug-in, which is where Hydra looks for launchers."""

from collections.abc import Sequence
from copy import copy
from typing import Any

from hydra.core.config_loader import ConfigLoader
from hydra.core.utils import JobReturn
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext, TaskFunction
from hydra.utils import get_method
from omegaconf import DictConfig

LAUNCH = "experiments.runs.launch.launch"  # found by name when a sweep begins: Hydra imports every plug-in in every program


class ComposingOnce:
    """Hydra's config loader; in this process it composes the config of each job once (a tenth of a second, each time)."""

    def __init__(self, loader: ConfigLoader) -> None:
        self.loader = loader
        self.composed: dict[tuple[str, ...], DictConfig] = {}

    def load_sweep_config(self, master_config: DictConfig, sweep_overrides: list[str]) -> DictConfig:
        """The config of one job, for reading."""
        key = tuple(sweep_overrides)
        if key not in self.composed:
            self.composed[key] = self.loader.load_sweep_config(master_config, sweep_overrides)
        return self.composed[key]

    def __getattr__(self, name: str) -> Any:
        return getattr(self.loader, name)

    def __reduce__(self) -> tuple:
        return copy, (self.loader,)  # what goes to other processes is Hydra's loader alone


class Resuming(Launcher):
    """Hands to another launcher, whose config is ``inner``, only the jobs that nobody has finished."""

    def __init__(self, inner: DictConfig) -> None:
        self.inner = inner

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        """What Hydra gives to launchers; the sweeper, which has the same context, composes every config before we do."""
        hydra_context.config_loader = ComposingOnce(hydra_context.config_loader)  # type: ignore[assignment]
        self.context, self.task, self.config = hydra_context, task_function, config

    def launch(self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int) -> Sequence[JobReturn]:
        """Every job's objective; None for a job without rows."""
        launch = get_method(LAUNCH)
        return launch(self.context, self.task, self.config, self.inner, job_overrides, initial_job_idx)
