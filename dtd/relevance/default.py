"""The rule of each operation for which a plan names none."""

from functools import singledispatch

from dtd.affine import AffineMap, Diagonal
from dtd.direction import Activations, Weights
from dtd.errors import PlanError
from dtd.primitive import LayerNorm, LogSumExp, MatMul, Mover, Pointwise, Product, Softmax, SquaredDistance
from dtd.propagation import Op, Propagation
from dtd.relevance.distance import SphereRoot
from dtd.relevance.follow import Follow
from dtd.relevance.identity import Identity
from dtd.relevance.linear import Linear
from dtd.relevance.normalise import HeldScale, SoftmaxTangent
from dtd.relevance.pooling import TakeMost
from dtd.relevance.products import MatMulShares, ProductShares
from dtd.root import Ray


@singledispatch
def default(op: Op) -> Propagation:
    """How relevance passes an operation unless a plan says otherwise.

    LRP-0 for affine maps without weights (sums, averages), and all to the one input of a diagonal map; the winner for
    max pooling, softmax's shares for soft maxima; squares for squared distances; halves for products; softmax at the data
    point; a layer norm with its scale held; what has one input
    (pointwise functions) passes its relevance, and moved data is followed back.

    Raises :class:`PlanError` for an operation that has no rule of its own.
    """
    raise PlanError(
        f"{type(op).__name__} has no rule of its own: a plan must name one for its layers, such as dtd.Generic. To give a "
        "new operation a default, register it with dtd.relevance.default.default (docs/own_op.md)."
    )


@default.register
def _(op: AffineMap) -> Propagation:
    return Linear(Ray(Activations()))


@default.register
def _(op: Diagonal) -> Propagation:
    return Linear(Ray(Weights()))


@default.register
def _(op: Pointwise) -> Propagation:
    return Identity()


@default.register
def _(op: Mover) -> Propagation:
    return Follow()


@default.register
def _(op: Product) -> Propagation:
    return ProductShares()


@default.register
def _(op: MatMul) -> Propagation:
    return MatMulShares()


@default.register
def _(op: Softmax) -> Propagation:
    return SoftmaxTangent()


@default.register
def _(op: LayerNorm) -> Propagation:
    return HeldScale()


@default.register
def _(op: SquaredDistance) -> Propagation:
    return SphereRoot()


@default.register
def _(op: LogSumExp) -> Propagation:
    return TakeMost()
