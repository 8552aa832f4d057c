"""Products of two activations."""

from dtd.domain import hull
from dtd.network.images import stacked
from dtd.network.lowering import Lowering, Ref
from dtd.network.ops.structure import expanded
from dtd.primitive import MatMul, Product


def product(low: Lowering, node, x: Ref, y: Ref):
    """``x ⊙ y`` of two activations."""
    shape = low.shape(node)
    factors = tuple(expanded(low, node, factor, shape) for factor in (x, y))
    op, domains = Product(), [factor.domain for factor in factors]
    image = op.image(*domains)
    return low.emit(node, "product", op, factors, domain=stacked(domains, shape, low.like), image=image)


def matrix_product(low: Lowering, node, x: Ref, y: Ref, shape=None):
    """``x @ y`` of two activations, position by position of the axes before the last two."""
    if len(x.shape) != len(y.shape) or len(x.shape) < 2 or x.shape[:-2] != y.shape[:-2]:
        raise low.unsupported(node, f"Its factors need equal leading axes; found {x.shape} and {y.shape} for one sample.")
    op, domains = MatMul(), (x.domain, y.domain)
    shape = low.shape(node) if shape is None else shape
    image = op.image(*domains)
    return low.emit(node, "matmul", op, (x, y), domain=hull(*domains), image=image, shape=shape)
