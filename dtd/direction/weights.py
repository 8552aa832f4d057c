"""Directions that the weights, a box or data give: w², flat, z^B, pattern."""

from dataclasses import dataclass
from typing import Any

from torch import Tensor

from dtd import algebra
from dtd.algebra import identity, nonzero, one
from dtd.direction.base import Direction, Factor
from dtd.direction.functions import Given, Only, is_zero
from dtd.domain import Bound, Box, Domain, Real, check_bounds, numeric
from dtd.errors import DomainError, InputError, check_parameter


@dataclass(frozen=True)
class Weights(Direction):
    """``v_kj = w_kj``: the shortest way to the root hyperplane; the w² rule (Montavon 2017, Sec. 4.1).

    A unit with weights (3, −1) at a = (1, 1), so that z = 2: R = 2 (9, 1)/10.

    >>> import dtd, torch
    >>> unit = torch.nn.Linear(2, 1)
    >>> _ = unit.load_state_dict({"weight": torch.tensor([[3.0, -1.0]]), "bias": torch.tensor([0.0])})
    >>> net = dtd.trace(unit, torch.ones(1, 2))
    >>> plan = dtd.Plan([("*", dtd.Ray(dtd.Weights()))])
    >>> dtd.explain(net, torch.ones(1, 2), 0, plan).relevance
    tensor([[1.8000, 0.2000]])
    """

    def factors(self, domain: Domain) -> tuple[Factor, ...]:
        return (Factor(one, identity),)


@dataclass(frozen=True)
class Flat(Direction):
    """``v_kj = 1/w_kj`` (0 where ``w_kj = 0``): the flat rule over the inputs with ``w_kj ≠ 0``, as a formal root.

    An input of weight 0 has no part in any root of its unit, so it receives nothing, here and in :class:`dtd.lrp.LRPFlat`.
    The form that counts such inputs too has no root: :class:`dtd.lrp.LRPFlatAll`.

    A unit with weights (3, −1) at a = (1, 1), so that z = 2: each input takes half.

    >>> import dtd, torch
    >>> unit = torch.nn.Linear(2, 1)
    >>> _ = unit.load_state_dict({"weight": torch.tensor([[3.0, -1.0]]), "bias": torch.tensor([0.0])})
    >>> net = dtd.trace(unit, torch.ones(1, 2))
    >>> plan = dtd.Plan([("*", dtd.Ray(dtd.Flat()))])
    >>> dtd.explain(net, torch.ones(1, 2), 0, plan).relevance
    tensor([[1., 1.]])
    """

    def factors(self, domain: Domain) -> tuple[Factor, ...]:
        return (Factor(one, algebra.reciprocal),)


@dataclass(frozen=True, eq=False)
class ToBox(Direction):
    """``v_kj = a_j 1[w_kj ≠ 0] − l_j 1[w_kj > 0] − h_j 1[w_kj < 0]``: towards the box's corner where the unit is lowest.

    The z^B rule (Montavon 2017, Sec. 4.2). Bounds are numbers or tensors that broadcast to ``(B, *shape)``; left out,
    they are those of the layer's domain, which must then be a box. The bias neuron's box is a point: ``v_k0 = 0``.

    A unit with weights (3, −1) at a = (1, 1), so that z = 2: on the box [0, 2]² v = (1, −1), so R = 2 (3, 1)/4.

    >>> import dtd, torch
    >>> unit = torch.nn.Linear(2, 1)
    >>> _ = unit.load_state_dict({"weight": torch.tensor([[3.0, -1.0]]), "bias": torch.tensor([0.0])})
    >>> net = dtd.trace(unit, torch.ones(1, 2), dtd.Box(0.0, 2.0))
    >>> plan = dtd.Plan([("*", dtd.Ray(dtd.ToBox()))])
    >>> dtd.explain(net, torch.ones(1, 2), 0, plan).relevance
    tensor([[1.5000, 0.5000]])
    """

    low: Bound | None = None
    high: Bound | None = None
    remedy = "Give the bounds that the data has: dtd.Box(low, high) for the input, or zbox with low and high."

    def __post_init__(self):
        for name in ("low", "high"):
            object.__setattr__(self, name, numeric(getattr(self, name)))
        check_bounds(self.low, self.high)

    @property
    def requires(self) -> Domain:
        return Real() if self.low is None or self.high is None else Box(self.low, self.high)

    def bound(self, domain: Domain) -> "ToBox":
        if self.low is not None:
            return self
        if not isinstance(domain, Box):
            raise DomainError(
                f"z^B needs a box; the layer's inferred domain is {domain}. Trace with domain=dtd.Box(low, high), "
                f"give the rule low and high, or use w² (real inputs) or z+ (non-negative inputs)."
            )
        return ToBox(domain.low, domain.high)

    def factors(self, domain: Domain) -> tuple[Factor, ...]:
        box = self.bound(domain)
        ends: Any = (box.low, box.high)
        low, high = (-b if not isinstance(b, (int, float)) else -float(b) for b in ends)
        pairs = [Factor(identity, nonzero), Factor(Given(low), Only(1)), Factor(Given(high), Only(-1))]
        return tuple(p for p in pairs if not is_zero(p.activation))

    def bias(self, b: Any) -> Any:
        return 0 * b


@dataclass(frozen=True, eq=False)
class Pattern(Direction):
    """``v_kj = p_kj``: a pattern estimated from data (PatternAttribution, Kindermans 2018, Sec. 4).

    ``pattern`` has the shape of the layer's weight. The bias neuron is constant, so its pattern is 0.

    A unit with weights (3, −1) at a = (1, 1), so that z = 2: p = (1, 2), so R = 2 (3, −2)/1.

    >>> import dtd, torch
    >>> unit = torch.nn.Linear(2, 1)
    >>> _ = unit.load_state_dict({"weight": torch.tensor([[3.0, -1.0]]), "bias": torch.tensor([0.0])})
    >>> net = dtd.trace(unit, torch.ones(1, 2))
    >>> plan = dtd.Plan([("*", dtd.Ray(dtd.Pattern(torch.tensor([[1.0, 2.0]]))))])
    >>> dtd.explain(net, torch.ones(1, 2), 0, plan).relevance
    tensor([[ 6., -4.]])
    """

    pattern: Tensor

    def __post_init__(self):
        check_parameter(
            hasattr(self.pattern, "shape"), "pattern", "a tensor of the layer's weight shape", repr(self.pattern)
        )

    def factors(self, domain: Domain) -> tuple[Factor, ...]:
        return (Factor(one, self._on),)

    def _on(self, w):
        if tuple(w.shape) != tuple(self.pattern.shape):
            raise InputError(
                f"A pattern needs its layer's weight shape {tuple(w.shape)}; found {tuple(self.pattern.shape)}."
            )
        return self.pattern

    def bias(self, b: Any) -> Any:
        return 0 * b
