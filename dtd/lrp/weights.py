"""Explicit rules whose shares follow the weights, a box or data: w², flat, z^B and PatternAttribution."""

from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

from dtd.affine import AffineMap
from dtd.algebra import negative, nonzero, positive
from dtd.domain import Box, Domain, Real, check_bounds, numeric, varies_by_sample
from dtd.errors import DomainError, check_parameter
from dtd.lrp.base import LRPRule, four_steps
from dtd.propagation import Layer


@dataclass(frozen=True, eq=False)
class LRPWSquare(LRPRule):
    """``R_j = Σ_k w_jk² / Σ_{0,j} w_jk² R_k`` (Montavon 2017, Sec. 4.1).

    A unit with weights (3, −1) at a = (1, 1), so that z = 2: R = 2 (9, 1)/10.

    >>> import dtd, torch
    >>> unit = torch.nn.Linear(2, 1)
    >>> _ = unit.load_state_dict({"weight": torch.tensor([[3.0, -1.0]]), "bias": torch.tensor([0.0])})
    >>> net = dtd.trace(unit, torch.ones(1, 2))
    >>> plan = dtd.Plan([("*", dtd.lrp.LRPWSquare())])
    >>> dtd.explain(net, torch.ones(1, 2), 0, plan).relevance
    tensor([[1.8000, 0.2000]])
    """

    def redistribute(self, affine: AffineMap, a: Any, bias: Any, relevance: Any, domain: Domain) -> tuple[Any, Any]:
        return four_steps(affine, [(a * 0 + 1, affine.weight**2)], bias**2, relevance)


@dataclass(frozen=True, eq=False)
class LRPFlat(LRPRule):
    """``R_j = Σ_k 1[w_jk ≠ 0] / Σ_{0,j} 1[w_jk ≠ 0] R_k``: evenly over the inputs that the unit reads (Lapuschkin 2019).

    An input of weight 0 receives nothing, and a bias that is not 0 counts as one input. Where every weight differs from 0
    this is the rule of the paper; where some are 0 (pruned layers) the paper's sum counts them too: :class:`LRPFlatAll`.

    A unit with weights (3, −1) at a = (1, 1), so that z = 2: each input takes half.

    >>> import dtd, torch
    >>> unit = torch.nn.Linear(2, 1)
    >>> _ = unit.load_state_dict({"weight": torch.tensor([[3.0, -1.0]]), "bias": torch.tensor([0.0])})
    >>> net = dtd.trace(unit, torch.ones(1, 2))
    >>> plan = dtd.Plan([("*", dtd.lrp.LRPFlat())])
    >>> dtd.explain(net, torch.ones(1, 2), 0, plan).relevance
    tensor([[1., 1.]])
    """

    def redistribute(self, affine: AffineMap, a: Any, bias: Any, relevance: Any, domain: Domain) -> tuple[Any, Any]:
        return four_steps(affine, [(a * 0 + 1, nonzero(affine.weight))], nonzero(bias), relevance)


@dataclass(frozen=True, eq=False)
class LRPFlatAll(LRPRule):
    """``R_j = Σ_k 1 / Σ_{0,j} 1 R_k``: evenly over all inputs, those of weight 0 included (zennit's flat rule).

    A bias that is not 0 counts as one input. No root gives this rule where a weight is 0: an input on which the unit does
    not depend is handed relevance. It is therefore no rule of the catalogue, and is chosen by its class alone.

    A unit with weights (3, −1) at a = (1, 1), so that z = 2: each input takes half.

    >>> import dtd, torch
    >>> unit = torch.nn.Linear(2, 1)
    >>> _ = unit.load_state_dict({"weight": torch.tensor([[3.0, -1.0]]), "bias": torch.tensor([0.0])})
    >>> net = dtd.trace(unit, torch.ones(1, 2))
    >>> plan = dtd.Plan([("*", dtd.lrp.LRPFlatAll())])
    >>> dtd.explain(net, torch.ones(1, 2), 0, plan).relevance
    tensor([[1., 1.]])
    """

    def redistribute(self, affine: AffineMap, a: Any, bias: Any, relevance: Any, domain: Domain) -> tuple[Any, Any]:
        return four_steps(affine, [(a * 0 + 1, affine.weight * 0 + 1)], nonzero(bias), relevance)


