"""First-order Taylor terms of one relevance model, and their balance."""

from dataclasses import dataclass
from typing import Any

from torch import Tensor

from dtd.callers.printing import Printed

PARTS = ("first", "bias", "zeroth", "remainder")  # of a balance: what became of the relevance


@dataclass(frozen=True, eq=False)
class TaylorTerms(Printed):
    """``R_k = Σ_j first_kj + bias_k + zeroth_k + remainder_k``, unit by unit.

    # shape: first (B, k, J); bias, zeroth, remainder (B, k)

    R = 4 of one unit: (3, −1) to two inputs, 2 to the bias.

    >>> import dtd, torch
    >>> terms = dtd.TaylorTerms(torch.tensor([[[3.0, -1.0]]]), torch.tensor([[2.0]]), torch.zeros(1, 1), torch.zeros(1, 1))
    >>> terms.first.sum(-1) + terms.bias + terms.zeroth + terms.remainder
    tensor([[4.]])
    """

    first: Any  # [∇R̂_k(ã_k)]_j (a_j − ã_kj)
    bias: Any  # the bias neuron's first-order term
    zeroth: Any  # R̂_k(ã_k)
    remainder: Any  # R̂_k(a) − R̂_k(ã_k) − ∇R̂_k(ã_k)·(a − ã_k)

    def __add__(self, other: "TaylorTerms") -> "TaylorTerms":
        return TaylorTerms(
            self.first + other.first,
            self.bias + other.bias,
            self.zeroth + other.zeroth,
            self.remainder + other.remainder,
        )

    def scale(self, weight: float) -> "TaylorTerms":
        """The terms of an expansion that counts ``weight`` times in a mix."""
        return TaylorTerms(*(weight * part for part in (self.first, self.bias, self.zeroth, self.remainder)))


@dataclass(frozen=True, eq=False)
class Balance(Printed):
    """What became of a layer's relevance, each part summed over its units. # shape: (B,) each

    ``relevance = first + bias + zeroth + remainder`` up to rounding; nothing is rescaled to make it so.

    A unit with weights (3, −1) and bias 2 at a = (1, 1): of its 4 the inputs receive 3 − 1 and the bias neuron 2.

    >>> import dtd, torch
    >>> unit = torch.nn.Linear(2, 1)
    >>> _ = unit.load_state_dict({"weight": torch.tensor([[3.0, -1.0]]), "bias": torch.tensor([2.0])})
    >>> net = dtd.trace(unit, torch.ones(1, 2))
    >>> plan = dtd.Plan.uniform("lrp0", bias="neuron")
    >>> balance = dtd.explain(net, torch.ones(1, 2), 0, plan).layers["dense"].balance
    >>> balance.relevance, balance.first, balance.bias
    (tensor([4.]), tensor([2.]), tensor([2.]))
    """

    relevance: Tensor  # what arrived, Σ_k R_k
    first: Tensor  # handed down, Σ_j R_j
    bias: Tensor  # kept by the bias neuron (and by constants that are no input)
    zeroth: Tensor  # R̂_k(ã_k): what the root could not redistribute
    remainder: Tensor  # beyond the first order

    def parts(self) -> tuple[Tensor, ...]:
        """All five sums."""
        return self.relevance, self.first, self.bias, self.zeroth, self.remainder

    @property
    def gap(self) -> Tensor:
        """``relevance − (first + bias + zeroth + remainder)``: rounding, or a bug. # shape: (B,)"""
        return self.relevance - self.first - self.bias - self.zeroth - self.remainder

    def shares(self) -> dict[str, float]:
        """Parts divided by the relevance that arrived, over the whole batch; empty when none arrived."""
        total = float(self.relevance.sum())
        if total == 0:
            return {}
        return {part: float(getattr(self, part).sum()) / total for part in PARTS}
