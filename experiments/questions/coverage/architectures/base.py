"""What an architecture of the list is: a name, a family, and a function that makes a small model with random weights."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

BATCH = 2  # samples of an example
SEED = 0


class Example(NamedTuple):
    """A model, inputs for it, and which of its results is explained.

    ``inputs`` is what :func:`dtd.trace` takes: a tensor, a tuple, or a mapping of keyword arguments. ``output`` is None for
    a model that returns one tensor, otherwise a key, an index, or a function of what the model returns. ``options`` are
    further keyword arguments of the trace, such as ``unbatched``.
    """

    model: nn.Module
    inputs: Any
    output: Any = None
    options: Mapping[str, Any] = {}


@dataclass(frozen=True)
class Architecture:
    """One entry of the list; ``make()`` builds it anew, with the same random weights and inputs each time."""

    name: str
    family: str
    make: Callable[[], Example] = field(repr=False)


def settled(model: nn.Module) -> nn.Module:
    """The model in evaluation mode and float64, with random weights that keep the scale with depth.

    Matrices are drawn with variance 1 / fan-in, biases with standard deviation 0.1, scales of normalisations around 1, and
    running statistics around those of the standard normal distribution. Libraries start some parameters at 0 or at 1e-6
    (classifiers, residual scales), which would make an explanation 0 whatever a layer did.
    """
    generator = torch.Generator().manual_seed(SEED)
    with torch.no_grad():
        for name, tensor in [*model.named_parameters(), *model.named_buffers()]:
            if tensor.is_floating_point() and (isinstance(tensor, nn.Parameter) or "running_" in name):
                tensor.copy_(drawn(name, tensor, generator))
    return model.double().eval().requires_grad_(False)


def drawn(name: str, tensor: Tensor, generator: torch.Generator) -> Tensor:
    """Random values for one parameter or running statistic."""
    values = torch.randn(tensor.shape, generator=generator)
    if "running_var" in name:
        return 1 + 0.1 * values.abs()
    if "bias" in name or "running_mean" in name:
        return 0.1 * values
    if tensor.ndim < 2 or tensor.numel() == max(tensor.shape):
        return 1 + 0.1 * values
    return values / tensor[0].numel() ** 0.5


def normal(*shape: int) -> Tensor:
    """Values of the standard normal distribution, in float64."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(SEED + 1), dtype=torch.double)


def pixels(size: int, channels: int = 3) -> Tensor:
    """Images with values in [0, 1]."""
    generator = torch.Generator().manual_seed(SEED + 1)
    return torch.rand(BATCH, channels, size, size, generator=generator, dtype=torch.double)


def token_ids(length: int = 7, words: int = 50) -> Tensor:
    """Ids of words; 0, 1, 2 and 3 are left to the special tokens."""
    return torch.randint(4, words, (BATCH, length), generator=torch.Generator().manual_seed(SEED + 1))


def mask(length: int = 7) -> Tensor:
    """An attention mask: the last sample is two tokens shorter than the others."""
    shown = torch.ones(BATCH, length, dtype=torch.long)
    shown[-1, -2:] = 0
    return shown


def listed(family: str, makers: Mapping[str, Callable[[], Example]]) -> tuple[Architecture, ...]:
    """The architectures of a family, by name."""
    return tuple(Architecture(name, family, make) for name, make in makers.items())
