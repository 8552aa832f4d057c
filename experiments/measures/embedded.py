"""Gradient × input of models that look vectors up: at the vectors of the tokens."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn


@contextmanager
def vectors(table: nn.Module) -> Iterator[list[Tensor]]:
    """What a table of vectors gives inside, as leaves that gradients reach."""
    found: list[Tensor] = []

    def replaced(module: nn.Module, inputs: tuple, output: Tensor) -> Tensor:
        found.append(output.detach().requires_grad_())
        return found[-1]

    hook = table.register_forward_hook(replaced)
    try:
        yield found
    finally:
        hook.remove()


def gradient_times_input(table: nn.Module, explained: Callable[[], Tensor]) -> Tensor:
    """``Σ_d x_td ∂f/∂x_td`` of each token; ``explained()`` is f of each sample, which reads ``table`` once.

    # shape: explained() (B,) -> (B, T)
    """
    with torch.enable_grad(), vectors(table) as found:
        value = explained().sum()
        (x,) = found
        (gradient,) = torch.autograd.grad(value, x)
    return (x.detach() * gradient).sum(-1)
