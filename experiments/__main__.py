"""``python -m experiments``: one entry for every question, model and data set; the config lives in ``conf/``."""

import sys
from pathlib import Path

import hydra
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from experiments.configs import register
from experiments.job import run


@hydra.main(config_path="../conf", config_name="config", version_base="1.3")
def main(config: DictConfig) -> None:
    """Run one job and exit with its status."""
    status = run(config, Path(HydraConfig.get().runtime.output_dir))
    if status:
        sys.exit(status)


register()
if __name__ == "__main__":
    main()
