"""Operations that are not affine in a prepared pass: relevance or its coefficients follow, pass or are masked."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from dtd.algebra import divide, nonzero
from dtd.fast.step import Plain, Setting, Step, prepare
from dtd.plans.pooling import MeanForMax, averaged
from dtd.primitive import MaxPool, Mover, Pointwise, Rearrange
from dtd.propagation import Layer
from dtd.relevance import Follow, Identity


@dataclass(frozen=True, eq=False)
class Moved(Step):
    """Entries that were moved, whether relevance or coefficients follow them back."""

    mover: Mover
    hands_coefficients: bool
    takes_coefficients = True

    def up(self, checks: list[Tensor], *inputs: Tensor) -> tuple[Tensor, Any]:
        return self.mover.move(inputs)

    def down(self, saved: Any, relevance: Tensor) -> tuple[Tensor, ...]:
        return self.mover.follow(saved, relevance)


@dataclass(frozen=True, eq=False)
class Rearranged(Step):
    """Entries that were moved by any function. On the way back it is run on zeros, to which what arrives is then led.

    So nothing is saved; autograd does the rest in a tenth of the time that ``torch.func.vjp`` takes on small tensors.
    """

    mover: Rearrange
    hands_coefficients: bool
    takes_coefficients = True

    def up(self, checks: list[Tensor], *inputs: Tensor) -> tuple[Tensor, Any]:
        return self.mover.function(*inputs), None

    def down(self, saved: Any, relevance: Tensor) -> tuple[Tensor, ...]:
        zero, batch = relevance.new_zeros(()), len(relevance)
        with torch.enable_grad():
            zeros = tuple(zero.expand(batch, *shape).requires_grad_() for shape in self.mover.shapes)
            moved = self.mover.function(*zeros)
        return torch.autograd.grad(moved, zeros, relevance, materialize_grads=True)


@dataclass(frozen=True, eq=False)
class Rectified(Step):
    """``y = max(a, 0)`` where coefficients arrive: ``c_a = 1[a > 0] c``."""

    takes_coefficients = True
    hands_coefficients = True
    owns_result = True

    def up(self, checks: list[Tensor], *inputs: Tensor) -> tuple[Tensor, Any]:
        y = inputs[0].relu()
        return y, y

    def down(self, saved: Any, relevance: Tensor) -> tuple[Tensor, ...]:
        return (torch.ops.aten.threshold_backward(relevance, saved, 0),)


@dataclass(frozen=True, eq=False)
class Passed(Step):
    """``y = f(a)`` where relevance arrives: ``R_a = R_y``."""

    function: Callable[..., Tensor]

    def up(self, checks: list[Tensor], *inputs: Tensor) -> tuple[Tensor, Any]:
        checks.append(inputs[0].sum().isfinite())
        return self.function(*inputs), None

    def down(self, saved: Any, relevance: Tensor) -> tuple[Tensor, ...]:
        return (relevance,)


@dataclass(frozen=True, eq=False)
class MeanForMaxStep(Step):
    """The average's step: what arrives, ``R = y ⊙ c`` as coefficients or as it is, is made the average's before."""

    pool: MaxPool
    step: Step
    fitted: bool
    setting: Setting
    takes_coefficients = True

    @property
    def hands_coefficients(self) -> bool:  # type: ignore[override]
        return self.step.hands_coefficients

    @property
    def owns_result(self) -> bool:  # type: ignore[override]
        return self.step.owns_result

    def up(self, checks: list[Tensor], *inputs: Tensor) -> tuple[Tensor, Any]:
        mean, saved = self.step.up(checks, *inputs)
        largest = self.pool(*inputs)
        return largest, (saved, self.factor(mean, largest))

    def factor(self, mean: Tensor, largest: Tensor) -> Tensor | None:
        """What to multiply by; None for 1."""
        if self.setting.as_coefficients:
            return largest if self.fitted else mean * nonzero(largest)
        return None if self.fitted else divide(mean, largest)

    def down(self, saved: Any, relevance: Tensor) -> tuple[Tensor, ...]:
        of_mean, factor = saved
        return self.step.down(of_mean, relevance if factor is None else relevance * factor)


@prepare.register
def _(model: Follow, layer: Layer, setting: Setting) -> Step:
    made = Rearranged if isinstance(layer.op, Rearrange) else Moved
    return made(layer.op, setting.as_coefficients)


@prepare.register
def _(model: Identity, layer: Layer, setting: Setting) -> Step:
    if not isinstance(layer.op, Pointwise):
        return Plain(model, layer)
    return Rectified() if layer.op.is_relu and setting.as_coefficients else Passed(layer.op)


@prepare.register
def _(model: MeanForMax, layer: Layer, setting: Setting) -> Step:
    step = prepare(model.model, averaged(layer), Setting(dtype=setting.dtype))
    return MeanForMaxStep(layer.op, step, model.fitted, setting)
