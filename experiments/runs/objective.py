"""What a sweeper that searches is told about a job: the measures it asked for, and by how much limits were passed."""

from collections.abc import Mapping, Sequence

from experiments.configs.base import require
from experiments.configs.run import Config
from experiments.questions.base import Question

Objective = float | tuple[float, ...] | None  # None: nothing is wanted


def check_objective(asked: Question, config: Config) -> None:
    """Raises :class:`ConfigError` for an objective or a limit that the question has no measure for."""
    known = ", ".join(asked.measures) or "none"
    for key, names in (("objective", config.objective), ("at_most", config.at_most)):
        for name in names:
            require(name in asked.measures, key, f"among the measures of the question ({known})", name)


def objective(measures: Mapping[str, float], wanted: Sequence[str], limits: Mapping[str, float]) -> Objective:
    """The wanted measures in their order; with limits one more value, to be minimised: the sum of what exceeds them.

    That sum is 0 exactly for jobs that keep every limit, so the best of those is on the Pareto front.
    """
    values = tuple(measures[name] for name in wanted)
    if limits:
        values += (sum(max(0.0, measures[name] - limit) for name, limit in limits.items()),)
    return None if not values else values[0] if len(values) == 1 else values
