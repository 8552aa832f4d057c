"""Schemas of the questions about models that are not networks, as dtd.neuralise writes them."""

from dataclasses import dataclass

from omegaconf import MISSING

from experiments.configs.base import QuestionConfig


@dataclass
class AnomalyConfig(QuestionConfig):
    """Where do the roots of a one-class model lie, and are they roots?"""

    points: int = MISSING
    samples: int = MISSING
    nu: float = MISSING
    gammas: list[float] = MISSING
    angles: int = MISSING


@dataclass
class ClustersConfig(QuestionConfig):
    """Why is a point assigned to its cluster, and what does the stiffness of the minimum change?"""

    tables: list[str] = MISSING
    clusters: dict[str, int] = MISSING
    samples: int = MISSING
    stiffness: list[float] = MISSING


@dataclass
class TabularQuestionConfig(QuestionConfig):
    """Which columns do models of one table call relevant?"""

    tables: list[str] = MISSING
    samples: int = MISSING
    test: float = MISSING
