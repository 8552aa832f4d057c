"""Facts about the calls of an exported graph."""

import operator
from collections.abc import Container
from typing import Any

import torch
from torch import Tensor
from torch.fx import Node

from dtd.affine import AffineMap
from dtd.errors import NonFiniteError
from dtd.network.aten import aten
from dtd.network.calls import callee
from dtd.network.refs import Ref, flatten
from dtd.network.sides import Side

LIKE = frozenset(
    (
        *(aten.new_zeros.default, aten.new_ones.default, aten.new_full.default),
        *(aten.zeros_like.default, aten.ones_like.default, aten.full_like.default),
    )
)
CONVERSIONS = frozenset((aten._to_copy.default, aten.to.dtype))
GROUPED = ("aten._grouped_mm.default", "transformers.grouped_mm_fallback.default")  # rows times the matrix of their group
STEERED = frozenset(  # ops that take values without a slope as they are
    (
        *CONVERSIONS,
        aten.where.self,
        aten.where.ScalarOther,
        aten.where.ScalarSelf,
        aten.masked_fill.Scalar,
        aten.masked_fill.Tensor,
        aten.gather.default,
        aten.index.Tensor,
        aten.index_select.default,
        aten.embedding.default,
        aten.scatter.src,
        operator.getitem,
    )
)


def is_floating(value: Any) -> bool:
    """Whether any of an op's results holds floating-point or complex numbers: numbers that have a slope."""
    return any(isinstance(v, Tensor) and (v.is_floating_point() or v.is_complex()) for v in flatten([value]))


def is_steered(target: Any) -> bool:
    """Whether an op takes values without a slope as they are."""
    return target in STEERED or str(target) in GROUPED


def has_no_slope(node: Node, values: list[Any]) -> bool:
    """Whether what a call makes of ``values``, some of which depend on activations, is constant around a data point.

    Truth values and integers are, and numbers that are made of nothing else; entries of tables are layers of their own.
    """
    if not is_floating(node.meta.get("val")):
        return True
    return not any(isinstance(v, (Ref, Side)) for v in values) and (
        node.target in CONVERSIONS or not is_steered(node.target)
    )


def is_random(node: Node) -> bool:
    """Whether a call draws random numbers, as it is called here."""
    if torch.Tag.nondeterministic_seeded not in getattr(node.target, "tags", ()):
        return False
    drawn = {a.name: a.default_value for a in callee(node)._schema.arguments if a.name in ("train", "dropout_p", "dropout")}
    for argument, given in zip(callee(node)._schema.arguments, node.args, strict=False):
        if argument.name in drawn:
            drawn[argument.name] = given
    drawn.update({name: value for name, value in node.kwargs.items() if name in drawn})
    if "train" in drawn:
        return bool(drawn["train"])
    return bool(drawn.get("dropout_p", True))


def coarseness(node: Node) -> float:
    """The distance from 1 to the next number, of the coarsest floating-point numbers that a call computes with."""
    val = node.meta.get("val")
    types = [val.dtype] if isinstance(val, Tensor) else []
    types += [v for v in flatten([node.args, dict(node.kwargs)]) if isinstance(v, torch.dtype)]
    return max([torch.finfo(t).eps for t in types if t.is_floating_point], default=0.0)


def check_finite(affine: AffineMap, known: Container[int], op: str, path: str) -> None:
    """Raise for an affine layer with a weight or bias that is not finite; ``known`` are the ids of tensors that are."""
    for tensor in (affine.weight, affine.bias):
        if tensor is None or id(tensor) in known:
            continue
        if not bool(tensor.sum().isfinite()) and not bool(tensor.isfinite().all()):
            raise NonFiniteError(f"A constant of '{op}' in module '{path}' is NaN or infinite.")
