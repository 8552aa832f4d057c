"""Relevance models: the per-layer objects that choose roots and produce the first-order Taylor terms."""

from dtd.relevance.base import RelevanceModel
from dtd.relevance.generic import Generic
from dtd.relevance.linear import Linear
from dtd.relevance.training_free import TrainingFree

__all__ = ["Generic", "Linear", "RelevanceModel", "TrainingFree"]
