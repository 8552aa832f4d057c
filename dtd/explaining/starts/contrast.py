"""Contrasts as what is explained: a class against others, log-odds, and a number against a reference value."""

from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from types import NoneType
from typing import Any, ClassVar

import torch
from torch import Tensor

from dtd.affine import AffineMap, Dense
from dtd.callers.printing import Printed
from dtd.errors import InputError
from dtd.explaining.starts.classes import PerSample, is_class, of_each, rows_of
from dtd.explaining.starts.initial import All, SoftMinimum, Weighed
from dtd.explaining.target import OfSamples


class Contrast(OfSamples, Printed):
    """A target that rewrites the affine layer at the top, so that what it explains is an output of the network.

    ``out.output`` is then that output, and the plan's rule for the last layer sees the weights of the contrast: under rules
    that tell positive weights from negative ones that is not the difference of two explanations.
    """

    needs_logits: ClassVar[bool] = False

    @abstractmethod
    def rewritten(self, op: AffineMap, shape: tuple[int, ...]) -> AffineMap | None:
        """The top layer with the contrast as its output; None where it cannot be written so."""

    @abstractmethod
    def initial(self, rewritten: bool, shape: tuple[int, ...]) -> Callable[[Tensor], Tensor]:
        """The initial relevance, as a function of the rewritten output, or else of the network's."""

    def rewritten_or_refused(self, op: AffineMap | None, shape: tuple[int, ...]) -> AffineMap | None:
        """:meth:`rewritten`; raises where the contrast does not fit the output."""
        return None if op is None else self.rewritten(op, shape)

    def outputs(self, shape: tuple[int, ...]) -> int:
        """How many outputs the rewritten layer has for it, of a network whose output is a row."""
        return 1

    def cases(self) -> tuple[tuple["Contrast", ...], tuple[int, ...] | None]:
        """Contrasts that are the same for all samples, and which of them each sample has; None: there is one."""
        return (self,), None

    def of_rows(self, rows: slice | Tensor) -> "Contrast":
        return self


@dataclass(frozen=True)
class Difference(Contrast):
    """``f_c − f_d``: a class against another one, or against the mean of several; left out, of all others (Gu et al. 2018).

    The last dense layer becomes ``(w_c − mean_d w_d)ᵀ a + b_c − mean_d b_d``, which the plan's rule for it decomposes. Where
    the output is not that of a dense layer, the difference is a sum of outputs under LRP-0: ``R_c = f_c``,
    ``R_d = −f_d / (number of d)``.

    Args:
        of: a class for all samples, or an integer tensor ``(B,)``: one for each.
        against: a class, several, or an integer tensor ``(B,)``: one for each sample; left out, all others.

    >>> Difference(3, 5), Difference(0), Difference(torch.tensor([3, 5]), torch.tensor([5, 3]))
    (Difference(3, against=5), Difference(0), Difference((3, 5), against=(5, 3)))
    """

    of: "int | Tensor | PerSample"
    against: "int | Sequence[int] | Tensor | PerSample | None" = None

    def __post_init__(self):
        object.__setattr__(self, "of", of_each(self.of, "of"))
        object.__setattr__(self, "against", of_each(self.against, "against"))

    def cases(self) -> tuple[tuple[Contrast, ...], tuple[int, ...] | None]:
        given = (self.of, self.against)
        lengths = [len(each) for each in given if isinstance(each, PerSample)]
        if not lengths:
            return (self,), None
        if len(set(lengths)) > 1:
            raise InputError(f"'of' and 'against' must have as many classes; found {lengths[0]} and {lengths[1]}.")
        columns: list[Any] = [each if isinstance(each, PerSample) else [each] * lengths[0] for each in given]
        return distinct([Difference(one, other) for one, other in zip(*columns, strict=True)])

    def of_rows(self, rows: slice | Tensor) -> "Difference":
        return Difference(rows_of(self.of, rows), rows_of(self.against, rows))

    def weights(self, classes: int) -> Tensor:
        """What each class counts. # shape: (classes,)"""
        several = [self.against] if not isinstance(self.against, (tuple, NoneType)) else self.against
        if not is_class(self.of, classes):
            raise InputError(f"{self!r} needs classes from 0 to {classes - 1}.")
        chosen = [c for c in range(classes) if c != self.of] if several is None else list(several)
        if not chosen or not all(is_class(c, classes) for c in chosen):
            raise InputError(f"{self!r} needs classes from 0 to {classes - 1}.")
        if len(set(chosen)) < len(chosen):
            raise InputError(f"{self!r} names a class twice; give each class of 'against' once.")
        weights = torch.zeros(classes, dtype=torch.double)
        weights[torch.tensor(chosen)] -= 1 / len(chosen)
        weights[self.of] += 1
        if not bool(weights.any()):
            raise InputError(f"{self!r} is a class against itself.")
        return weights

    def rewritten(self, op: AffineMap, shape: tuple[int, ...]) -> AffineMap | None:
        weights = self.weights(classes_of(self, shape))
        return combined(op, weights[None].to(op.weight)) if isinstance(op, Dense) and op.out_shape == shape else None

    def initial(self, rewritten: bool, shape: tuple[int, ...]) -> Callable[[Tensor], Tensor]:
        return All() if rewritten else Weighed(self.weights(classes_of(self, shape)))


