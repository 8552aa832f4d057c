"""What an audit finds at one layer, whatever its model: one function, open to models of your own."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import singledispatch
from typing import Any

from torch import Tensor

from dtd.callers.printing import Printed
from dtd.errors import PlanError
from dtd.explaining.observe import Observed
from dtd.lrp import LRPRule
from dtd.plans.pooling import MeanForMax
from dtd.propagation import Balance, Context, Layer, Propagation
from dtd.relevance import Constant, Follow, HeldScale, Identity, MatMulShares, MinMax, ProductShares, SoftmaxTangent, Tangent
from dtd.root import Nearest


@dataclass(frozen=True, eq=False)
class Look:
    """One layer of an explanation, and how it is to be looked at."""

    layer: Layer
    inputs: tuple[Tensor, ...]
    relevance: Tensor  # of the output. shape: (B, *out)
    balance: Balance
    context: Context
    index: Tensor  # flat indices of the units to look at. shape: (k,)
    memory: int  # bytes for the roots that are built at once
    nearest: Nearest | None  # a yardstick

    @classmethod
    def at(
        cls, passed: Observed, i: int, inputs: tuple[Tensor, ...], index: Tensor, memory: int, nearest: Nearest | None = None
    ) -> "Look":
        """Some units of layer ``i`` of an explanation."""
        layer, relevance, balance = passed.graph.layers[i], passed.arrived[i], passed.balances[i]
        return cls(layer, inputs, relevance, balance, passed.context(i), index, memory, nearest)


@dataclass(frozen=True, eq=False)
class Findings(Printed):
    """Some units of a layer, one entry for each pair of a sample and a unit. # shape: (B, k) or (P,) each"""

    relevance: Tensor  # that arrived
    first: Tensor  # and its parts
    bias: Tensor
    zeroth: Tensor
    remainder: Tensor
    exists: Tensor  # whether the search has a root
    status: Tensor  # :class:`~dtd.audit.validity.Status` of the root
    distance: Tensor  # ‖a − ã‖
    relative_distance: Tensor  # ‖a − ã‖ / ‖a‖
    weight: float = 1.0  # of one entry as a part of its unit: an N-th for each root of a distribution
    more: dict[str, Tensor] = field(default_factory=dict)  # further columns: of_nearest, rootless, standard_error

    def columns(self) -> dict[str, Any]:
        """All of them by name."""
        return {name: value for name, value in vars(self).items() if name not in ("more", "weight")} | self.more


@singledispatch
def findings(model: Propagation, look: Look) -> Iterator[Findings] | Balance:
    """What a model's roots are, chunk by chunk; the balance alone where roots are known in closed form or there is none.

    Register a model of your own with ``findings.register``; raises :class:`PlanError` for a model that nothing is known of.
    """
    raise PlanError(
        f"An audit knows nothing of {model} at layer '{look.layer.name}'. Register what it finds there: "
        "dtd.audit.findings.findings.register(YourModel), a function of the model and a Look (docs/own_op.md)."
    )


@findings.register
def _(model: LRPRule, look: Look) -> Balance:
    raise PlanError(f"An audit looks at roots; layer '{look.layer.name}' has the explicit rule {model}, which has none.")


@findings.register(Identity)
@findings.register(Follow)
@findings.register(ProductShares)
@findings.register(MatMulShares)
@findings.register(SoftmaxTangent)
@findings.register(HeldScale)
@findings.register(Tangent)
@findings.register(Constant)
@findings.register(MinMax)
@findings.register(MeanForMax)
def _(model: Propagation, look: Look) -> Balance:
    return look.balance
