"""How far a damped rule stops before its root, found from a layer's pre-activations."""

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from dtd.errors import check_parameter


@dataclass(frozen=True)
class RelativeEpsilon:
    """``ε = factor · √(mean z²)`` for each sample of a layer, the damping of the LRP overview authors' VGG-16 tutorial.

    ``z = (1, 7)`` has the mean square 25:

    >>> import dtd, torch
    >>> dtd.presets.RelativeEpsilon(1.0)(torch.tensor([[1.0, 7.0]])).item()
    5.0
    """

    factor: float = 0.25
    sample_wise: ClassVar[bool] = True

    def __post_init__(self):
        check_parameter(self.factor >= 0, "factor", ">= 0", self.factor)

    def __call__(self, z: Tensor) -> Tensor:
        axes = tuple(range(1, z.ndim))
        return self.factor * z.square().mean(axes, keepdim=True).sqrt()


@dataclass(frozen=True)
class DeviationEpsilon:
    """``ε = factor · std(z)``, ``std(z)² = mean z² − (mean z)²``, for each sample of a layer (LRP overview, Fig. 10.4).

    Never more than :class:`RelativeEpsilon`, and equal to it where pre-activations have mean 0.

    ``z = (1, 7)`` has the standard deviation 3:

    >>> import dtd, torch
    >>> dtd.presets.DeviationEpsilon(1.0)(torch.tensor([[1.0, 7.0]])).item()
    3.0
    """

    factor: float = 0.25
    sample_wise: ClassVar[bool] = True

    def __post_init__(self):
        check_parameter(self.factor >= 0, "factor", ">= 0", self.factor)

    def __call__(self, z: Tensor) -> Tensor:
        axes = tuple(range(1, z.ndim))
        return self.factor * z.std(axes, correction=0, keepdim=True)
