"""``python -m experiments``: one entry for every question, model and data set; the config lives in ``conf/``."""

import os
import sys
from pathlib import Path

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.errors import CompactHydraException
from hydra.types import RunMode
from omegaconf import DictConfig

from experiments.configs.base import ConfigError
from experiments.configs.run import register
from experiments.machine.console import console
from experiments.runs.identity import register_names
from experiments.runs.job import REFUSED, run, run_in_sweep
from experiments.runs.record import Record
from experiments.runs.refusal import refusal
from experiments.runs.shorthand import written_out

STOPPED = 130  # exit status after Ctrl-C, as shells have it


@hydra.main(config_path="../conf", config_name="config", version_base="1.3")
def main(config: DictConfig) -> Record | None:
    """Run one job and exit with its status; of a sweep, return its record."""
    about = HydraConfig.get()
    out, overrides = Path(about.runtime.output_dir), list(about.overrides.task)
    if about.mode is RunMode.MULTIRUN:
        return run_in_sweep(config, out, overrides)
    status = run(config, out, overrides)
    if status:
        sys.exit(status)
    return None


def refused(message: str) -> int:
    """Say why nothing was done; the exit status."""
    console.print("[bold red]Refused:[/] ", end="")
    console.print(message, soft_wrap=True, markup=False)
    return REFUSED


def command() -> int:
    """The command line: what Hydra refuses is told in one sentence, and Ctrl-C in one line."""
    register()
    register_names()
    os.environ["HYDRA_FULL_ERROR"] = "1"  # Hydra hands its errors on
    try:
        sys.argv[1:] = written_out(sys.argv[1:])
        main()
    except CompactHydraException as error:
        return refused(refusal(error))
    except ConfigError as error:
        return refused(str(error))
    except KeyboardInterrupt:
        console.print("Stopped by Ctrl-C. Rows count beside an outcome.json that says done.", soft_wrap=True, markup=False)
        return STOPPED
    return 0


if __name__ == "__main__":
    sys.exit(command())
