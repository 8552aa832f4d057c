"""Initial relevance of contrasts, as functions of an output."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from dtd.callers.printing import Printed
from dtd.errors import InputError
from dtd.explaining.starts.classes import at_samples
from dtd.explaining.target import OfSamples


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


@dataclass(frozen=True, eq=False)
class OfEachSample(OfSamples, Printed):
    """One function for each sample, each of its own part of the output; the rest has no relevance.

    ``numbers`` says which function each sample has; None: there is one. # shape: parts are slices of axis 1
    """

    functions: Sequence[Callable[[Tensor], Tensor]]
    parts: Sequence[slice]
    numbers: tuple[int, ...] | None

    def __call__(self, output: Tensor) -> Tensor:
        made = torch.zeros_like(output)
        if self.numbers is None:
            made[:, self.parts[0]] = self.functions[0](output[:, self.parts[0]])
            return made
        if len(self.numbers) != len(output):
            raise InputError(f"A contrast needs a class for each of the {len(output)} samples; found {len(self.numbers)}.")
        numbers = torch.tensor(self.numbers, device=output.device)
        for number, (function, part) in enumerate(zip(self.functions, self.parts, strict=True)):
            rows = numbers == number
            made[rows, part] = function(output[rows, part])
        return made

    def of_rows(self, rows: slice | Tensor) -> "OfEachSample":
        return self if self.numbers is None else replace(self, numbers=tuple(at_samples(self.numbers, rows)))
