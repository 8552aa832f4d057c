"""Gradient × input as fast as a user can have it: both layouts of images, and activations that write in place.

Ratios are to the fastest of these, which another network, batch size or machine may change.
"""

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import torch
from torch import Tensor, nn

from experiments.cost.recipes import BASELINE, Method, always

CONTIGUOUS, LAST, IN_PLACE = "contiguous", "channels-last", "in place"
BOTH = f"{LAST}, {IN_PLACE}"
SAME = 1e-4  # of the largest |gradient × input|: rounding


def variants(model: nn.Module, x: Tensor, target: int) -> Iterator[Method]:
    """Gradient × input, contiguous; with convolutions channels-last too; each with activations in place where that works.

    Parameters have no gradients in any. An in-place variant is left out where autograd refuses it (a value that the way
    back needs is overwritten) and where its result differs from that of the same layout.
    """
    layouts = [(CONTIGUOUS, IN_PLACE, activations(model, in_place=False), x)]
    if x.ndim == 4 and any(isinstance(module, nn.Conv2d) for module in model.modules()):
        copy: Any = deepcopy(layouts[0][2])  # torch's stubs lack the layout of a module
        layouts.append((LAST, BOTH, copy.to(memory_format=torch.channels_last), x.to(memory_format=torch.channels_last)))
    for name, in_place, plain, moved in layouts:
        yield method(name, plain, moved, target)
        writing = activations(plain, in_place=True)
        if can_write(writing) and agree(plain, writing, moved, target):
            yield method(in_place, writing, moved, target)


def method(name: str, model: nn.Module, x: Tensor, target: int) -> Method:
    """One variant."""
    return Method(BASELINE, name, "", always(lambda: gradient_times_input(model, x, target)))


def activations(model: nn.Module, in_place: bool) -> nn.Module:
    """A copy with the same tensors, without parameters' gradients, whose activation modules all write in place, or none."""
    tensors = [*model.parameters(), *model.buffers()]
    copy = deepcopy(model, {id(tensor): tensor.detach() for tensor in tensors}).requires_grad_(False)
    module: Any  # its attributes are its own
    for module in copy.modules():
        if isinstance(getattr(module, "inplace", None), bool):
            module.inplace = in_place
    return copy


def can_write(model: nn.Module) -> bool:
    """Whether any module writes in place; dropout does nothing in evaluation mode."""
    active = (module for module in model.modules() if not isinstance(module, nn.modules.dropout._DropoutNd))
    return any(getattr(module, "inplace", False) is True for module in active)


def agree(plain: nn.Module, writing: nn.Module, x: Tensor, target: int) -> bool:
    """Whether writing in place leaves gradient × input as it is, up to rounding; autograd's refusal is a no."""
    expected = gradient_times_input(plain, x, target)
    try:
        found = gradient_times_input(writing, x, target)
    except RuntimeError:
        return False
    return bool(torch.allclose(found, expected, rtol=0, atol=SAME * float(expected.abs().max())))


def gradient_times_input(model: nn.Module, x: Tensor, target: int) -> Tensor:
    """``x ⊙ ∂f/∂x``: the forward and backward pass that everything is compared with."""
    x = x.detach().requires_grad_()
    (gradient,) = torch.autograd.grad(model(x)[:, target].sum(), x)
    return x.detach() * gradient
