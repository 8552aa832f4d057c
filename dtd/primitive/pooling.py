"""Soft maximum pooling."""

from dataclasses import dataclass
from math import log

from torch import Tensor

from dtd.domain import Domain, exact, interval
from dtd.propagation import Op


@dataclass(frozen=True, eq=False)
class LogSumExp(Op):
    """``y = log Σ_k e^{a_k}`` along one axis, which keeps one entry: a soft maximum.

    ``log Σ e^{β a}/β`` is one of stiffness β, ``−log Σ e^{−β a}/β`` a soft minimum; both have the hard one as their limit.
    """

    axis: int  # counted from the end
    count: int  # of the entries along it

    def __call__(self, *inputs: Tensor) -> Tensor:
        return inputs[0].logsumexp(self.axis, keepdim=True)

    def image(self, *domains: Domain) -> Domain:
        """Between the values for entries that are all the smallest and all the largest."""
        low, high = (exact(b) for b in domains[0].bounds())
        return interval(low.min().item() + log(self.count), high.max().item() + log(self.count))
