"""Search directions: where the root of each upper unit is looked for.

A direction is a sum of factor pairs, ``v_kj = Σ_m u_m(a_j) d_m(w_kj)``, and nothing more. One object therefore has
three readings: the explicit tensor of directions (audits), passes with the modified weights ``ρ_m(w) = w d_m(w)``
(explanations) and, on symbols, the rule itself (proofs).

To add a direction, subclass :class:`Direction` and return its factors; everything else follows.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

from dtd.algebra import nonzero, one, step
from dtd.callers.copies import OnCopies, OwnArguments, on_copies
from dtd.callers.printing import Printed
from dtd.direction.functions import Function, Slopes, WeightFunction
from dtd.domain import Domain, Real


@dataclass(frozen=True)
class Factor(Printed):
    """One pair ``u(a) d(w)`` of a direction, for all units or only for those on one side of zero.

    ``side`` is 0 for every unit, +1 for units with ``z > 0``, −1 for units with ``z ≤ 0``.

    The pair of z⁺, ``v = a · 1[w > 0]``, at a = (1, 2) and w = (3, −1).

    >>> import dtd, torch
    >>> pair = dtd.Factor(lambda a: a, lambda w: (w > 0).to(w.dtype))
    >>> a, w = torch.tensor([1.0, 2.0]), torch.tensor([3.0, -1.0])
    >>> pair.activation(a) * pair.weight(w)
    tensor([1., 0.])
    """

    activation: Function
    weight: Function
    side: int = 0

    def __post_init__(self) -> None:
        for name in ("activation", "weight"):
            object.__setattr__(self, name, on_copies(getattr(self, name)))

    def rho(self, w: Any) -> Any:
        """The modified weight ``ρ(w) = w d(w)`` of the fused passes."""
        return w if self.keeps_weight else w * self.weight(w)

    @property
    def keeps_weight(self) -> bool:
        """Whether ``ρ(w) = w``: ``d(w) = 1``, everywhere or where ``w ≠ 0``."""
        return self.weight in (one, nonzero)

    @property
    def slopes(self) -> Slopes | None:
        """``(p, q)`` where ``ρ(w) = p w⁺ + q w⁻``; None where it has another form, or one that is not declared."""
        if self.keeps_weight:
            return (1.0, 1.0)
        weight = self.weight.function if isinstance(self.weight, OnCopies) else self.weight
        return weight.slopes if isinstance(weight, WeightFunction) else None

    def gate(self, z: Any) -> Any:
        """The indicator of the units that the pair is for: ``1``, ``1[z > 0]`` or ``1[z ≤ 0]``."""
        return 1 if self.side == 0 else step(z) if self.side > 0 else 1 - step(z)


class Direction(Printed, OwnArguments, ABC):
    """A search direction ``v_kj`` for every upper unit k and lower unit j.

    ``requires`` is the domain that the direction's definition assumes of its inputs; values outside it are an
    error where the direction is used, not a silent change of meaning.

    ``mirrored`` is a number where the factors for units with ``z ≤ 0`` mirror those for units with ``z > 0``: on every
    unit ``n₊ + n₋ = mirrored · Σ_j a_j w_kj``, where ``n₊`` and ``n₋`` are ``w·v`` by the one and by the other factors (the
    bias neuron apart). One pass for ``n₊`` then gives both. A subclass that defines :meth:`factors` declares its own;
    without a declaration it is None. ``python -m proofs mirror`` holds the shipped declaration.

    A direction of one's own, ``v = (a₁, 0)``, under which the first input takes all 2.

    >>> import dtd, torch
    >>> class FirstOnly(dtd.Direction):
    ...     def factors(self, layer):
    ...         first = torch.tensor([1.0, 0.0])
    ...         return (dtd.Factor(lambda a: a * first, lambda w: w**0),)
    >>> unit = torch.nn.Linear(2, 1)
    >>> _ = unit.load_state_dict({"weight": torch.tensor([[3.0, -1.0]]), "bias": torch.tensor([0.0])})
    >>> net = dtd.trace(unit, torch.ones(1, 2))
    >>> plan = dtd.Plan([("*", dtd.Ray(FirstOnly()))])
    >>> dtd.explain(net, torch.ones(1, 2), 0, plan).relevance + 0
    tensor([[2., 0.]])
    """

    prints_defaults: ClassVar[bool] = True

    def __init_subclass__(cls, **keywords: Any):
        super().__init_subclass__(**keywords)
        if "factors" in cls.__dict__ and "mirrored" not in cls.__dict__:
            cls.mirrored = None  # type: ignore[assignment]  # the parent's is that of other factors

    @property
    def requires(self) -> Domain:
        """Where the inputs must lie."""
        return Real()

    @property
    def remedy(self) -> str:
        """What to do where they do not, for the error."""
        return ""

    @property
    def mirrored(self) -> float | None:
        """The number of the declaration; None without one."""
        return None

    @abstractmethod
    def factors(self, domain: Domain) -> tuple[Factor, ...]:
        """The pairs ``(u_m, d_m)`` on a domain; pairs that vanish on it are left out."""

    def bias(self, b: Any) -> Any:
        """The bias neuron's own direction ``v_k0 = Σ_m u_m(1) d_m(b_k)`` (input ``a_0 = 1``, weight ``b_k``)."""
        total: Any = 0
        for factor in self.factors(Real()):
            if factor.side:
                raise NotImplementedError("a direction with sides defines bias_on(b, z) itself")
            total = total + factor.activation(1) * factor.weight(b)
        return total

    def bias_on(self, b: Any, z: Any) -> Any:
        """:meth:`bias` for units with pre-activation ``z``; differs only for directions with sides."""
        return self.bias(b)

    def placed(self, name: str) -> "Direction":
        """The direction as it is in the layer ``name``; itself, for all but random ones."""
        return self

    def bound(self, domain: Domain) -> "Direction":
        """The direction with whatever it takes from the layer's domain filled in; itself, for most."""
        return self
