"""Schemas of the questions about time, memory and coverage."""

from dataclasses import dataclass

from omegaconf import MISSING

from experiments.configs.base import QuestionConfig


@dataclass
class CostConfig(QuestionConfig):
    """What does an explanation cost, next to gradient × input and to other libraries?"""

    rounds: int = MISSING
    seconds: float = MISSING
    peers: list[str] = MISSING
    batches: list[int] = MISSING
    memory: list[str] = MISSING
    within: int = MISSING
    audited: int = MISSING
    scaling: dict[str, list[int]] = MISSING


@dataclass
class OverheadConfig(QuestionConfig):
    """What does a sweep cost beyond what its jobs compute?"""

    jobs: int = MISSING
    bare: int = MISSING
    launchers: list[str] = MISSING
    overrides: list[str] = MISSING


@dataclass
class CoverageConfig(QuestionConfig):
    """Which of today's architectures are traced, and is what is explained of them right?"""

    families: list[str] = MISSING
    first: int = MISSING
    seconds: float = MISSING
    peers: list[str] = MISSING
