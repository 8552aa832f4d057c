"""Schemas of the questions about language models: which words speak for a class, which tokens for the next one?"""

from dataclasses import dataclass

from omegaconf import MISSING

from experiments.configs.base import QuestionConfig
from experiments.configs.models import ReviewNetworkConfig


@dataclass
class SentimentConfig(QuestionConfig):
    """Which words of a review speak for its class to a transformer, and does it listen to them?

    ``beside`` is the network on word vectors whose accuracy on the same split stands beside; null: none.
    """

    text: str | None = None
    reviews: int = MISSING
    compared: int = MISSING
    balanced: int = MISSING
    shown: list[int] = MISSING
    steps: int = MISSING
    draws: int = MISSING
    beside: ReviewNetworkConfig | None = None


@dataclass
class NextTokenConfig(QuestionConfig):
    """Which tokens of a prompt speak for the next one?

    ``answer: null`` means the most probable token, ``against`` another one, whose logit is taken away.
    """

    text: str = MISSING
    answer: str | None = None
    against: str | None = None
    others: int = MISSING


@dataclass
class SentenceSimilarityConfig(QuestionConfig):
    """Which pairs of words make two sentences alike?"""

    pairs: list[list[str]] = MISSING


@dataclass
class CircuitsConfig(QuestionConfig):
    """Which components does a fact rest on? Two prompts differ in one word; layers of components are given by globs."""

    prompt: str = MISSING
    pairs: list[list[str]] = MISSING
    components: dict[str, str] = MISSING
    at_once: int = MISSING
