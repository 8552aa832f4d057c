"""Norms written by hand: a value (less its mean) times a scale that depends on nothing but the value's size."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.fx import Node

from dtd.network.aten import aten
from dtd.network.calls import arguments
from dtd.network.lowering import Lowering
from dtd.network.opaque import Part
from dtd.network.refs import Ref
from dtd.network.sizes import stored
from dtd.primitive import HeldNorm, LayerNorm

CASTS = frozenset((aten._to_copy.default, aten.to.dtype, aten.clone.default, aten.alias.default, aten.expand.default))
REDUCTIONS = frozenset(
    (
        aten.mean.dim,
        aten.sum.dim_IntList,
        aten.var.correction,
        aten.var.dim,
        aten.std.correction,
        aten.std.dim,
        aten.linalg_vector_norm.default,
        aten.norm.ScalarOpt_dim,
        aten.norm.Scalar,
    )
)
INSIDE = CASTS | frozenset(
    (
        *(aten.mul.Tensor, aten.add.Tensor, aten.sub.Tensor, aten.div.Tensor, aten.unsqueeze.default),
        *(aten.pow.Tensor_Scalar, aten.square.default, aten.abs.default, aten.sqrt.default, aten.rsqrt.default),
        *(aten.reciprocal.default, aten.clamp_min.default, aten.clamp_min.Tensor, aten.clamp.default, aten.maximum.default),
    )
)


@dataclass(frozen=True, eq=False)
class Norm:
    """One norm among the nodes of a graph: ``(x − μ) · r(x)``."""

    node: Node
    value: Node  # x
    axes: tuple[int, ...] | None  # over which μ is the mean, None where μ = 0
    inside: tuple[Node, ...]  # the nodes from x to the scale, in order
    scale: Node
    divides: bool  # by the scale


def uncast(node: Any) -> Any:
    """What a chain of conversions starts from."""
    while isinstance(node, Node) and node.target in CASTS:
        node = node.args[0]
    return node


def centred(node: Node) -> tuple[Node, tuple[int, ...]] | None:
    """The value and the axes, where a node is a value less its mean."""
    if node.target is not aten.sub.Tensor or node.kwargs.get("alpha", 1) != 1:
        return None
    value, mean = map(uncast, arguments(node)[:2])
    if not isinstance(mean, Node) or mean.target is not aten.mean.dim or uncast(mean.args[0]) is not value:
        return None
    of_mean = arguments(mean)
    return (value, tuple(of_mean[1])) if len(of_mean) > 2 and of_mean[2] else None


def norms(nodes: Iterable[Node], active: set[Node]) -> dict[Node, Norm]:
    """The norms among nodes, by their last one; ``active`` are the nodes that depend on an explained input."""
    order = {node: i for i, node in enumerate(nodes)}
    found = {}
    for node in order:
        if node.target not in (aten.mul.Tensor, aten.div.Tensor) or len(node.args) < 2:
            continue
        sides = [node.args, node.args[::-1]] if node.target is aten.mul.Tensor else [node.args]
        for top, scale in sides:
            norm = norm_at(node, top, scale, active, order)
            if norm is not None:
                found[node] = norm
                break
    inner = {node for norm in found.values() for node in norm.inside}  # of a norm that is a part of another's scale
    return {node: norm for node, norm in found.items() if node not in inner}


def norm_at(node: Node, top: Any, scale: Any, active: set[Node], order: dict[Node, int]) -> Norm | None:
    """The norm whose value is ``top`` and whose scale is ``scale``, if they are those of one."""
    if not all(isinstance(each, Node) and each in active for each in (top, scale)):
        return None
    shape, small = top.meta["val"].shape, scale.meta["val"].shape
    narrow = len(small) == len(shape) and any(m == 1 and n != 1 for m, n in zip(small, shape, strict=True))
    return traced(node, top, scale, active, order) if narrow or scale.target is aten.expand.default else None


def traced(node: Node, top: Node, scale: Node, active: set[Node], order: dict[Node, int]) -> Norm | None:
    """The nodes from the value to the scale, if nothing else enters."""
    root = uncast(top)
    split = centred(root)
    value, axes = split if split is not None else (root, None)
    inside, pending, reduced, reached = set(), [scale], False, False
    while pending:
        each = pending.pop()
        if uncast(each) is value and each is not scale:
            reached = True
            if each is not value:
                inside.update(casts_to(each, value))
            continue
        if each in inside or each not in active:
            continue
        if each.target not in INSIDE and each.target not in REDUCTIONS:
            return None
        reduced |= each.target in REDUCTIONS
        inside.add(each)
        pending += each.all_input_nodes
    inverts = node.target is aten.div.Tensor or any(is_inverse(each, active) for each in inside)
    if not (reduced and reached and inverts):
        return None
    return Norm(node, value, axes, tuple(sorted(inside, key=order.__getitem__)), scale, node.target is aten.div.Tensor)


def is_inverse(node: Node, active: set[Node]) -> bool:
    """Whether a call gives less for more: of what it divides by, where it divides by an activation."""
    if node.target is aten.div.Tensor:
        return node.args[1] in active
    if node.target is aten.pow.Tensor_Scalar:
        return bool(arguments(node)[1] < 0)
    return node.target in (aten.rsqrt.default, aten.reciprocal.default)


def casts_to(node: Node, value: Node) -> list[Node]:
    """The conversions from a value to a node."""
    found = []
    while node is not value:
        found.append(node)
        node = arguments(node)[0]
    return found


def needless(found: dict[Node, Norm]) -> set[Node]:
    """Nodes that nothing but norms needs: they become no layers."""
    parts: set[Node] = set()
    for norm in found.values():
        top = next(n for n in arguments(norm.node) if n is not norm.scale)
        parts.update((*norm.inside, *casts_to(top, norm.value if norm.axes is None else uncast(top))))
        if norm.axes is not None:
            mean = uncast(top).args[1]
            parts.add(uncast(top))
            parts.update(casts_to(mean, uncast(mean)))
            parts.add(uncast(mean))
    skipped: set[Node] = set()
    while True:
        more = {n for n in parts - skipped - set(found) if all(user in skipped or user in found for user in n.users)}
        if not more:
            return skipped
        skipped |= more


def lower_norm(low: Lowering, norm: Norm, env: dict[Node, Any]) -> Ref:
    """One layer for a norm: a layer norm or RMS norm where it is one, else a norm with its own scale."""
    x: Ref = env[norm.value]
    outside = {n for node in norm.inside for n in node.all_input_nodes if n not in norm.inside and n is not norm.value}
    constants = {n: env[n] for n in outside}
    full = low.full(norm.scale)
    made = norm.inside[: norm.inside.index(norm.scale) + 1]
    part = Part.of(made, {norm.value: x.full}, constants, stored_like(x, full))
    scale = Inverse(part) if norm.divides else part
    axes = None if norm.axes is None else tuple(x.axis(a) - len(x.shape) for a in norm.axes)
    for op, kind in candidates(low, norm, x, axes):
        if agrees(low, op, scale, x, axes):
            return low.emit(norm.node, kind, op, (x,), full=x.full)
    op = HeldNorm((), None, None, None, axes is not None, scale, (-1,) if axes is None else axes)
    return low.emit(norm.node, "norm", op, (x,), full=x.full)


def stored_like(x: Ref, full: tuple[int, ...]) -> tuple[int, ...]:
    """Shape of one sample of a scale that broadcasts to an activation."""
    return full[len(x.full) - len(x.shape) :] if len(full) == len(x.full) else stored(full)


@dataclass(frozen=True, eq=False)
class Inverse:
    """``1 / f``."""

    function: Any

    def __call__(self, *inputs: Tensor) -> Tensor:
        return 1 / self.function(*inputs)


def candidates(low: Lowering, norm: Norm, x: Ref, axes: tuple[int, ...] | None) -> list[tuple[LayerNorm, str]]:
    """The norms that it may be: over its last axes, with one of the small numbers that occur."""
    small = stored_like(x, low.full(norm.scale))
    over = [i for i, (m, n) in enumerate(zip(small, x.shape, strict=True)) if m != n] if len(small) == len(x.shape) else []
    if not over or over != list(range(over[0], len(x.shape))):
        return []
    sizes = x.shape[over[0] :]
    numbers = [a for node in norm.inside for a in (*node.args, *node.kwargs.values()) if isinstance(a, float)]
    kinds = [(True, "layer_norm")] if axes is not None else [(False, "rms_norm")]
    return [(LayerNorm(sizes, None, None, e, c), kind) for c, kind in kinds for e in dict.fromkeys((*numbers, 0.0)) if e < 1]


def agrees(low: Lowering, op: LayerNorm, scale: Any, x: Ref, axes: tuple[int, ...] | None) -> bool:
    """Whether a norm is the written one, on three samples of quite different sizes."""
    generator = torch.Generator().manual_seed(0)
    a = torch.randn(3, *x.shape, generator=generator, dtype=torch.float64).to(low.like)
    a = (a + 0.3) * torch.tensor([1.0, 1e-2, 1e2], dtype=a.dtype, device=a.device).view(-1, *[1] * (a.ndim - 1))
    written = (a if axes is None else a - a.mean(axes, keepdim=True)) * scale(a)
    return bool(((op(a) - written).abs().amax() <= 64 * torch.finfo(a.dtype).eps * written.abs().amax()).item())
