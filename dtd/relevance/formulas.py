"""Rules that are formulas themselves: a plan of explicit rules holds them as they are."""

from dtd.relevance.distance import SphereRoot
from dtd.relevance.follow import Follow
from dtd.relevance.identity import Identity
from dtd.relevance.normalise import HeldScale, SoftmaxTangent
from dtd.relevance.pooling import TakeMost
from dtd.relevance.products import MatMulShares, ProductShares
from dtd.relevance.tangent import Constant, Tangent

ALIKE = (
    Constant,
    Follow,
    HeldScale,
    Identity,
    MatMulShares,
    ProductShares,
    SoftmaxTangent,
    SphereRoot,
    TakeMost,
    Tangent,
)