@dataclass(frozen=True)
class LogOdds(Contrast):
    """``log p_c / (1 − p_c) = −log Σ_d exp(−(f_c − f_d))``, ``d ≠ c``: the odds of a class against all others.

    It is a soft minimum over the differences of logits ``z_d = f_c − f_d`` (Montavon et al. 2019), each an output of a
    rewritten last layer with weights ``w_c − w_d``. Its first-order terms at the data point are the initial relevance,
    ``R_d = z_d exp(−z_d) / Σ exp(−z)``: they add up to the log-odds plus the entropy of these weights, which is the zeroth
    term and is not handed down. Where the output is not that of a dense layer the differences are sums under LRP-0.

    Args:
        of: a class for all samples, or an integer tensor ``(B,)``: one for each.

    >>> LogOdds(3), LogOdds(torch.tensor([3, 0]))
    (LogOdds(3), LogOdds((3, 0)))
    """

    needs_logits: ClassVar[bool] = True
    of: "int | Tensor | PerSample"

    def __post_init__(self):
        object.__setattr__(self, "of", of_each(self.of, "of"))

    def cases(self) -> tuple[tuple[Contrast, ...], tuple[int, ...] | None]:
        return distinct([LogOdds(one) for one in self.of]) if isinstance(self.of, PerSample) else ((self,), None)

    def of_rows(self, rows: slice | Tensor) -> "LogOdds":
        return LogOdds(rows_of(self.of, rows))

    def differences(self, classes: int) -> Tensor:
        """``f_c − f_d``, a row for each d. # shape: (classes − 1, classes)"""
        if not is_class(self.of, classes) or classes < 2:
            raise InputError(f"{self!r} needs classes from 0 to {classes - 1}, and at least two of them.")
        rows = -torch.eye(classes, dtype=torch.double)
        rows[:, self.of] += 1
        return rows[[d for d in range(classes) if d != self.of]]

    def outputs(self, shape: tuple[int, ...]) -> int:
        return classes_of(self, shape) - 1

    def rewritten(self, op: AffineMap, shape: tuple[int, ...]) -> AffineMap | None:
        rows = self.differences(classes_of(self, shape))
        return combined(op, rows.to(op.weight)) if isinstance(op, Dense) and op.out_shape == shape else None

    def initial(self, rewritten: bool, shape: tuple[int, ...]) -> Callable[[Tensor], Tensor]:
        return SoftMinimum(None if rewritten else self.differences(classes_of(self, shape)))


def combined(op: Dense, rows: Tensor) -> Dense:
    """``D (W a + b)`` as one dense layer. # shape: rows (units, classes)"""
    bias = None if op.bias is None else rows @ op.bias
    return replace(op, weight=rows @ op.weight, bias=bias, out_shape=(len(rows),))


def classes_of(target: Contrast, shape: tuple[int, ...]) -> int:
    """How many classes an output has."""
    if len(shape) != 1:
        raise InputError(f"{target!r} needs an output of shape (B, classes); found samples of shape {shape}.")
    return shape[0]


def distinct(contrasts: Sequence[Contrast]) -> tuple[tuple[Contrast, ...], tuple[int, ...]]:
    """The contrasts without repetitions, in order, and which of them each one is."""
    numbers = {each: number for number, each in enumerate(dict.fromkeys(contrasts))}
    return tuple(numbers), tuple(numbers[each] for each in contrasts)
