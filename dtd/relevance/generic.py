"""The generic Taylor model: any differentiable layer, expanded where its units vanish on the way to a reference."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import torch
from torch import Tensor

from dtd.algebra import divide
from dtd.callers.printing import Printed
from dtd.domain import Bound, varies_by_sample
from dtd.errors import BudgetError, DomainError, check_bound, check_count, check_parameter
from dtd.propagation import Layer, Propagated, Propagation, balance, per_sample
from dtd.relevance.numeric import first_root
from dtd.relevance.segment import Path, walk
from dtd.root.units import TEMPORARIES

PRECISION = 1e-12  # of the root, as a share of the way to it


class PointExpansion(NamedTuple):
    """The expansion of some units. # shape: handed (B, k, *in) for each input; others (B, k)"""

    handed: tuple[Tensor, ...]
    zeroth: Tensor  # R̂_k at the point
    way: Tensor  # t: the point is a − t (a − x̃)
    exists: Tensor  # whether the unit vanishes on the segment


@dataclass(frozen=True, eq=False)
class Generic(Propagation, Printed):
    """``R̂_k(a) = R_k f_k(a) / f_k(a₀)`` for any differentiable layer f, expanded on the way from the data to a reference.

    Each unit has its own point ``ã_k = a − t_k (a − x̃)``: the first root on the segment (``at="root"``: bracketed on
    ``brackets`` parts, then bisected to 1e-12 of the way; at a kink the data point's side counts), or the reference
    itself (``at="reference"``, ``t = 1``), where R̂ may be worth something. From there the path to the data point is taken in
    ``steps`` Taylor steps, each expanded where it begins,

        R_j←k = Σ_i [∇R̂_k(p_i)]_j δ_j (+ ½ δ_j [∇²R̂_k(p_i) δ]_j with order=2),    p_i = ã + i δ,  δ = (a − ã)/steps

    so that ``R_k = Σ_j R_j←k + R̂_k(ã_k) + remainder``: one step is the Taylor expansion at the root; for a smooth f
    the remainder falls as 1/steps (1/steps² with order=2), and infinitely many steps are the path integral. Where a unit
    has no root on the segment, or is 0 at the data point, its relevance stays in the zeroth term.

    ``reference`` is a number or a tensor that broadcasts to ``(B, *in)``, or one for each input. A bias inside f stays
    fixed. The price is an evaluation of the layer for each unit, bracket, halving and step (at a reference: for each
    step only), in chunks of units within ``memory`` bytes.

    ``f(a) = a² − 1`` at a = 3 is worth 8 and has the root 1 on the way to 0: one step there gives 2 · 1 (3 − 1) =
    4, many steps the path integral 8.

    >>> import dtd, torch
    >>> class Square(torch.nn.Module):
    ...     def forward(self, a):
    ...         return a**2 - 1
    >>> net = dtd.trace(torch.nn.Sequential(Square()), torch.ones(1, 1), opaque=[Square])
    >>> plans = [dtd.Plan([("*", dtd.Generic(steps=n))]) for n in (1, 1000)]
    >>> [dtd.explain(net, torch.tensor([[3.0]]), 0, plan).relevance.round() for plan in plans]
    [tensor([[4.]]), tensor([[8.]])]
    """

    reference: Bound | tuple[Bound, ...] = 0.0
    at: Literal["root", "reference"] = "root"
    steps: int = 1
    order: int = 1
    brackets: int = 16
    memory: int = 2**28

    def __post_init__(self):
        check_parameter(self.at in ("root", "reference"), "at", "'root' or 'reference'", repr(self.at))
        check_count("steps", self.steps)
        check_parameter(self.order in (1, 2), "order", "1 or 2", self.order)
        check_count("brackets", self.brackets)
        check_count("memory", self.memory)
        for point in self.reference if isinstance(self.reference, tuple) else (self.reference,):
            check_bound("reference", point, ", or one of them for each input")

    def accepts(self, layer: Layer) -> bool:
        return True

    def sample_wise(self, layer: Layer) -> bool:
        points = self.reference if isinstance(self.reference, tuple) else (self.reference,)
        return not any(map(varies_by_sample, points))

    def forward(self, layer: Layer, inputs: tuple[Tensor, ...]) -> tuple[Tensor, Any]:
        self.path(layer, inputs)
        if self.at == "root":
            self.at_once(layer, inputs)
        return layer(*inputs), inputs

    def backward(self, layer: Layer, saved: Any, relevance: Tensor) -> Propagated:
        if self.at == "reference":
            lower, zeroth = self.from_reference(layer, saved, relevance)
        else:
            lower, zeroth = tuple(map(torch.zeros_like, saved)), torch.zeros_like(relevance.flatten(1)[:, 0])
            for found, _ in self.expansions(layer, saved, relevance, relevance.flatten(1).any(0).nonzero().flatten()):
                lower = tuple(total + part.sum(1) for total, part in zip(lower, found.handed, strict=True))
                zeroth = zeroth + found.zeroth.sum(1)
        made = balance(relevance, lower, zeroth=zeroth)
        return Propagated(lower, balance(relevance, lower, zeroth=zeroth, remainder=made.gap))

    def path(self, layer: Layer, inputs: tuple[Tensor, ...]) -> Path:
        """The segment from the data to the reference."""
        points = self.reference if isinstance(self.reference, tuple) else (self.reference,) * len(inputs)
        check_parameter(len(points) == len(inputs), "reference", f"one for each input of '{layer.name}'", len(points))
        return Path(inputs, tuple(a - self.broadcast(layer, x, a) for a, x in zip(inputs, points, strict=True)))

    def broadcast(self, layer: Layer, point: Bound, a: Tensor) -> Tensor:
        """One reference in the shape of the input it is for; raises :class:`DomainError` where it does not fit."""
        point = torch.as_tensor(point, dtype=a.dtype, device=a.device)
        try:
            return point.expand_as(a)
        except RuntimeError:
            raise DomainError(
                f"'reference' at layer '{layer.name}' must be a number or broadcast to {tuple(a.shape)}, like (1, C, 1, 1) "
                f"or (B, C, H, W); found shape {tuple(point.shape)}."
            ) from None

    def at_once(self, layer: Layer, inputs: tuple[Tensor, ...]) -> int:
        """How many units fit in memory; raises :class:`BudgetError` when not even one does."""
        size = sum(a[0].numel() for a in inputs if len(a)) + torch.Size(layer.shape).numel()
        each = max(1, len(inputs[0])) * size * inputs[0].element_size() * TEMPORARIES
        if each > self.memory:
            raise BudgetError(
                f"One unit of layer '{layer.name}' needs about {each:,} bytes; the memory bound is {self.memory:,}. Raise "
                "'memory', explain fewer samples at once, or expand at the reference."
            )
        return self.memory // each

    def from_reference(
        self, layer: Layer, inputs: tuple[Tensor, ...], relevance: Tensor
    ) -> tuple[tuple[Tensor, ...], Tensor]:
        """What all units hand down together, since they share their point, and what they are worth there. # shape: (B,)"""
        f, path = layer, self.path(layer, inputs)
        c = divide(relevance, f(*inputs))
        way = torch.ones_like(relevance.flatten(1)[:, 0])
        zeroth = torch.where(c == 0, relevance, c * f(*path.at(way)))
        return walk(f, path, way, c, self.steps, self.order), per_sample(zeroth)

    def expansions(
        self, layer: Layer, inputs: tuple[Tensor, ...], relevance: Tensor, index: Tensor
    ) -> Iterator[tuple[PointExpansion, Tensor]]:
        """The units ``index`` at their own points, one chunk after another, each with its indices."""
        f, path, arrived = layer, self.path(layer, inputs), relevance.flatten(1)
        y = f(*inputs).flatten(1)
        for part in index.split(self.at_once(layer, inputs)):
            k, batch = len(part), len(y)
            many = path.repeated(k)
            c = divide(arrived[:, part], y[:, part]).flatten()
            unit = part.repeat(batch)[:, None]

            def value(rows, t, many=many, unit=unit):
                return f(*many.take(rows).at(t)).flatten(1).gather(1, unit[rows])[:, 0]

            start = y[:, part].flatten()
            way, exists = torch.ones_like(start), start != 0
            if self.at == "root":
                grid = torch.arange(1, self.brackets + 1).to(start) / self.brackets
                precision = max(PRECISION, 4 * torch.finfo(start.dtype).eps)
                way, found = first_root(value, start, grid.expand(len(start), -1), precision)
                exists = exists & found
                way = torch.where(exists, way, 0.0)
            at = torch.where(exists, value(torch.arange(len(way)), way) * c, arrived[:, part].flatten())
            chosen = torch.zeros(k * batch, y.shape[1], dtype=y.dtype, device=y.device).scatter_(
                1, unit, (c * exists)[:, None]
            )
            handed = walk(f, many, way, chosen.view(-1, *layer.shape), self.steps, self.order)
            back = lambda x, k=k, batch=batch: x.view(batch, k, *x.shape[1:])  # noqa: E731
            yield PointExpansion(tuple(map(back, handed)), back(at), back(way), back(exists)), part
