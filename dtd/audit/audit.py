"""Tidy rows about the roots of an explanation, layer by layer."""

from collections.abc import Iterator

import pandas as pd
import torch
from torch import Tensor

from dtd.affine import AffineMap
from dtd.audit import exact
from dtd.audit.generic import balance_alone, look_at_points
from dtd.audit.nearest import measure
from dtd.audit.sampling import sampling
from dtd.audit.validity import Status, distance, status
from dtd.errors import PlanError
from dtd.network.activations import activations
from dtd.network.network import Network
from dtd.plan import Plan, check_asked
from dtd.primitive import LayerNorm, MatMul, Product, Softmax
from dtd.propagation import Context, Layer, Propagation
from dtd.reference import Above, check_models, relevance_pass, sweep
from dtd.relevance import Exact, Generic, MinMax, RelevanceModel
from dtd.root import Average, Nearest, mixed
from dtd.target import Target, initial_relevance
from dtd.units import at_once, chunks

DESCRIPTION = ("layer", "kind", "model", "root", "domain")
CURVED = (Product, MatMul, Softmax, LayerNorm)


@torch.no_grad()
def audit(
    network: Network,
    x: Tensor,
    target: Target,
    plan: Plan,
    *,
    memory: int = 2**28,
    units: int | None = None,
    seed: int = 0,
    nearest: Nearest | None = None,
) -> pd.DataFrame:
    """For each affine or opaque layer: are the roots that ``plan`` uses roots, where are they, how does the balance close?

    The roots of the units are built explicitly, in chunks that fit in ``memory`` bytes. Only units (and samples) that
    receive relevance are counted. Columns: ``layer``, ``kind``, ``model``, ``root``, ``domain``, ``units`` counted; the
    shares ``valid``, ``inactive``, ``no_root``, ``not_zero``, ``domain_left``, ``region_left`` (sum 1); ``distance`` and
    ``relative_distance`` (medians of ``‖a − ã‖`` and ``‖a − ã‖/‖a‖``); ``relevance`` with its parts ``first``, ``bias``,
    ``zeroth``, ``remainder`` (sums over the units looked at). With a moving bias the bias neuron is one more input of the
    unit, free to move, and counts in the distance. ``gap``, the largest error of a unit's balance relative to the
    layer's largest relevance. Shares and distances are missing (``NA``) where no unit receives relevance, and for products,
    softmax and layer norm, of which the balance is reported.

    A layer that averages over several roots (:class:`dtd.Average`) has ``standard_error`` too: the median over units of
    ``‖s.e. of R_j←k‖ / ‖R_j←k‖``.

    Args:
        units: look at this many of each layer's units that receive relevance, drawn with ``seed``, rather than at all.
        nearest: a yardstick, ``dtd.Nearest()``. Adds ``rootless``, the share of units whose domain holds no root, and
            ``of_nearest``, the median of a root's distance divided by that of the nearest root, both in the
            yardstick's norm and with the plan's bias moving or not; below 1 only a root outside the domain can be.

    Raises:
        PlanError: an explicit plan, which has no roots.
        BudgetError: one unit alone needs more than ``memory``; the message says how much.
        and what :func:`dtd.explain` raises.
    """
    check_asked(network, plan)
    network.check_input(x)
    graph, models = network.graph, plan.bind(network)
    for layer, model in zip(network.layers, models, strict=True):
        if isinstance(layer.primitive, AffineMap) and not isinstance(model, (RelevanceModel, Generic, Exact, MinMax)):
            raise PlanError(f"An audit looks at roots; layer '{layer.name}' has the explicit rule {model}, which has none.")
        if isinstance(model, RelevanceModel):
            at_once(layer.primitive, x, memory, layer.name)
    check_models(network.layers, models, len(x))
    swept = sweep(graph, models, x, target)
    saved = dict(swept.saved)
    arrived: dict[int, Tensor] = {}
    initial = initial_relevance(swept.output, target)
    _, balances = relevance_pass(graph, models, swept, initial, x, arrived.__setitem__)
    rows = []
    for i, (layer, a, _) in enumerate(activations(network, x)):
        index = chosen(arrived[i], units, seed)
        if isinstance(models[i], Generic):
            found = summary(list(look_at_points(layer, models[i], saved[i], arrived[i], index, memory)))
        elif isinstance(models[i], Exact):
            above = Above(graph, models, swept, i, initial.abs().flatten(1).sum(1))
            shown = only(index, arrived[i])
            found = summary(list(exact.look(models[i], layer, Context(i, saved[i], arrived, above), shown)))
        elif isinstance(models[i], RelevanceModel):
            found = summary(list(look(layer, models[i], a, arrived[i], index, memory, nearest)))
        elif isinstance(layer.primitive, CURVED) or isinstance(models[i], MinMax):
            found = balance_alone(balances[i])
        else:
            continue
        rows.append({**describe(layer, models[i]), **found})
    table = pd.DataFrame(rows)
    numbers = {name: "Int64" if name == "units" else "Float64" for name in table.columns if name not in DESCRIPTION}
    return table.astype(numbers)


