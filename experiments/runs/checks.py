"""Everything about a config that can be known to be wrong before any work."""

from experiments import data, models, plans
from experiments.configs.base import require
from experiments.configs.run import Config
from experiments.questions import question

LARGEST = 2**32 - 1  # what seeds of numpy and scikit-learn can be


def check(config: Config) -> None:
    """Raises :class:`ConfigError`, naming the key, what is valid and what was found."""
    require(0 <= config.seed <= LARGEST, "seed", f"from 0 to {LARGEST}", config.seed)
    threads = config.threads is None or config.threads >= 1
    require(threads, "threads", "at least 1, or null for torch's own choice", config.threads)
    data.check(config.data)
    models.check(config.model)
    plans.check(config)
    question(config.question).check(config)
