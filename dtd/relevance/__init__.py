"""Relevance models: the per-layer objects that choose roots and produce the first-order Taylor terms."""

from dtd.relevance.base import RelevanceModel
from dtd.relevance.default import default
from dtd.relevance.distance import SphereRoot
from dtd.relevance.exact import Exact
from dtd.relevance.follow import Follow
from dtd.relevance.generic import Generic
from dtd.relevance.identity import Identity
from dtd.relevance.linear import Linear
from dtd.relevance.min_max import MinMax
from dtd.relevance.normalise import HeldScale, SoftmaxTangent
from dtd.relevance.pooling import TakeMost
from dtd.relevance.products import MatMulShares, ProductShares
from dtd.relevance.tangent import Constant, Tangent
from dtd.relevance.training_free import TrainingFree

__all__ = [
    "Constant",
    "Exact",
    "Follow",
    "Generic",
    "HeldScale",
    "Identity",
    "Linear",
    "MatMulShares",
    "MinMax",
    "ProductShares",
    "RelevanceModel",
    "SoftmaxTangent",
    "SphereRoot",
    "TakeMost",
    "Tangent",
    "TrainingFree",
    "default",
]
