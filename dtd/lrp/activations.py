"""Explicit rules whose shares follow the activations: LRP-0, ε, γ, z⁺ and αβ."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from dtd.affine import AffineMap
from dtd.algebra import negative, positive, step
from dtd.callers.copies import damping_of
from dtd.domain import Domain, NonNegative
from dtd.errors import check_nonnegative, check_number, check_parameter
from dtd.lrp.base import LRPRule, four_steps, part, signed
from dtd.propagation import Layer


@dataclass(frozen=True, eq=False)
class LRPZero(LRPRule):
    """``R_j = Σ_k a_j w_jk / Σ_{0,j} a_j w_jk R_k``: LRP-0 (Bach 2015, Eq. 56; Montavon 2019, Sec. 10.2.1).

    A unit with weights (3, −1) at a = (1, 1), so that z = 2: R = a ⊙ w.

    >>> import dtd, torch
    >>> unit = torch.nn.Linear(2, 1)
    >>> _ = unit.load_state_dict({"weight": torch.tensor([[3.0, -1.0]]), "bias": torch.tensor([0.0])})
    >>> net = dtd.trace(unit, torch.ones(1, 2))
    >>> plan = dtd.Plan([("*", dtd.lrp.LRPZero())])
    >>> dtd.explain(net, torch.ones(1, 2), 0, plan).relevance
    tensor([[ 3., -1.]])
    """

    def redistribute(self, affine: AffineMap, a: Any, bias: Any, relevance: Any, domain: Domain) -> tuple[Any, Any]:
        return four_steps(affine, [(a, affine.weight)], bias, relevance)


@dataclass(frozen=True, eq=False)
class LRPEpsilon(LRPRule):
    """``R_j = Σ_k a_j w_jk / (ε sign(z_k) + Σ_{0,j} a_j w_jk) R_k``; ε = 0 is LRP-0 (Montavon 2019, Sec. 10.2.1).

    ``epsilon`` is a number ≥ 0 or a function of the layer's pre-activations. Source of the rule: Bach 2015, Eq. 58.

    A unit with weights (3, −1) at a = (1, 1), so that z = 2: with ε = 2, R = 2 (3, −1)/4.

    >>> import dtd, torch
    >>> unit = torch.nn.Linear(2, 1)
    >>> _ = unit.load_state_dict({"weight": torch.tensor([[3.0, -1.0]]), "bias": torch.tensor([0.0])})
    >>> net = dtd.trace(unit, torch.ones(1, 2))
    >>> plan = dtd.Plan([("*", dtd.lrp.LRPEpsilon(bias="neuron", epsilon=2.0))])
    >>> dtd.explain(net, torch.ones(1, 2), 0, plan).relevance
    tensor([[ 1.5000, -0.5000]])
    """

    epsilon: float | Callable[[Any], Any] = 1e-6

    def check_parameters(self) -> None:
        if not callable(self.epsilon):
            check_nonnegative("epsilon", self.epsilon, " or a function")

    def sample_wise(self, layer: Layer) -> bool:
        return not callable(self.epsilon) or getattr(self.epsilon, "sample_wise", False)

    def redistribute(self, affine: AffineMap, a: Any, bias: Any, relevance: Any, domain: Domain) -> tuple[Any, Any]:
        epsilon = damping_of(self.epsilon, affine.apply(a)) if callable(self.epsilon) else self.epsilon
        return four_steps(affine, [(a, affine.weight)], bias, relevance, epsilon)


@dataclass(frozen=True, eq=False)
class LRPGamma(LRPRule):
    """``R_j = Σ_k a_j (w_jk + γ w_jk⁺) / Σ_{0,j} a_j (w_jk + γ w_jk⁺) R_k`` (Montavon 2019, Sec. 10.2.1).

    A unit with weights (3, −1) at a = (1, 1), so that z = 2: with γ = 1, R = 2 (6, −1)/5.

    >>> import dtd, torch
    >>> unit = torch.nn.Linear(2, 1)
    >>> _ = unit.load_state_dict({"weight": torch.tensor([[3.0, -1.0]]), "bias": torch.tensor([0.0])})
    >>> net = dtd.trace(unit, torch.ones(1, 2), dtd.NonNegative())
    >>> plan = dtd.Plan([("*", dtd.lrp.LRPGamma(gamma=1.0))])
    >>> dtd.explain(net, torch.ones(1, 2), 0, plan).relevance
    tensor([[ 2.4000, -0.4000]])
    """

    gamma: float = 0.25

    def check_parameters(self) -> None:
        check_nonnegative("gamma", self.gamma)

    def redistribute(self, affine: AffineMap, a: Any, bias: Any, relevance: Any, domain: Domain) -> tuple[Any, Any]:
        weight = affine.weight + self.gamma * positive(affine.weight)
        return four_steps(affine, [(a, weight)], bias + self.gamma * positive(bias), relevance)


@dataclass(frozen=True, eq=False)
class LRPSignedGamma(LRPRule):
    """LRP-γ with the contributions of the output's own sign boosted, for inputs and outputs of either sign.

    ``R_j = Σ_k (a_j w_jk + γ (a_j w_jk)^±) / Σ_{0,j} (a_j w_jk + γ (a_j w_jk)^±) R_k`` with + where ``z_k > 0`` and −
    elsewhere (the generalised γ rule, Andéol 2021, App. A.2).

    A unit with weights (3, −1) at a = (1, 1), so that z = 2: with γ = 1, R = 2 (6, −1)/5.

    >>> import dtd, torch
    >>> unit = torch.nn.Linear(2, 1)
    >>> _ = unit.load_state_dict({"weight": torch.tensor([[3.0, -1.0]]), "bias": torch.tensor([0.0])})
    >>> net = dtd.trace(unit, torch.ones(1, 2))
    >>> plan = dtd.Plan([("*", dtd.lrp.LRPSignedGamma(gamma=1.0))])
    >>> dtd.explain(net, torch.ones(1, 2), 0, plan).relevance
    tensor([[ 2.4000, -0.4000]])
    """

    gamma: float = 0.25

    def check_parameters(self) -> None:
        check_nonnegative("gamma", self.gamma)

    def redistribute(self, affine: AffineMap, a: Any, bias: Any, relevance: Any, domain: Domain) -> tuple[Any, Any]:
        up = step(affine.apply(a))
        lower, share = 0, 0
        for side, active in ((1, up), (-1, 1 - up)):
            boosted = [(x, self.gamma * w) for x, w in signed(a, affine.weight, side)]
            pairs = [(a, affine.weight), *boosted]
            below, of_bias = four_steps(affine, pairs, bias + self.gamma * part(bias, side), active * relevance)
            lower, share = lower + below, share + of_bias
        return lower, share


@dataclass(frozen=True, eq=False)
class LRPZPlus(LRPRule):
    """``R_j = Σ_k a_j w_jk⁺ / Σ_{0,j} a_j w_jk⁺ R_k`` for ``a ≥ 0`` (Montavon 2017, Sec. 4.2).

    A unit with weights (3, −1) at a = (1, 1), so that z = 2: the positive contribution takes all.

    >>> import dtd, torch
    >>> unit = torch.nn.Linear(2, 1)
    >>> _ = unit.load_state_dict({"weight": torch.tensor([[3.0, -1.0]]), "bias": torch.tensor([0.0])})
    >>> net = dtd.trace(unit, torch.ones(1, 2), dtd.NonNegative())
    >>> plan = dtd.Plan([("*", dtd.lrp.LRPZPlus())])
    >>> dtd.explain(net, torch.ones(1, 2), 0, plan).relevance
    tensor([[2., 0.]])
    """

    requires = NonNegative()
    remedy = "Use the signed form, z^B with bounds, or w²."

    def redistribute(self, affine: AffineMap, a: Any, bias: Any, relevance: Any, domain: Domain) -> tuple[Any, Any]:
        return four_steps(affine, [(a, positive(affine.weight))], positive(bias), relevance)


@dataclass(frozen=True, eq=False)
class LRPSignedZPlus(LRPRule):
    """``R_j = Σ_k (a_j w_jk)⁺ / Σ_{0,j} (a_j w_jk)⁺ R_k`` for inputs of either sign (Bach 2015, Eq. 60 with β = 0).

    A unit with weights (3, −1) at a = (1, 1), so that z = 2: the positive contribution takes all.

    >>> import dtd, torch
    >>> unit = torch.nn.Linear(2, 1)
    >>> _ = unit.load_state_dict({"weight": torch.tensor([[3.0, -1.0]]), "bias": torch.tensor([0.0])})
    >>> net = dtd.trace(unit, torch.ones(1, 2))
    >>> plan = dtd.Plan([("*", dtd.lrp.LRPSignedZPlus())])
    >>> dtd.explain(net, torch.ones(1, 2), 0, plan).relevance
    tensor([[2., 0.]])
    """

    def redistribute(self, affine: AffineMap, a: Any, bias: Any, relevance: Any, domain: Domain) -> tuple[Any, Any]:
        return four_steps(affine, signed(a, affine.weight, 1), positive(bias), relevance)


@dataclass(frozen=True, eq=False)
class LRPAlphaBeta(LRPRule):
    """``R_j = Σ_k (α (a_j w_jk)⁺ / Σ_{0,j} (a_j w_jk)⁺ − β (a_j w_jk)⁻ / Σ_{0,j} (a_j w_jk)⁻) R_k``, α − β = 1.

    ``beta`` left out is α − 1. Source: Bach 2015, Eq. 60 (there with ``β := −β``); Montavon 2019, Table 10.1.

    A unit with weights (3, −1) at a = (1, 1), so that z = 2: α = 2 times (2, 0) minus (0, 2).

    >>> import dtd, torch
    >>> unit = torch.nn.Linear(2, 1)
    >>> _ = unit.load_state_dict({"weight": torch.tensor([[3.0, -1.0]]), "bias": torch.tensor([0.0])})
    >>> net = dtd.trace(unit, torch.ones(1, 2))
    >>> plan = dtd.Plan([("*", dtd.lrp.LRPAlphaBeta(alpha=2.0))])
    >>> dtd.explain(net, torch.ones(1, 2), 0, plan).relevance
    tensor([[ 4., -2.]])
    """

    alpha: float = 2.0
    beta: float | None = None

    def check_parameters(self) -> None:
        check_number("alpha", self.alpha)
        if self.beta is not None:
            check_number("beta", self.beta)
            check_parameter(abs(self.alpha - self.beta - 1) < 1e-12, "alpha - beta", "1", self.alpha - self.beta)

    def redistribute(self, affine: AffineMap, a: Any, bias: Any, relevance: Any, domain: Domain) -> tuple[Any, Any]:
        w, beta = affine.weight, self.alpha - 1 if self.beta is None else self.beta
        up, up_bias = four_steps(affine, signed(a, w, 1), positive(bias), relevance)
        down, down_bias = four_steps(affine, signed(a, w, -1), negative(bias), relevance)
        return self.alpha * up - beta * down, self.alpha * up_bias - beta * down_bias
