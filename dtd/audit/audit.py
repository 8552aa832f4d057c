"""Tidy rows about the roots of an explanation, layer by layer."""

from collections.abc import Iterator
from numbers import Integral
from typing import Any

import torch
from torch import Tensor

from dtd.affine import AffineMap
from dtd.audit import distances, exact, generic, roots  # registers what is found of each model
from dtd.audit.findings import Findings, Look, findings
from dtd.audit.rows import WORDS, AuditRows
from dtd.audit.validity import Status
from dtd.callers.arithmetic import own_arithmetic
from dtd.errors import PlanError, check_parameter
from dtd.explaining.observe import observe_models
from dtd.explaining.target import Target
from dtd.lrp import LRPRule
from dtd.network.leaves import Inputs
from dtd.network.network import Network
from dtd.plans.plan import Plan, check_asked
from dtd.propagation import PARTS, Balance, Layer, Propagation
from dtd.relevance import RelevanceModel
from dtd.root import Nearest
from dtd.root.units import at_once

REGISTERED = (distances, exact, generic, roots)


@own_arithmetic()
def audit(
    network: Network,
    inputs: Inputs,
    target: Target,
    plan: Plan,
    *,
    memory: int = 2**28,
    units: int | None = None,
    seed: int = 0,
    nearest: Nearest | None = None,
) -> AuditRows:
    """For each layer: are the roots that ``plan`` uses roots, where are they, how does the balance close?

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

    A unit with weights (3, −1) at a = (1, 1), so that z = 2: on a ≥ 0 the w² root (0.4, 1.2) is a root, 0.632 away.

    >>> import dtd, torch
    >>> unit = torch.nn.Linear(2, 1)
    >>> _ = unit.load_state_dict({"weight": torch.tensor([[3.0, -1.0]]), "bias": torch.tensor([0.0])})
    >>> net = dtd.trace(unit, torch.ones(1, 2), dtd.NonNegative())
    >>> rows = dtd.audit(net, torch.ones(1, 2), 0, dtd.Plan.uniform("wsquare"))
    >>> rows[["valid", "distance", "relevance", "first"]].iloc[0].tolist()
    [1.0, 0.6324555277824402, 2.0, 2.0]
    """
    check_asked(network, plan)
    check_limits(memory, units, seed, nearest)
    reading = network.read(inputs)
    models = plan.bind(reading.graph)
    for layer, model in zip(reading.graph.layers, models, strict=True):
        if isinstance(layer.op, AffineMap) and isinstance(model, LRPRule):
            raise PlanError(f"An audit looks at roots; layer '{layer.name}' has the explicit rule {model}, which has none.")
        if isinstance(model, RelevanceModel):
            at_once(layer.op, reading.batch, memory, layer.name)
    passed = observe_models(reading, models, target)
    rows = []
    for i, layer, read, _ in passed.graph.ascend(passed.values):
        look = Look.at(passed, i, read, chosen(passed.arrived[i], units, seed), memory, nearest)
        rows.append({**describe(layer, models[i]), **units_row(findings(models[i], look))})
    table = AuditRows(rows)
    numbers = {name: "Int64" if name == "units" else "Float64" for name in table.columns if name not in WORDS}
    return AuditRows(table.astype(numbers))


def check_limits(memory: Any, units: Any, seed: Any, nearest: Any) -> None:
    """Raise :class:`InputError` for limits of an audit that are none."""
    check_parameter(isinstance(memory, Integral) and int(memory) > 0, "memory", "a positive integer (bytes)", repr(memory))
    some = units is None or (isinstance(units, Integral) and int(units) > 0)
    check_parameter(some, "units", "a positive integer, or None for all", repr(units))
    check_parameter(isinstance(seed, Integral), "seed", "an integer", repr(seed))
    check_parameter(nearest is None or isinstance(nearest, Nearest), "nearest", "dtd.Nearest(…) or None", repr(nearest))


def describe(layer: Layer, model: Propagation) -> dict[str, str]:
    """The columns that name a row; ``root`` is the root strategy, where the model has one."""
    root = type(model.root).__name__ if isinstance(model, RelevanceModel) else getattr(model, "at", "")
    values = (layer.name, layer.kind, type(model).__name__, root, str(layer.domain))
    return dict(zip(WORDS, values, strict=True))


def chosen(relevance: Tensor, units: int | None, seed: int) -> Tensor:
    """Flat indices of the output units to look at. # shape: relevance (B, *out) -> (k,)"""
    receiving = (relevance != 0).flatten(1).any(0).nonzero()[:, 0]
    if units is None or units >= len(receiving):
        return receiving
    drawn = torch.randperm(len(receiving), generator=torch.Generator().manual_seed(seed))[:units]
    return receiving[drawn.sort().values.to(receiving.device)]


def units_row(found: Iterator[Findings] | Balance) -> dict[str, float | int | None]:
    """One row from what was found at a layer."""
    if isinstance(found, Balance):
        return balance_alone(found)
    parts = list(found)
    weight, chunks = parts[0].weight, [part.columns() for part in parts]
    of = {name: torch.cat([chunk[name].flatten() for chunk in chunks]) for name in chunks[0]}
    counted = of["relevance"] != 0
    n = int(counted.sum())
    row: dict[str, float | int | None] = {"units": round(n * weight)}
    for name, reason in zip(("valid", "inactive", "no_root", "not_zero", "domain_left", "region_left"), Status, strict=True):
        row[name] = float((of["status"][counted] == reason).double().mean()) if n else None
    if "rootless" in of:
        row["rootless"] = float(of["rootless"][counted].double().mean()) if n else None
    for name in [name for name in ("distance", "relative_distance", "of_nearest", "standard_error") if name in of]:
        shown = counted & of[name].isfinite() & (of["exists"] | (name == "standard_error"))
        row[name] = float(of[name][shown].median()) if bool(shown.any()) else None
    row |= {name: float(of[name].sum()) for name in ("relevance", *PARTS)}
    gap = (of["relevance"] - sum(of[part] for part in PARTS)).abs()
    row["gap"] = float(gap.max() / of["relevance"].abs().max()) if n else 0.0
    return row


def balance_alone(balance: Balance) -> dict[str, float | int | None]:
    """The columns of a layer whose roots are known in closed form, or which has none. # shape: sums over the batch"""
    row = {name: float(getattr(balance, name).sum()) for name in ("relevance", *PARTS)}
    largest = float(balance.relevance.abs().max()) if len(balance.relevance) else 0.0
    return {**row, "gap": float(balance.gap.abs().max()) / largest if largest else 0.0}
