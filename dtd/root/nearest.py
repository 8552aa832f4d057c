"""The nearest root in the domain: a projection onto ``{z = 0} ∩ domain``, exact by sorting breakpoints."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from dtd.algebra import sign
from dtd.callers.copies import evaluated
from dtd.domain import Bound, Domain, varies_by_sample
from dtd.errors import check_bound, check_count, check_parameter
from dtd.root.base import Bias, Root, RootStrategy, WeightedRoots, check_bias
from dtd.root.units import FieldUnits, rounding

Metric = Bound | Callable[[Tensor], Tensor]


@dataclass(frozen=True, eq=False)
class Nearest(RootStrategy):
    """The root with the smallest ``‖D (a − ã)‖₂`` in the layer's domain; none where the domain holds no root.

    By the Karush-Kuhn-Tucker conditions ``a_j − ã_j = w_j / D_j²`` times one multiplier of the unit, cut off where the
    input reaches its bound. With ``σ = sign z`` and ``g_j`` the way to the bound that ``σ w_j`` points at,

        shift_j = min(λ, τ_j) w_j / D_j²,    τ_j = D_j² g_j / |w_j z|,    Σ_j w_j² / D_j² min(λ, τ_j) = 1

    so every share ``R w_j shift_j`` has the sign of R. In ℝᵈ nothing is cut off, and D = 1 gives the w² root. At
    ``z = 0`` the shift is its limit from ``z > 0``. Where the domain holds no root the shift is 0: the share stays in the
    zeroth term.

    ``metric`` is D: a number, a tensor that broadcasts to ``(B, *shape)`` or a function of the activations, positive;
    an input with ``D = ∞`` does not move. A moving bias neuron has ``D = 1`` and no bound. ``memory``: as in
    :class:`RootStrategy`.

    A unit with weights (3, −1) at a = (1, 1), so that z = 2: without bounds the nearest root is that of w², R = 2
    (9, 1)/10; on the box [0.5, 1]² the first input stops at its bound 0.5 and the second at 1, and no root is left.

    >>> import dtd, torch
    >>> unit = torch.nn.Linear(2, 1)
    >>> _ = unit.load_state_dict({"weight": torch.tensor([[3.0, -1.0]]), "bias": torch.tensor([0.0])})
    >>> net = dtd.trace(unit, torch.ones(1, 2), dtd.Box(0.5, 1.0))
    >>> networks = (dtd.trace(unit, torch.ones(1, 2)), net)
    >>> [dtd.explain(each, torch.ones(1, 2), 0, dtd.Plan([("*", dtd.Nearest())])).relevance for each in networks]
    [tensor([[1.8000, 0.2000]]), tensor([[0., 0.]])]
    """

    metric: Metric = 1.0
    bias: Bias = "fixed"
    memory: int = 2**28

    def __post_init__(self):
        check_bias(self.bias)
        check_count("memory", self.memory)
        if not callable(self.metric):
            check_bound("metric", self.metric, ", or a function of the activations")

    @property
    def sample_wise(self) -> bool:
        if callable(self.metric):
            return getattr(self.metric, "sample_wise", False)
        return not varies_by_sample(self.metric)

    @property
    def bias_moves(self) -> bool:
        return self.bias != "fixed"

    def roots(self, units: Any, domain: Domain) -> WeightedRoots:
        yield 1, self.root(units, domain)

    def root(self, units: FieldUnits, domain: Domain) -> Root:
        """The nearest root of each unit."""
        w, ease = units.weights.expand_as(units.activations), self.ease(units)
        gap = way(units, domain)
        if self.bias_moves:
            b = units.bias.expand_as(units.z)[..., None]
            w, ease, gap = (torch.cat(pair, -1) for pair in ((w, b), (ease, 1 + 0 * b), (gap, b * 0 + torch.inf)))
        slope = w.square() * ease
        limit = gap / (w.abs() * ease * units.z.abs()[..., None])
        limit = limit.masked_fill(gap == 0, 0).masked_fill(slope == 0, torch.inf)
        level, exists = fill(slope, limit)
        shift = (torch.minimum(level[..., None], limit) * ease * w).masked_fill(slope == 0, 0)
        shift = shift * exists[..., None]
        moved = (shift[..., :-1], shift[..., -1]) if self.bias_moves else (shift, 0 * units.z)
        return Root(*moved, exists, self.bias == "distribute")

    def ease(self, units: FieldUnits) -> Tensor:
        """``1 / D²``, 0 for inputs that do not move. # shape: (B, k, J)"""
        metric = units.of_activations(
            lambda a: (
                evaluated(self.metric, a, "metric")
                if callable(self.metric)
                else torch.as_tensor(self.metric, dtype=a.dtype, device=a.device)
            )
        )
        metric = metric.masked_fill(units.real == 0, 1)  # ∞ · 0 at padding
        wrong = metric[~(metric > 0)]
        check_parameter(not len(wrong), "metric", "positive", wrong[:1].tolist())
        return metric.square().reciprocal().expand_as(units.activations)

    def length(self, root: Root, units: FieldUnits) -> Tensor:
        """``‖D (a − ã)‖₂`` of any root, a moving bias neuron included. # shape: (B, k)"""
        moved = root.shift.square() / self.ease(units)
        return units.z.abs() * (moved.masked_fill(root.shift == 0, 0).sum(-1) + root.bias_shift**2).sqrt()


def way(units: FieldUnits, domain: Domain) -> Tensor:
    """``g_j ≥ 0``: how far each input can go in the direction that brings its unit to 0. # shape: (B, k, J)"""
    low, high = units.domain(domain).bounds()
    down = units.weights * sign(units.z)[..., None] > 0
    return torch.where(down, units.activations - low, high - units.activations).clamp(min=0)


def fill(slope: Tensor, limit: Tensor) -> tuple[Tensor, Tensor]:
    """The level λ at which ``Σ_j slope_j min(λ, limit_j) = 1``, and whether there is one (up to rounding).

    The sum is the least of ``Σ_{j in S} slope_j limit_j + λ Σ_{j not in S} slope_j`` over sets S, and only sets of
    smallest limits count; so λ is the largest root of these lines. It is then read off its own set once more, to rounding.

    # shape: slope, limit (..., J), limit infinite where slope is 0 -> (...)
    """
    volume = (slope * limit).masked_fill(slope == 0, 0)
    total = volume.sum(-1)
    order = limit.argsort(-1)
    filled, rising = (values.gather(-1, order) for values in (volume, slope))
    below = torch.cat([torch.zeros_like(filled[..., :1]), filled.cumsum(-1)[..., :-1]], -1)
    above = rising.flip(-1).cumsum(-1).flip(-1)
    line = ((1 - below) / above).masked_fill((above == 0) | below.isinf(), -torch.inf)
    level = line.amax(-1, keepdim=True)
    free = (limit > level) & (slope > 0)
    rest = (slope * free).sum(-1)
    level = torch.where(
        rest > 0, (1 - volume.masked_fill(free, 0).sum(-1)) / rest, limit.masked_fill(slope == 0, 0).amax(-1)
    )
    return level, total >= 1 - rounding(torch.ones_like(total))
