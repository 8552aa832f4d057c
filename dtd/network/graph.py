"""The layers of a network as they are at one moment."""

import math
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from dtd.domain import Domain, check_inside, exact
from dtd.errors import InputError, NonFiniteError
from dtd.propagation import Layer


@dataclass(frozen=True, eq=False)
class Graph:
    """Layers over fixed parameters, each after its inputs; made anew when a parameter changes."""

    layers: tuple[Layer, ...]
    output: int  # index of the layer whose output is the network's
    domain: Domain  # of the input
    like: Tensor  # in the network's dtype, on its device
    plans: dict[int, tuple[Any, tuple]] = field(default_factory=dict, repr=False)  # what plans were bound to
    programs: dict[tuple, tuple] = field(default_factory=dict, repr=False)  # what bound plans were prepared as

    @cached_property
    def weighted(self) -> tuple[Layer, ...]:
        """The layers with weights, lowest first: those a plan must speak for."""
        return tuple(layer for layer in self.layers if layer.weighted)

    def check_input(self, x: Tensor, shape: tuple[int, ...]) -> None:
        """Raise for an input of another shape, dtype, device or domain than the network's, or one that is not finite."""
        if not isinstance(x, Tensor) or x.ndim != len(shape) + 1 or tuple(x.shape[1:]) != shape:
            found = tuple(x.shape) if isinstance(x, Tensor) else type(x).__name__
            raise InputError(f"The input must have shape (B, {', '.join(map(str, shape))}); found {found}.")
        if x.dtype not in (torch.float32, torch.float64):
            raise InputError(
                f"Relevance needs float32 or float64; found an input in {x.dtype}. Call x.float() and model.float()."
            )
        if (x.dtype, x.device) != (self.like.dtype, self.like.device):
            raise InputError(
                f"The input must be {self.like.dtype} on {self.like.device} like the model; found {x.dtype} on {x.device}."
            )
        if self.interval is not None and x.numel():
            low, high = (bound.item() for bound in x.aminmax())  # NaN where any entry is
            if self.interval[0] <= low and high <= self.interval[1] and math.isfinite(high - low):
                return
        if not bool(x.isfinite().all()):
            raise NonFiniteError("The input must be finite; found NaN or infinity.")
        check_inside(self.domain, x, "The network's input", "Trace with the domain that the data has.")

    @cached_property
    def interval(self) -> tuple[float, float] | None:
        """The input's domain, where it is one interval for all entries."""
        low, high = map(exact, self.domain.bounds())
        return (low.item(), high.item()) if low.numel() == high.numel() == 1 else None
