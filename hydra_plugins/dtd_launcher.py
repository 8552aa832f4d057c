"""The launcher of every sweep, as a plug-in, which is where Hydra looks for launchers."""

from collections.abc import Sequence

from hydra.core.utils import JobReturn
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig


class Resuming(Launcher):
    """Hands to another launcher, whose config is ``inner``, only the jobs that nobody has finished."""

    def __init__(self, inner: DictConfig) -> None:
        self.inner = inner

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        """What Hydra gives to launchers."""
        self.context, self.task, self.config = hydra_context, task_function, config

    def launch(self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int) -> Sequence[JobReturn]:
        """Every job's objective; None for a job without rows."""
        from experiments.runs.launch import launch  # here, since Hydra imports every plug-in in whatever program it starts

        return launch(self, job_overrides, initial_job_idx)
