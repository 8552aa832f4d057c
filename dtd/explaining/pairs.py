"""Relevance of a similarity on pairs of input features (BiLRP), kept as its two factors."""

from dataclasses import dataclass, replace
from functools import cached_property
from math import prod

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from dtd.callers.printing import shown
from dtd.errors import InputError, check_parameter
from dtd.explaining.pair_balance import PairBalance, paired
from dtd.explaining.pair_side import PairSide, Pool, each_unit, several_units
from dtd.explaining.request import chosen_plan
from dtd.explaining.starts.unit import layer_index
from dtd.network.graph import Reading
from dtd.network.leaves import Inputs
from dtd.network.network import Network
from dtd.plans.plan import Plan, check_asked

CHUNK = 2**22  # pairs that are looked at at once


@dataclass(frozen=True, eq=False, repr=False)
class PairExplanation:
    """Relevance of pairs of input features, ``R_ij = c Σ_m R_i^(m)(x) R_j^(m)(x′)``, as its two factors.

    ``scale`` is c: 1 for a dot product, ``1 / (‖φ(x)‖ ‖φ(x′)‖)`` for a cosine. Made by :func:`dtd.pairs`.

    # shape: scale (B,)

    >>> import torch, dtd
    >>> model, x = torch.nn.Linear(2, 1, bias=False), torch.tensor([[1.0, 2.0]])
    >>> _ = torch.nn.init.ones_(model.weight)
    >>> out = dtd.pairs(dtd.trace(model, x), x, x, dtd.Plan.uniform("lrp0"))  # (1 + 2)(1 + 2)
    >>> out.product().tolist(), out.marginals()[0].tolist(), out.similarity.tolist()
    ([[[1.0, 2.0], [2.0, 4.0]]], [[3.0, 6.0]], [9.0])
    """

    left: PairSide
    right: PairSide
    scale: Tensor

    @property
    def similarity(self) -> Tensor:
        """``c ⟨φ(x), φ(x′)⟩``. # shape: (B,)"""
        return (self.left.embedding * self.right.embedding).sum(1) * self.scale

    @cached_property
    def balance(self) -> PairBalance:
        """What became of the similarity: found when first asked for, by one more pass for each unit on either side.

        Raises :class:`StaleError` when an input or the model's parameters have changed since.
        """
        table = paired(self.left.parts, self.right.parts) * self.scale[:, None, None]
        return PairBalance(self.similarity, table)

    def conservation(self) -> Tensor:
        """``Σ_ij R_ij / similarity``; where the similarity is 0, 1 if the sum is 0 too and else infinity. # shape: (B,)"""
        given, arrived = self.similarity, (self.left.first * self.right.first).sum(1) * self.scale
        undefined = torch.where(arrived == 0, 1.0, torch.inf).to(given)
        return torch.where(given == 0, undefined, arrived / torch.where(given == 0, 1.0, given))

    def product(self) -> Tensor:
        """All ``R_ij``. It has the size of one input times that of the other: pool first. # shape: (B, *in, *in)"""
        found = paired(self.left.features, self.right.features)
        shape = (*self.left.relevance.shape[2:], *self.right.relevance.shape[2:])
        return found.reshape(len(found), *shape) * self.scale.reshape(-1, *(1 for _ in shape))

    def pooled(self, left: Pool, right: Pool | None = None) -> "PairExplanation":
        """The same relevance on pairs of groups: ``R_GH = Σ_{i∈G} Σ_{j∈H} R_ij``, never made from single pairs.

        A pool adds features up, ``(N, *in) -> (N, *groups)``: :class:`dtd.Patches`, or ``lambda r: r.sum(-1)`` for tokens.
        ``right`` is that of the other side, where it is another. Raises :class:`InputError` where sums are not kept.
        """
        return replace(self, left=self.left.pooled(left), right=self.right.pooled(right or left))

    def marginals(self) -> tuple[Tensor, Tensor]:
        """``Σ_j R_ij`` and ``Σ_i R_ij``: relevance of the features of either input. # shape: (B, *in) each"""
        found = []
        for side, other in ((self.left, self.right), (self.right, self.left)):
            summed = paired(side.features, other.first[..., None]).squeeze(-1) * self.scale[:, None]
            found.append(summed.reshape(len(summed), *side.relevance.shape[2:]))
        return found[0], found[1]

    def top(self, count: int = 10) -> pd.DataFrame:
        """The pairs of largest ``|R_ij|`` of each sample, found without ever holding all of them.

        Columns: ``sample``, ``left`` and ``right`` (the features' indices), ``relevance``, and ``share`` of the similarity.
        """
        check_parameter(isinstance(count, int) and count >= 1, "count", "a positive integer", count)
        rows = [row for sample in range(len(self.scale)) for row in self._ranked(sample, count)]
        return pd.DataFrame(rows, columns=["sample", "left", "right", "relevance", "share"])

    def _ranked(self, sample: int, count: int) -> list[tuple]:
        left, right = self.left.features[sample], self.right.features[sample]
        wide, scale = right.shape[1], self.scale[sample]
        best, where = left.new_zeros(0), torch.zeros(0, dtype=torch.long, device=left.device)
        for start in range(0, left.shape[1], max(1, CHUNK // max(1, wide))):
            found = (paired(left[:, start : start + max(1, CHUNK // max(1, wide))], right) * scale).flatten()
            best, where = torch.cat([best, found]), torch.cat([where, start * wide + torch.arange(len(found)).to(where)])
            order = best.abs().topk(min(count, len(best))).indices
            best, where = best[order], where[order]
        whole, shapes = self.similarity[sample], (self.left.relevance.shape[2:], self.right.relevance.shape[2:])
        pairs = [(int(place) // wide, int(place) % wide) for place in where]
        named = [tuple(feature_index(flat, shape) for flat, shape in zip(pair, shapes, strict=True)) for pair in pairs]
        return [(sample, i, j, r.item(), (r / whole).item()) for (i, j), r in zip(named, best, strict=True)]

    def __repr__(self) -> str:
        conserved = self.conservation()
        ends = (conserved.min().item(), conserved.max().item()) if len(conserved) else (1.0, 1.0)
        kept = f"{ends[0]:.4g}" if ends[0] == ends[1] else f"{ends[0]:.4g} to {ends[1]:.4g}"
        return (
            f"PairExplanation({shown(self.left.relevance)} × {shown(self.right.relevance)}, "
            f"conservation Σ R_ij / similarity = {kept})"
        )


def feature_index(flat: int, shape: tuple[int, ...]) -> int | tuple[int, ...]:
    """A feature's index: one number for features in a row."""
    return flat if len(shape) == 1 else tuple(int(place) for place in np.unravel_index(flat, shape))


def pairs(
    network: Network,
    x: Inputs,
    other: Inputs,
    plan: Plan | None = None,
    *,
    layer: str | None = None,
    cosine: bool = False,
    at_once: int = 1,
) -> PairExplanation:
    """Decompose the similarity of two inputs on pairs of their features: ``⟨φ(x), φ(x′)⟩ = Σ_ij R_ij + what is kept``.

    The embedding φ, of M units, is the network's output, or that of a ``layer``. Each unit is explained on either side by
    the plan, after one forward sweep a side, and ``R_ij = Σ_m R_i^(m)(x) R_j^(m)(x′)`` is kept as the two factors:
    ``product()`` multiplies them, ``pooled()`` adds features up in groups first, ``top()`` names the largest pairs. With
    LRP-0 on a ReLU network without biases it is ``x_i x′_j ∂²⟨φ(x), φ(x′)⟩ / ∂x_i ∂x′_j``; with any rules, the second-order
    terms that are mixed between the two inputs, layer by layer, of the products of the units' relevance models
    (``python -m proofs bilrp``).

    Args:
        network: from :func:`dtd.trace`, with one explained input.
        x, other: inputs as for :func:`dtd.explain`, B samples each; sample b of one is compared with sample b of the other.
        plan: as for :func:`dtd.explain`.
        layer: the name of the layer whose output is φ; left out, the network's output is.
        cosine: explain ``⟨φ, φ′⟩ / (‖φ‖ ‖φ′‖)`` with the norms held constant, as normalisations are; R is then R of the
            dot product times that constant. (Let go of, they would take everything: a cosine does not change along φ.)
        at_once: how many units are explained as one batch of copies of the samples, instead of one after the other from one
            forward sweep: faster where the samples are few and small. For units of the output, and for plans that treat
            samples one by one.

    Memory: M times each input. Raises what :func:`dtd.explain` raises, and :class:`InputError` for several explained inputs,
    batches or embeddings that differ in size, and the cosine of an embedding that is 0. Source: Eberle 2022.

    >>> import torch, dtd
    >>> model = torch.nn.Linear(2, 2, bias=False)
    >>> _ = torch.nn.init.eye_(model.weight)
    >>> x, other = torch.tensor([[1.0, 2.0]]), torch.tensor([[3.0, 4.0]])
    >>> dtd.pairs(dtd.trace(model, x), x, other, dtd.Plan.uniform("lrp0")).product().tolist()
    [[[3.0, 0.0], [0.0, 8.0]]]
    """
    if plan is not None:
        check_asked(network, plan)
    readings = [network.read(inputs) for inputs in (x, other)]
    shape = common_shape(readings, layer)
    check_together(readings[0], chosen_plan(network, plan), layer, at_once)
    sides = []
    for inputs in (x, other):
        if at_once == 1:
            found = each_unit(network, inputs, plan, shape, layer)
        else:
            found = several_units(network, inputs, plan, shape, at_once)
        sides.append(PairSide.of(found, prod(shape), at_once))
    left, right = sides
    scale = readings[0].graph.like.new_ones(readings[0].batch)
    if cosine:
        for called, side in (("first", left), ("second", right)):
            norm = side.embedding.norm(dim=1)
            if not bool((norm > 0).all()):
                raise InputError(f"A cosine needs embeddings that are not 0; the {called} input's is. Use cosine=False.")
            scale = scale / norm
    return PairExplanation(left, right, scale)


def check_together(reading: Reading, plan: Plan, layer: str | None, at_once: int) -> None:
    """Raise :class:`InputError` where units cannot be explained as one batch of copies."""
    check_parameter(isinstance(at_once, int) and at_once >= 1, "at_once", "a positive integer", at_once)
    if at_once > 1:
        layers = reading.graph.layers
        apart = all(m.sample_wise(each) for m, each in zip(plan.bind(reading.graph), layers, strict=True))
        required = "1 for a hidden layer and for a plan that looks at whole batches"
        check_parameter(apart and layer is None, "at_once", required, at_once)


def common_shape(readings: list[Reading], layer: str | None) -> tuple[int, ...]:
    """The shape of both embeddings; raises :class:`InputError` where the two inputs do not make pairs."""
    inputs = readings[0].graph.inputs
    if len(inputs) != 1:
        raise InputError(
            f"Pairs need a network with one explained input; this one has {', '.join(each.name for each in inputs)}. Trace "
            f"it with explained=['{inputs[0].name}']: the others are then side values, and what they carry counts as bias."
        )
    sizes = [reading.batch for reading in readings]
    if sizes[0] != sizes[1]:
        raise InputError(f"Sample b goes with sample b: both inputs need as many samples; found {sizes[0]} and {sizes[1]}.")
    graphs = [reading.graph for reading in readings]
    shapes = [each.layers[each.output if layer is None else layer_index(each, layer)].shape for each in graphs]
    if shapes[0] != shapes[1]:
        raise InputError(f"Both inputs need embeddings of one shape; found {shapes[0]}, {shapes[1]}. Pool over lengths.")
    return shapes[0]