def describe(layer: Layer, model: Propagation) -> dict[str, str]:
    """The columns that name a row; ``root`` is the root strategy, where the model has one."""
    root = type(model.root).__name__ if isinstance(model, RelevanceModel) else getattr(model, "at", "")
    values = (layer.name, layer.kind, type(model).__name__, root, str(layer.domain))
    return dict(zip(DESCRIPTION, values, strict=True))


def chosen(relevance: Tensor, units: int | None, seed: int) -> Tensor:
    """Flat indices of the output units to look at. # shape: relevance (B, *out) -> (k,)"""
    receiving = (relevance != 0).flatten(1).any(0).nonzero()[:, 0]
    if units is None or units >= len(receiving):
        return receiving
    drawn = torch.randperm(len(receiving), generator=torch.Generator().manual_seed(seed))[:units]
    return receiving[drawn.sort().values.to(receiving.device)]


def only(index: Tensor, relevance: Tensor) -> Tensor:
    """The relevance of some units, and 0 for the others. # shape: (k,), (B, *out) -> (B, *out)"""
    kept = torch.zeros_like(relevance.flatten(1))
    kept[:, index] = relevance.flatten(1)[:, index]
    return kept.view_as(relevance)


def look(
    layer: Layer, model: RelevanceModel, a: Tensor, relevance: Tensor, index: Tensor, memory: int, nearest: Nearest | None
) -> Iterator[dict[str, Tensor]]:
    """Status, distances and Taylor terms of the units, one chunk after another. # shape: (B, k) each"""
    for units in chunks(layer.primitive, a, index, memory, layer.name):
        here = relevance.flatten(1)[:, units.index]
        terms = model.terms(units, layer.domain, here)
        root = mixed(model.root.roots(units, layer.domain))
        length, relative = distance(root, units)
        yield {
            "relevance": here,
            "first": terms.first.sum(-1),
            "bias": terms.bias,
            "zeroth": terms.zeroth,
            "remainder": terms.remainder,
            "exists": root.exists,
            "status": status(model, root, units, layer.domain),
            "distance": length,
            "relative_distance": relative,
            **({} if nearest is None else measure(nearest, root, units, layer.domain, model.root.bias_moves)),
            **(sampling(model, units, layer.domain, here) if isinstance(model.root, Average) else {}),
        }


def summary(chunks: list[dict[str, Tensor]]) -> dict[str, float | int | None]:
    """One row from the units of a layer."""
    of = {name: torch.cat([chunk[name].flatten() for chunk in chunks]) for name in chunks[0]}
    parts = ("first", "bias", "zeroth", "remainder")
    counted = of["relevance"] != 0
    n = int(counted.sum())
    row: dict[str, float | int | None] = {"units": n}
    for name, reason in zip(("valid", "inactive", "no_root", "not_zero", "domain_left", "region_left"), Status, strict=True):
        row[name] = float((of["status"][counted] == reason).double().mean()) if n else None
    if "rootless" in of:
        row["rootless"] = float(of["rootless"][counted].double().mean()) if n else None
    for name in [name for name in ("distance", "relative_distance", "of_nearest", "standard_error") if name in of]:
        found = counted & of[name].isfinite() & (of["exists"] | (name == "standard_error"))
        row[name] = float(of[name][found].median()) if bool(found.any()) else None
    row |= {name: float(of[name].sum()) for name in ("relevance", *parts)}
    gap = (of["relevance"] - sum(of[part] for part in parts)).abs()
    row["gap"] = float(gap.max() / of["relevance"].abs().max()) if n else 0.0
    return row
