"""The exact relevance model (full recursion)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any, Literal, get_args

import torch
from torch import Tensor

from dtd.affine import AffineMap
from dtd.callers.printing import Printed
from dtd.direction import Direction
from dtd.errors import BudgetError, InputError, check_count, check_parameter, in_short
from dtd.propagation import Context, Contextual, Layer, Propagated, Propagation, balance
from dtd.relevance.exact.cost import cost_above
from dtd.relevance.exact.expansion import BEYOND, Expansion, attached, expand_pairs, search
from dtd.relevance.exact.rays import layer_input, pairs_in_chunks, rays
from dtd.relevance.numeric import HALVINGS

Roots = Literal["moving", "held", "region"]
EXPANSION = 7  # points besides the search: R(a) twice, R at the end of the bracket, up to 3 Newton steps, the terms


@dataclass(frozen=True)
class Exact(Contextual, Printed):
    """``R̂_k = R_k``: the relevance of an upper unit as the true function of the lower activations, without a model.

    The decomposition above the layer is itself a function of the activations ``a`` that the layer reads: move them,
    recompute the layer, everything above it and the relevance that comes down, and ``R_k(a)`` is what arrives at unit
    k. The layer's own decomposition expands each of these functions at its root,

        R_k(ã_k) = 0,    R_j(a) = Σ_k [∇R_k(ã_k)]_j (a_j − ã_kj),

    and is in turn the function of ``a`` that the layer below recomputes and differentiates (Sixt & Landgraf 2022). The
    recursion starts at the output with what the target selects. Above this layer any propagation may stand: with
    :class:`Exact` in every layer the recursion is complete; below a training-free model it asks how constant that model's
    ``c_k`` is. Where a sum joins a skip connection, moved activations move along every way up.

    The root is the first zero of ``R_k`` on the ray ``a − t v`` of ``direction`` (the unit's receptive field moves; the bias
    stays), bracketed on ``grid`` points up to the affine unit's own root and a few behind it, then bisected to 4.5e-13 of
    ``t``; the expansion is taken at the bracket's end on the data point's side. Relevance jumps where a unit above finds or
    loses its root; a jump across 0 is no root. A unit whose relevance has no root has ``ã = a`` and keeps its relevance in
    the zeroth term. Units without relevance have nothing to hand down.

    ``roots`` says what happens to the root when the layer below differentiates:
    ``"moving"``: it stays the root (implicit differentiation, by Newton steps that are exact to the order needed).
    ``"held"``: it is a constant (locally constant roots). ``"region"``: held, and the way ends where the linear region of
    the layers above ends; the zeroth term is what the relevance is worth there.

    ``memory`` bounds the bytes of one chunk. ``budget`` bounds the evaluations of the network for the whole layer, counted
    before they start: samples × units × points that one root takes × (the same for each exact layer above). The count is an
    upper bound: every grid is taken to be walked to its end and every bisection to take all its halvings.

    Raises :class:`BudgetError` with the estimate, and :class:`InputError` for an input that the layer reads twice.

    The relevance of max(0, a₁ + 2 a₂), with a layer of weight 1 above it, is linear on the way to its root 0: R = a
    ⊙ (1, 2).

    >>> import dtd, torch
    >>> model = torch.nn.Sequential(torch.nn.Linear(2, 1), torch.nn.ReLU(), torch.nn.Linear(1, 1)).double()
    >>> for layer, weight in ((model[0], [[1.0, 2.0]]), (model[2], [[1.0]])):
    ...     _ = layer.load_state_dict({"weight": torch.tensor(weight), "bias": torch.zeros(1)})
    >>> net = dtd.trace(model, torch.ones(1, 2, dtype=torch.float64))
    >>> plan = dtd.Plan([("*", dtd.Exact(dtd.Activations()))])
    >>> dtd.explain(net, torch.ones(1, 2, dtype=torch.float64), 0, plan).relevance
    tensor([[1.0000, 2.0000]], dtype=torch.float64)
    """

    direction: Direction
    roots: Roots = "moving"
    grid: int = 8
    budget: int = 10**9
    memory: int = 2**30

    def __post_init__(self):
        check_parameter(self.roots in get_args(Roots), "roots", f"one of {', '.join(get_args(Roots))}", repr(self.roots))
        check_parameter(isinstance(self.direction, Direction), "direction", "a search direction", in_short(self.direction))
        for name in ("grid", "budget", "memory"):
            check_count(name, getattr(self, name))

    def accepts(self, layer: Layer) -> bool:
        return isinstance(layer.op, AffineMap)

    @property
    def points(self) -> int:
        """At most how many points of the decomposition above one root takes: its grid, its bisections, its expansion."""
        region = HALVINGS + 1 if self.roots == "region" else 0
        return self.grid + 1 + len(BEYOND) + HALVINGS + region + EXPANSION

    def check(self, layers: Sequence[Layer], models: Sequence[Propagation], position: int, batch: int) -> None:
        layer = layers[position]
        if len(set(layer.inputs)) < len(layer.inputs):
            raise InputError(f"The exact model cannot move an input that layer '{layer.name}' reads twice.")
        cost = cost_above(layers, self._searched(models), position)
        units = prod(layer.shape)
        evaluations = batch * units * self.points * cost.evaluations
        if evaluations > self.budget:
            raise BudgetError(
                f"The exact model at layer '{layer.name}' needs about {evaluations:.3g} evaluations of the network "
                f"({batch} samples × {units} units × {self.points} points × {cost.evaluations:.3g} in the layers above); "
                f"the budget is {self.budget:.3g}. Explain fewer samples, take another model in some layers, or raise it."
            )
        if cost.bytes > self.memory:
            raise BudgetError(
                f"One root of layer '{layer.name}' needs about {cost.bytes:.3g} bytes; the memory bound is "
                f"{self.memory:.3g}. Take another model in some of the layers above, or raise it."
            )

    @staticmethod
    def _searched(models: Sequence[Propagation]) -> dict[int, int]:
        return {i: model.points for i, model in enumerate(models) if isinstance(model, Exact)}

    def forward(self, layer: Layer, inputs: tuple[Tensor, ...]) -> tuple[Tensor, Any]:
        return layer(*inputs), None

    def decompose(self, layer: Layer, context: Context, relevance: Tensor) -> Propagated:
        a = layer_input(layer, context)
        lower, kept = torch.zeros_like(a), torch.zeros_like(relevance.flatten(1)[:, 0])
        zeroth, first = kept, kept
        for part in self.expansions(layer, context, relevance):
            samples = part.ways.samples
            lower = lower.index_add(0, samples, part.first)
            first = first.index_add(0, samples, part.first.flatten(1).sum(1))
            zeroth = zeroth.index_add(0, samples, part.zeroth)
            kept = kept.index_add(0, samples, part.relevance)
        found = balance(relevance, (lower,), zeroth=zeroth, remainder=kept - zeroth - first, bias=torch.zeros_like(kept))
        return Propagated(layer.parted(lower), found)

    def expansions(self, layer: Layer, context: Context, relevance: Tensor) -> Iterator[Expansion]:
        """The expansions of all units that receive relevance, one chunk after another. # shape: relevance (B, *out)"""
        a, direction = layer_input(layer, context), self.direction.bound(layer.domain)
        layer.check(direction.requires, a, type(direction).__name__, direction.remedy)
        cost = cost_above(context.above.layers, self._searched(context.above.models), context.position)
        rows = max(1, self.memory // (cost.bytes))
        for samples, units in pairs_in_chunks(relevance.flatten(1) != 0, rows):
            found = rays(layer, context, direction, samples, units)
            held = self.roots != "moving"
            t, exists = search(found, self.grid, self.roots == "region")
            if context.depth and not held:
                t = attached(found, t, context.depth)
            yield expand_pairs(found, t, exists, held, context.depth)
