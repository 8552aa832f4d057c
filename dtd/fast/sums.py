"""LRP-0 on sums of activations in a prepared pass: coefficients pass, the stacked inputs are never built."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from dtd.affine import Diagonal, StackSum
from dtd.fast.quotients import Quotient
from dtd.fast.step import Setting, Step
from dtd.fast.terms import is_undamped, is_z, reading
from dtd.propagation import Layer
from dtd.root import RootStrategy


@dataclass(frozen=True, eq=False)
class SumStep(Step):
    """``z = Σ_i w_i a_i`` with ``v = a``: ``c_i = w_i s``."""

    weights: tuple[float, ...]
    setting: Setting
    quotient: Quotient
    takes_coefficients = True
    hands_coefficients = True

    @property
    def merged(self) -> bool:  # type: ignore[override]
        return self.setting.activation is not None

    def up(self, checks: list[Tensor], *inputs: Tensor) -> tuple[Tensor, Any]:
        first, *rest = zip(inputs, self.weights, strict=True)
        z = first[0] if first[1] == 1 and rest else first[0] * first[1]
        for a, weight in rest:
            z = torch.add(z, a, alpha=weight)
        y = self.setting.merge(checks, z, overwrite=not self.quotient.needs_z)
        return y, self.quotient.keep(y, z)

    def down(self, saved: Any, relevance: Tensor) -> tuple[Tensor, ...]:
        s = self.quotient.quotient(saved, relevance, self.setting.may_overwrite)
        return tuple([s if weight == 1 else s * weight for weight in self.weights])


@dataclass(frozen=True, eq=False)
class ScaleStep(Step):
    """``z = w ⊙ a`` where coefficients arrive: its one input takes all, ``c_a = w ⊙ c``, whatever the direction."""

    weight: Tensor
    takes_coefficients = True
    hands_coefficients = True
    owns_result = True

    def up(self, checks: list[Tensor], *inputs: Tensor) -> tuple[Tensor, Any]:
        return inputs[0] * self.weight, None

    def down(self, saved: Any, relevance: Tensor) -> tuple[Tensor, ...]:
        return (relevance * self.weight,)


def scale_step(root: RootStrategy, layer: Layer, setting: Setting) -> ScaleStep | None:
    """The step of an undamped search on a product with a constant; None elsewhere."""
    searches = root.searches() or ()
    alone = isinstance(layer.op, Diagonal) and layer.op.bias is None and len(searches) == 1 and is_undamped(searches[0][1])
    return ScaleStep(layer.op.weight) if alone and setting.as_coefficients and setting.activation is None else None


def sum_step(root: RootStrategy, layer: Layer, setting: Setting) -> SumStep | None:
    """The step of a root strategy that is LRP-0 on a sum; None elsewhere."""
    searches = root.searches() or ()
    if not isinstance(layer.op, StackSum) or len(searches) != 1 or not is_z(searches[0][1], layer):
        return None
    return SumStep(tuple(layer.op.weight.tolist()), setting, reading(searches[0][1], 1, layer, setting))
