"""Everything about a config that can be known to be wrong before any work."""

from experiments import data, models, plans
from experiments.configs.run import Config
from experiments.questions import question


def check(config: Config) -> None:
    """Raises :class:`ConfigError`, naming the key, what is valid and what was found."""
    data.check(config.data)
    models.check(config.model)
    plans.check(config)
    question(config.question).check(config)
