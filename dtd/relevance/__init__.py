"""Relevance models: the per-layer objects that choose roots and produce the first-order Taylor terms."""

from dtd.relevance.base import RelevanceModel
from dtd.relevance.exact import Exact
from dtd.relevance.generic import Generic
from dtd.relevance.linear import Linear
from dtd.relevance.min_max import MinMax
from dtd.relevance.training_free import TrainingFree

__all__ = ["Exact", "Generic", "Linear", "MinMax", "RelevanceModel", "TrainingFree"]
