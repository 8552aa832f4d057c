"""Contrasts as what is explained: a class against others, log-odds, and a number against a reference value."""

import sys
from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from numbers import Integral
from typing import ClassVar

import torch
from torch import Tensor

from dtd.affine import AffineMap, Dense
from dtd.callers.numbers import as_python
from dtd.callers.printing import Printed
from dtd.errors import InputError
from dtd.network.below import Below
from dtd.network.graph import Graph
from dtd.primitive import Reshape


class Contrast(Printed):
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

    def restructured(self, graph: Graph) -> Below | None:
        """The network with the contrast as its output, made once for equal contrasts; None where there is none."""
        base, top = graph.base, affine_top(graph)
        last = graph.layers[graph.output]
        if self.needs_logits and last.kind in ("softmax", "sigmoid"):
            raise InputError(f"{self!r} needs logits; the network ends with a {last.kind}. Trace it without (output=...).")
        if top is None:
            self.rewritten_or_refused(None, graph.layers[graph.output].shape)
            return None
        key = sys.intern(f"{type(self).__name__}{tuple(vars(self).items())!r}")  # equal contrasts are one object here
        return base.parts.get((base.layers[top], key), lambda: self._made(base, top))

    def rewritten_or_refused(self, op: AffineMap | None, shape: tuple[int, ...]) -> AffineMap | None:
        """:meth:`rewritten`; raises where the contrast does not fit the output."""
        return None if op is None else self.rewritten(op, shape)

    def _made(self, base: Graph, top: int) -> Below | None:
        op = self.rewritten_or_refused(base.layers[top].op, base.layers[base.output].shape)
        if op is None:
            return None
        layer = replace(base.layers[top], op=op, shape=op.out_shape, image=op.image(base.layers[top].domain))
        reshaped = op.out_shape != base.layers[top].shape
        layers, output = (base.layers[:top], top) if reshaped else (base.layers, base.output)
        layers = (*layers[:top], layer, *layers[top + 1 :])
        graph = Graph(layers, output, base.inputs, base.like, part_of=base)
        return Below(graph, graph, tuple(range(len(layers))))


@dataclass(frozen=True)
class Difference(Contrast):
    """``f_c − f_d``: a class against another one, or against the mean of several; left out, of all others (Gu et al. 2018).

    The last dense layer becomes ``(w_c − mean_d w_d)ᵀ a + b_c − mean_d b_d``, which the plan's rule for it decomposes. Where
    the output is not that of a dense layer, the difference is a sum of outputs under LRP-0: ``R_c = f_c``,
    ``R_d = −f_d / (number of d)``.

    >>> Difference(3, 5), Difference(0)
    (Difference(3, against=5), Difference(0))
    """

    of: int
    against: int | Sequence[int] | None = None

    def __post_init__(self):
        for name in ("of", "against"):
            object.__setattr__(self, name, as_python(getattr(self, name)))

    def weights(self, classes: int) -> Tensor:
        """What each class counts. # shape: (classes,)"""
        several = [self.against] if isinstance(self.against, int) else self.against
        chosen = [c for c in range(classes) if c != self.of] if several is None else list(several)
        if not is_class(self.of, classes) or not chosen or not all(is_class(c, classes) for c in chosen):
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

    >>> LogOdds(3)
    LogOdds(3)
    """

    needs_logits: ClassVar[bool] = True
    of: int

    def __post_init__(self):
        object.__setattr__(self, "of", as_python(self.of))

    def differences(self, classes: int) -> Tensor:
        """``f_c − f_d``, a row for each d. # shape: (classes − 1, classes)"""
        if not is_class(self.of, classes) or classes < 2:
            raise InputError(f"{self!r} needs classes from 0 to {classes - 1}, and at least two of them.")
        rows = -torch.eye(classes, dtype=torch.double)
        rows[:, self.of] += 1
        return rows[[d for d in range(classes) if d != self.of]]

    def rewritten(self, op: AffineMap, shape: tuple[int, ...]) -> AffineMap | None:
        rows = self.differences(classes_of(self, shape))
        return combined(op, rows.to(op.weight)) if isinstance(op, Dense) and op.out_shape == shape else None

    def initial(self, rewritten: bool, shape: tuple[int, ...]) -> Callable[[Tensor], Tensor]:
        return SoftMinimum(None if rewritten else self.differences(classes_of(self, shape)))


class All(Printed):
    """All of the output."""

    def __call__(self, output: Tensor) -> Tensor:
        return output.clone()


@dataclass(frozen=True, eq=False)
class Weighed(Printed):
    """The output, weighted. # shape: weights (*out)"""

    weights: Tensor

    def __call__(self, output: Tensor) -> Tensor:
        return output * self.weights.to(output)


@dataclass(frozen=True, eq=False)
class SoftMinimum(Printed):
    """``z softmax(−z)`` of the output, or of differences of outputs, each ``D f``. # shape: differences (K − 1, K)"""

    differences: Tensor | None

    def __call__(self, output: Tensor) -> Tensor:
        if self.differences is None:
            return output * (-output).softmax(1)
        d = self.differences.to(output)
        return output * ((-output @ d.mT).softmax(1) @ d)


def affine_top(graph: Graph) -> int | None:
    """The affine layer whose output, reshaped or not, is the network's; None where there is none with its own weights."""
    i = graph.output
    while i >= 0 and isinstance(graph.layers[i].op, Reshape):
        i = graph.layers[i].inputs[0]
    found = i >= 0 and isinstance(graph.layers[i].op, AffineMap) and not graph.layers[i].sides
    alone = found and sum(layer.inputs.count(i) for layer in graph.layers) <= 1
    return i if alone else None


def combined(op: Dense, rows: Tensor) -> Dense:
    """``D (W a + b)`` as one dense layer. # shape: rows (units, classes)"""
    bias = None if op.bias is None else rows @ op.bias
    return replace(op, weight=rows @ op.weight, bias=bias, out_shape=(len(rows),))


def classes_of(target: Contrast, shape: tuple[int, ...]) -> int:
    """How many classes an output has."""
    if len(shape) != 1:
        raise InputError(f"{target!r} needs an output of shape (B, classes); found samples of shape {shape}.")
    return shape[0]


def is_class(number: object, classes: int) -> bool:
    """Whether a number is a class."""
    return isinstance(number, Integral) and not isinstance(number, bool) and 0 <= int(number) < classes
