"""Additive masks: where a constant is −∞ (or as low as numbers go), a softmax that follows does not see the entry."""

from dataclasses import replace

import torch
from torch import Tensor
from torch.fx import Node

from dtd.network.aten import aten
from dtd.network.lowering import Lowering, Ref
from dtd.network.sizes import is_stripped

HIDDEN = -1e30  # constants below this hide an entry from a softmax
SOFTMAX = frozenset((aten.softmax.int, aten._softmax.default))
PASSED_ON = frozenset(
    (
        aten.add.Tensor,
        aten.sub.Tensor,
        aten.view.default,
        aten.reshape.default,
        aten._unsafe_view.default,
        aten.squeeze.dim,
        aten.unsqueeze.default,
        aten.clone.default,
        aten.contiguous.default,
        aten.alias.default,
        aten.dropout.default,
        aten.expand.default,
        aten._to_copy.default,
        aten.to.dtype,
        aten.masked_fill.Scalar,
        aten.masked_fill.Tensor,
        aten.where.self,
        aten.where.ScalarOther,
    )
)


def softmax_follows(node: Node) -> bool:
    """Whether nothing but softmax reads a node's output, or what is added to and moved of it."""
    readers = [user for user in node.users if not str(user.target).startswith("aten._assert")]
    return bool(readers) and all(
        user.target in SOFTMAX or (user.target in PASSED_ON and softmax_follows(user)) for user in readers
    )


def hides(low: Lowering, node: Node, constant: Tensor | float) -> bool:
    """Whether a constant that is added (or filled in) here hides entries from a softmax."""
    if isinstance(constant, Tensor) and not constant.is_floating_point():
        return False
    lowest = low.varying or bool((torch.as_tensor(constant) < HIDDEN).any())
    return lowest and softmax_follows(node)


def hide(low: Lowering, node: Node, constant: Tensor) -> tuple[Tensor | None, Tensor]:
    """What is added where entries are shown, None for nothing at all; and where they are. # shape: of the constant"""
    shown = torch.as_tensor(constant) >= HIDDEN
    finite = torch.where(shown, constant, 0.0)
    nothing = not low.varying and not bool(finite.any())
    return (None if nothing else finite), aligned(low, shown, low.full(node))


def aligned(low: Lowering, mask: Tensor, full: tuple[int, ...]) -> Tensor:
    """A mask that broadcasts to one sample of an activation of shape ``full``; with all its axes."""
    if mask.ndim == len(full) and is_stripped(full):
        mask = mask[0]
    return mask.reshape([1] * (len(full) - is_stripped(full) - mask.ndim) + list(mask.shape)).to(low.like.device)


def hidden(low: Lowering, node: Node, x: Ref, shown: Tensor) -> Ref:
    """An activation of which a softmax sees only some entries."""
    shown = aligned(low, shown, low.full(node))
    return replace(x, shown=shown if x.shown is None else x.shown & shown)
