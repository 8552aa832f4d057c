"""Where roots lie as the network above sees them, and what is left there of relevance and score."""

from collections.abc import Iterator
from dataclasses import replace

import pandas as pd
import torch
from torch import Tensor

from dtd.affine import AffineMap
from dtd.callers.arithmetic import own_arithmetic
from dtd.errors import PlanError
from dtd.explaining.observe import Observed, observe
from dtd.explaining.target import Target
from dtd.network.above import live
from dtd.network.leaves import Inputs
from dtd.network.network import Network
from dtd.plans.plan import Plan
from dtd.propagation import Context, Layer
from dtd.relevance import RelevanceModel
from dtd.relevance.exact.rays import Rays, layer_input, pairs_in_chunks
from dtd.root import mixed
from dtd.root.units import FieldUnits

VANISHED = 1e-6  # of R_k: less counts as zero
GONE = 1e-2  # of the score: less counts as gone
ROWS = 4096  # moved activations that are evaluated at once


@own_arithmetic()
def root_regions(
    network: Network, inputs: Inputs, target: Target, plan: Plan, *, units: int | None = None, seed: int = 0
) -> pd.DataFrame:
    """Are a layer's roots roots of the true relevance, do they stay in the data point's linear region, is the score gone?

    The layer's input is moved to each unit's root (the unit's receptive field moves, the rest stays) and the network above
    is evaluated there. Columns for each affine layer with a relevance model: ``layer``, ``kind``, ``model``, ``units``
    (pairs of a sample and a unit that receive relevance and have a root); ``same_region``, the share of roots in the closure
    of the linear region of the remaining network; ``relevance_left``, median of ``|R_k(ã_k) / R_k(a)|`` with the
    decomposition above recomputed, where the layer's own model says 0, and ``relevance_vanishes``, the share below 1e-6;
    ``score_left``, median of ``f(ã_k) / f(a)`` for the explained output f, and ``score_vanishes``, the share with
    ``|f(ã_k)| < 0.01 |f(a)|``: the counterfactual reading of a root. Missing (``NA``) where no unit counts.

    Args:
        units: look at this many pairs of each layer, drawn with ``seed``, rather than at all of them.

    Raises:
        InputError: a network that is not piecewise linear, or a target that is not a function of the output.
        PlanError: an explicit plan, which has no roots.

    A linear network has one region, and its score is 0 at every root of its unit.

    >>> import dtd, torch
    >>> unit = torch.nn.Linear(2, 1)
    >>> _ = unit.load_state_dict({"weight": torch.tensor([[3.0, -1.0]]), "bias": torch.tensor([0.0])})
    >>> net = dtd.trace(unit, torch.ones(1, 2))
    >>> rows = dtd.root_regions(net, torch.ones(1, 2), 0, dtd.Plan.uniform("wsquare"))
    >>> rows[["units", "same_region", "score_vanishes"]].iloc[0].tolist()
    [1.0, 1.0, 1.0]
    """
    passed = observe(network, inputs, target, plan)
    rows = []
    for i, (layer, values) in enumerate(read(passed)):
        if not isinstance(layer.op, AffineMap):
            continue
        model = passed.models[i]
        if not isinstance(model, RelevanceModel):
            raise PlanError(f"Layer '{layer.name}' has {model}, which has no roots of its own; take a derived rule.")
        context = replace(passed.context(i), values=values)
        found = inspect_roots(layer, model, context, passed.arrived[i], units, seed)
        rows.append({"layer": layer.name, "kind": layer.kind, "model": type(model).__name__, **regions_row(found)})
    table = pd.DataFrame(rows)
    return table.astype(dict.fromkeys(table.columns[4:], "Float64"))


def read(passed: Observed) -> Iterator[tuple[Layer, dict[int, Tensor]]]:
    """Each layer with the activations that it and the layers above it read."""
    values = passed.values | {i: output for i, _, _, output in passed.graph.ascend(passed.values)}
    for i, layer in enumerate(passed.graph.layers):
        yield layer, {j: values[j] for j in live(passed.graph, i)}


def inspect_roots(
    layer: Layer, model: RelevanceModel, context: Context, relevance: Tensor, units: int | None, seed: int
) -> dict[str, Tensor]:
    """What is found at each root. # shape: (P,) each"""
    counted, found = relevance.flatten(1) != 0, []
    if units is not None and int(counted.sum()) > units:
        kept = counted.flatten().nonzero().flatten()
        drawn = torch.randperm(len(kept), generator=torch.Generator().manual_seed(seed))[:units]
        counted = torch.zeros_like(counted).flatten().index_fill(0, kept[drawn], True).view_as(counted)
    for samples, index in pairs_in_chunks(counted, ROWS):
        ways, exists = to_roots(layer, model, context, samples, index)
        ways = ways.take(exists)
        points, at = ways.points(ways.end), relevance.flatten(1)[ways.samples, ways.units]
        score = context.above.explained({**context.values} | {context.position: layer.op.apply(layer_input(layer, context))})
        there = context.above.explained(ways.moved(points), ways.samples)
        found.append(
            {
                "same_region": ways.same_region(points),
                "relevance_left": (ways.relevance(points, 0) / at).abs(),
                "score_left": there / score[ways.samples],
            }
        )
    return {name: torch.cat([part[name] for part in found]) for name in found[0]}


def to_roots(layer: Layer, model: RelevanceModel, context: Context, samples: Tensor, index: Tensor) -> tuple[Rays, Tensor]:
    """The ways ``a − t v`` to the roots, which are at ``t = 1``, and where there is one. # shape: (P,), (P,)"""
    units, column = index.unique(return_inverse=True)
    found = FieldUnits(layer.op, layer_input(layer, context), units)
    root = mixed(model.root.roots(found, layer.domain))
    way = found.scatter_pairs(found.z[..., None] * root.shift, samples, column)
    exists = root.exists[samples, column]
    return Rays(layer, context, samples, index, way, torch.ones_like(exists, dtype=way.dtype)), exists


def regions_row(found: dict[str, Tensor]) -> dict[str, float | int | None]:
    """One row from the roots of a layer."""
    n = len(found["same_region"])
    score = found["score_left"][found["score_left"].isfinite()]
    if not n or not len(score):
        columns = ("same_region", "relevance_left", "relevance_vanishes", "score_left", "score_vanishes")
        return {"units": n, **dict.fromkeys(columns)}
    return {
        "units": n,
        "same_region": float(found["same_region"].double().mean()),
        "relevance_left": float(found["relevance_left"].median()),
        "relevance_vanishes": float((found["relevance_left"] < VANISHED).double().mean()),
        "score_left": float(score.median()),
        "score_vanishes": float((score.abs() < GONE).double().mean()),
    }
