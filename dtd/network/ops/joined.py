"""Values that are joined, tiled, padded or written over."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from dtd.domain import Box, interval
from dtd.network.aten import aten
from dtd.network.fixed import Fixed, exported
from dtd.network.lowering import Lowering, Ref
from dtd.network.ops.structure import expanded, moved, rearrange
from dtd.network.sizes import Shape, is_stripped
from dtd.primitive import ZeroPad


def repeat(low: Lowering, node, x, times):
    full = low.full(node)
    if full == x.full:
        return x
    wide = (*[1] * (len(times) - len(x.full)), *x.full)
    return moved(low, node, "repeat", Fixed(tiled, (wide, times)), x)


def tiled(a: Tensor, wide: Shape, times: Shape) -> Tensor:
    """Each sample in the shape ``wide``, so many times along each axis."""
    return a.reshape(a.shape[0], *wide).repeat(1, *times)


@dataclass(frozen=True, eq=False)
class JoinedWith:
    """Activations and constants along one axis. # shape: (B, *in) each -> (B, *out)"""

    op: Callable[..., Tensor]  # torch.cat or torch.stack
    constants: tuple[Tensor | None, ...]  # in the order of what is joined; None where an activation stands
    axis: int  # the batch counts as the first

    def __call__(self, *activations: Tensor) -> Tensor:
        following = iter(activations)
        batch = activations[0].shape[0]
        return self.op([next(following) if c is None else c.expand(batch, *c.shape) for c in self.constants], self.axis)


def concatenate(op):
    """``cat`` or ``stack`` of activations and constants."""

    def handler(low, node, tensors, axis=0):
        tensors = [t for t in tensors if isinstance(t, Ref) or t.numel()]  # cat ignores what is empty
        refs, full = tuple(t for t in tensors if isinstance(t, Ref)), low.full(node)
        if len(tensors) == 1 and op is torch.cat:
            return refs[0]
        behind = axis % len(full) + 1
        if is_stripped(refs[0].full) and behind == 1:
            low.suspect(node)
        constants = tuple(None if isinstance(t, Ref) else t.to(low.like) for t in tensors)
        join = JoinedWith(op, constants, behind)
        values = [c.flatten() for c in constants if c is not None]
        present = Box(*(v.item() for v in torch.cat(values).aminmax())) if values else None
        return rearrange(low, node, "concatenate", exported(join, refs, full), refs, present, full=full)

    return handler


def pad(low: Lowering, node, x, padding, mode="constant", value=None):
    function = Fixed(torch.nn.functional.pad, (padding, mode, value))
    if mode != "constant":
        return rearrange(low, node, "pad", function, (x,))
    constant = interval(float(value or 0.0), float(value or 0.0))
    if len(padding) // 2 > len(x.shape):
        raise low.unsupported(node, "It adds samples: pad other axes than the first.")
    if value:
        return rearrange(low, node, "pad", function, (x,), constant)
    widths = tuple(zip(padding[::2], padding[1::2], strict=True))[::-1]
    return low.emit(node, "pad", ZeroPad(function, (x.shape,), constant, widths), (x,))


def constant_pad(low: Lowering, node, x, padding, value=0):
    return pad(low, node, x, padding, "constant", value)


def overwritten(low: Lowering, node, target, source, *rest):
    """What is written over a value: the value itself no longer counts."""
    full = low.full(node)
    return expanded(low, node, source, full) if isinstance(source, Ref) else source.to(low.like).expand(full)


JOINED = {
    aten.copy.default: overwritten,
    aten.repeat.default: repeat,
    aten.cat.default: concatenate(torch.cat),
    aten.stack.default: concatenate(torch.stack),
    aten.pad.default: pad,
    aten.constant_pad_nd.default: constant_pad,
}