@dataclass(frozen=True, eq=False)
class LRPZBox(LRPRule):
    """``R_j = Σ_k (a_j w_jk − l_j w_jk⁺ − h_j w_jk⁻) / Σ_j (a_j w_jk − l_j w_jk⁺ − h_j w_jk⁻) R_k``.

    Source: Montavon 2017, Sec. 4.2. Bounds that are left out are those of the layer's domain.

    A unit with weights (3, −1) at a = (1, 1), so that z = 2: on the box [0, 2]² R = 2 (3, −1 + 2)/4.

    >>> import dtd, torch
    >>> unit = torch.nn.Linear(2, 1)
    >>> _ = unit.load_state_dict({"weight": torch.tensor([[3.0, -1.0]]), "bias": torch.tensor([0.0])})
    >>> net = dtd.trace(unit, torch.ones(1, 2), dtd.Box(0.0, 2.0))
    >>> plan = dtd.Plan([("*", dtd.lrp.LRPZBox(low=0.0, high=2.0))])
    >>> dtd.explain(net, torch.ones(1, 2), 0, plan).relevance
    tensor([[1.5000, 0.5000]])
    """

    low: float | Tensor | None = None
    high: float | Tensor | None = None
    remedy = "Give the bounds that the data has."

    def check_parameters(self) -> None:
        for name in ("low", "high"):
            object.__setattr__(self, name, numeric(getattr(self, name)))
        check_bounds(self.low, self.high)

    @property
    def requires(self) -> Domain:  # type: ignore[override]
        return Real() if self.low is None or self.high is None else Box(self.low, self.high)

    def sample_wise(self, layer: Layer) -> bool:
        bounds = layer.domain.bounds() if self.low is None else (self.low, self.high)
        return not any(map(varies_by_sample, bounds))

    def redistribute(self, affine: AffineMap, a: Any, bias: Any, relevance: Any, domain: Domain) -> tuple[Any, Any]:
        if self.low is None and not isinstance(domain, Box):
            raise DomainError(f"The z^B rule needs bounds; the layer's domain is {domain}. Give low and high.")
        bounds: Any = domain.bounds() if self.low is None else (self.low, self.high)
        low, high = (bound.to(a) if isinstance(bound, Tensor) else bound for bound in bounds)
        w, full = affine.weight, a * 0 + 1
        pairs = [(a, w), (-low * full, positive(w)), (-high * full, negative(w))]
        return four_steps(affine, pairs, 0 * bias, relevance)


@dataclass(frozen=True, eq=False)
class LRPPattern(LRPRule):
    """``R_j = Σ_k w_jk p_jk / Σ_j w_jk p_jk R_k``: PatternAttribution (Kindermans 2018, Sec. 4; there ``wᵀp = 1``).

    A unit with weights (3, −1) at a = (1, 1), so that z = 2: p = (1, 2), so R = 2 (3, −2)/1.

    >>> import dtd, torch
    >>> unit = torch.nn.Linear(2, 1)
    >>> _ = unit.load_state_dict({"weight": torch.tensor([[3.0, -1.0]]), "bias": torch.tensor([0.0])})
    >>> net = dtd.trace(unit, torch.ones(1, 2))
    >>> plan = dtd.Plan([("*", dtd.lrp.LRPPattern(pattern=torch.tensor([[1.0, 2.0]])))])
    >>> dtd.explain(net, torch.ones(1, 2), 0, plan).relevance
    tensor([[ 6., -4.]])
    """

    pattern: Tensor = field(kw_only=True)

    def check_parameters(self) -> None:
        check_parameter(
            hasattr(self.pattern, "shape"), "pattern", "a tensor of the layer's weight shape", repr(self.pattern)
        )

    def redistribute(self, affine: AffineMap, a: Any, bias: Any, relevance: Any, domain: Domain) -> tuple[Any, Any]:
        return four_steps(affine, [(a * 0 + 1, affine.weight * self.pattern)], 0 * bias, relevance)
