"""The papers' formulas, as the proofs type them: shares of one unit's relevance, under each bias convention."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from dtd.algebra import sign
from proofs.judge import Condition
from proofs.kernel import never_zero
from proofs.layers import Setting


@dataclass(frozen=True, eq=False)
class Shares:
    """``R_{j←k}`` and ``R_{bias←k}``. # shape: first (1, K, J), bias (1, K); denominators: expressions that must not be 0"""

    first: Any
    bias: Any
    denominators: tuple[Any, ...]

    def __add__(self, other: "Shares") -> "Shares":
        return Shares(self.first + other.first, self.bias + other.bias, (*self.denominators, *other.denominators))

    def scale(self, factor: Any) -> "Shares":
        return Shares(factor * self.first, factor * self.bias, self.denominators)

    def conditions(self) -> tuple[Condition, ...]:
        return tuple(never_zero(d, "the denominator of the rule is not 0") for d in self.denominators)


def ratio(at: Setting, contributions: Any, of_bias: Any, epsilon: Any = 0) -> Shares:
    """``R_{j←k} = c_kj / Σ_{0,j} c_kj · R_k``, with the bias' contribution ``c_k0`` and a stabiliser ``ε sign``.

    ``fixed``: the sum runs over the inputs; ``neuron``: it includes the bias, which takes its share; ``distribute``: that
    share goes evenly to the inputs.
    """
    of_bias = 0 * at.b if at.bias_mode == "fixed" else of_bias
    sums = at.total(contributions) + of_bias
    denominator = sums + epsilon * sign(sums) if epsilon != 0 else sums
    share = at.relevance * safe_inverse(denominator)
    first, bias = share[..., None] * contributions, share * of_bias
    if at.bias_mode == "distribute":
        first, bias = first + at.units.spread(bias / at.units.inputs()), 0 * bias
    return Shares(first, bias, (denominator,))


def safe_inverse(denominator: np.ndarray) -> np.ndarray:
    """``1/x`` of numbers and symbols; a number 0 is left for the conditions to exclude the point."""
    return np.frompyfunc(lambda x: 1 if x == 0 else 1 / x, 1, 1)(denominator)
