"""What a builder of layers returns, and what the builders share."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import log, pi
from typing import Any

from torch import nn

from dtd.errors import check_parameter
from dtd.neuralised.layers import Margins, Plus, SoftMaximum


@dataclass(frozen=True)
class ScoreRequest:
    """What is asked of an estimator: its score by name (the first of those that it has, if None), and the settings."""

    score: str | None = None
    stiffness: float | None = None
    reference: float = 0.0

    def choice(self, *scores: str) -> str:
        """The score, among those that there are."""
        check_parameter(self.score is None or self.score in scores, "score", " or ".join(map(repr, scores)), self.score)
        return scores[0] if self.score is None else self.score

    def hard(self, estimator: Any) -> None:
        """Raise where a stiffness is given and nothing is pooled with one of choice."""
        name = type(estimator).__name__
        check_parameter(self.stiffness is None, "stiffness", f"None for {name}, whose pooling is its own", self.stiffness)


@dataclass(frozen=True, eq=False)
class Scored:
    """Layers, what they compute, and what each of their outputs is of."""

    layers: Sequence[nn.Module]
    score: str
    outputs: Sequence[str]
    linear: bool = False


def by_name(labels: Any) -> list[str]:
    """Classes or clusters by name."""
    return [str(label) for label in labels]


def of_densities(
    estimator: Any, joint: nn.Module, labels: list[str], asked: ScoreRequest, *, threshold: float = 0.0
) -> Scored:
    """The scores of a mixture of densities, from the logarithms of its weighted parts."""
    asked.hard(estimator)
    score = asked.choice("log_odds", "log_density", "outlier")
    if score == "log_odds":
        negated = Plus(-1.0, 0.0)
        return Scored([joint, negated, Margins(len(labels), 1.0)], "log-odds of each against all others", labels)
    if score == "log_density":
        return Scored([joint, SoftMaximum()], "log-density of the data", ["log-density"])
    return Scored([joint, SoftMaximum(), Plus(-1.0, threshold)], "minus the log-density", ["outlier"])


LOG_2_PI = log(2 * pi)
