"""How far is the training-free model from the true relevance function, layer by layer?

For each direction the full recursion is compared with the training-free model: how different the relevance is, how constant
``c_k = R_k / z_k`` is on the way to the root, and what rank the relevance has as a function of the activations.
"""

from collections.abc import Iterator, Mapping, Sequence

import pandas as pd
import torch
from torch import Tensor

from dtd.affine import AffineMap
from dtd.direction import Activations, Contributions, Direction, Gamma, Weights, ZPlus
from dtd.errors import BudgetError, InputError
from dtd.explaining.observe import observe_models
from dtd.explaining.sweep import Above
from dtd.network import Network
from dtd.plans.plan import Plan
from dtd.plans.where import every
from dtd.propagation import Context
from dtd.relevance import Exact
from dtd.relevance.exact.expansion import Expansion, differentiated
from dtd.root import Ray
from experiments.configs import Config, ConfigError, ExactConfig, require
from experiments.console import progress
from experiments.figures.depth import depth_figures
from experiments.questions.base import Question, Tables
from experiments.questions.cases import Case, cases
from experiments.summary import Measure, Summary
from experiments.tables import show_summaries

DIRECTIONS: Mapping[str, Direction] = {
    "lrp0": Activations(),
    "gamma": Gamma(),
    "zplus": ZPlus(),
    "zplus_signed": Contributions(),
    "wsquare": Weights(),
}
RANK = 1e-6  # singular values below this share of the largest are 0
SUMMARIES = {
    "rows": Summary(
        within=("model", "direction"),
        compared=("depth", "layer"),
        measures={
            "relevance_error": Measure("relevance error", "low"),
            "c_change": Measure("change of c", "low"),
            "c_slope": Measure("slope of c", "low"),
            "exists": Measure("roots found"),
            "zeroth": Measure("zeroth"),
            "remainder": Measure("remainder"),
            "rank": Measure("rank of ∂R/∂a"),
            "effective_rank": Measure("effective rank"),
        },
    )
}


def tables(config: Config) -> Iterator[tuple[str, pd.DataFrame]]:
    """``rows``: one for each model, direction, sample and affine layer, numbered from the input."""
    asked: ExactConfig = config.question
    found = []
    for case in cases(config, asked.samples):
        for name in progress(list(asked.directions), f"full recursion on {case.name}"):
            label = {"model": case.name, "direction": name, "roots": asked.roots.value}
            found += [label | row for row in compared(config, case, name)]
    yield "rows", pd.DataFrame(found)


def compared(config: Config, case: Case, name: str) -> Iterator[dict[str, float]]:
    """The layers and samples under one direction; raises :class:`ConfigError` where the recursion costs too much."""
    asked: ExactConfig = config.question
    direction = DIRECTIONS[name]
    exact = Plan([(every, Exact(direction, asked.roots.value, budget=asked.budget))])
    try:
        true = Passed.through(case.network, case.x, case.target, exact)
        free = Passed.through(case.network, case.x, case.target, Plan([(every, Ray(direction))]))
    except (BudgetError, InputError) as error:
        raise ConfigError(f"The exact model does not run on {case.name}: {error}") from error
    depth = 0
    for position, layer in enumerate(case.network.layers):
        if isinstance(layer.op, AffineMap) and layer.weighted:
            depth += 1
            below = layer.inputs[0]
            parts = list(expansions(true, position))
            for i in range(len(case.x)):
                yield {
                    "sample": i,
                    "layer": layer.name,
                    "depth": depth,
                    "relevance_error": difference(true.relevance[below][i], free.relevance[below][i]),
                    **expanded(true, position, parts, i),
                    **ranks(true, below, i),
                }


class Passed:
    """A finished pass, and the functions that it was made of."""

    def __init__(self, network: Network, models, x: Tensor, target: Tensor):
        self.network, self.models = network.graph, models
        passed = observe_models(network.read(x), models, target)
        self.swept, self.values, self.initial, self.balances = (
            passed.swept,
            passed.swept.saved,
            passed.initial,
            passed.balances,
        )
        self.relevance: dict[int, Tensor] = {**passed.arrived, **passed.relevance}

    @classmethod
    def through(cls, network: Network, x: Tensor, target: Tensor, plan: Plan) -> "Passed":
        """The pass of a plan."""
        return cls(network, plan.bind(network), x, target)

    def above(self, position: int) -> Above:
        """The relevance of a value as a function of it."""
        return Above(self.network, self.models, self.swept, position, self.initial.abs().flatten(1).sum(1))


def difference(true: Tensor, other: Tensor) -> float | None:
    """``Σ |R − R'| / Σ |R'|``; missing where nothing arrives."""
    whole = other.abs().sum()
    return float((true - other).abs().sum() / whole) if whole > 0 else None


@torch.no_grad()
def expansions(passed: Passed, position: int) -> Iterator[Expansion]:
    """The expansions of one layer at the data points."""
    context = Context(position, passed.values[position], {}, passed.above(position))
    return passed.models[position].expansions(passed.network.layers[position], context, passed.relevance[position])


@torch.no_grad()
def expanded(passed: Passed, position: int, parts: Sequence[Expansion], i: int) -> dict[str, float | None]:
    """How constant ``c_k`` is on sample i's ways to the roots of one layer, and what became of its relevance.

    ``c_change``: median of ``|c_k(ã)/c_k(a) − 1|`` over units with a root at their own kink. ``c_slope``: median of
    ``|∇c_k(a)·(a − ã) / c_k(a)|`` over units with a root.
    """
    layer = passed.network.layers[position]
    change, slope, exists = [], [], []
    for part in parts:
        way, mine = part.ways, part.ways.samples == i
        found = part.exists & mine
        moved = (way.data - part.points).flatten(1)
        rows = layer.op.rows(way.units, layer.op.weight)
        z = layer.op.apply(way.data).flatten(1).gather(1, way.units[:, None])[:, 0]
        fields = layer.op.receptive_field(way.units)
        step = (rows * moved.gather(1, fields.clamp(min=0)) * (fields >= 0)).sum(1)  # z(a) − z(ã)
        own = found & ((z - step).abs() < 1e-9 * z.abs())
        _, gradient = differentiated(way, way.data, 1)
        relative = (gradient.flatten(1) * moved).sum(1) / part.relevance - step / z
        change.append((part.first.flatten(1).sum(1) / part.relevance - 1)[own].abs())
        slope.append(relative[found].abs())
        exists.append(found[mine])
    balance, whole = passed.balances[position], float(passed.relevance[position][i].abs().sum())
    return {
        "units": len(torch.cat(exists)),
        "exists": mean(torch.cat(exists)),
        "own_kink": len(torch.cat(change)) / max(1, len(torch.cat(exists))),
        "c_change": median(torch.cat(change)),
        "c_slope": median(torch.cat(slope)),
        "zeroth": float(balance.zeroth[i]) / whole if whole else None,
        "remainder": float(balance.remainder[i]) / whole if whole else None,
    }


def ranks(passed: Passed, index: int, i: int) -> dict[str, float]:
    """Rank and effective rank (exponential of the singular values' entropy) of ``∂R/∂a`` at one value, for sample i."""
    layer = min(j for j, each in enumerate(passed.network.layers) if index in each.inputs)
    value = passed.values[layer][index][i : i + 1]
    if index < 0:
        return {"rank": None, "effective_rank": None, "active": None}
    above, rows = passed.above(index), torch.tensor([i])

    def relevance(a: Tensor) -> Tensor:
        return above({index: a.view_as(value)}, rows, 1).flatten()

    jacobian = torch.autograd.functional.jacobian(relevance, value.flatten())
    size = torch.linalg.svdvals(jacobian)
    share = size / size.sum() if size.sum() > 0 else size
    return {
        "rank": int((size > RANK * size.max()).sum()) if size.sum() > 0 else 0,
        "effective_rank": float(torch.special.entr(share).sum().exp()) if size.sum() > 0 else 0.0,
        "active": int((value != 0).sum()),
    }


def mean(values: Tensor) -> float | None:
    """The mean; missing where there is none."""
    return float(values.double().mean()) if len(values) else None


def median(values: Tensor) -> float | None:
    """The median; missing where there is none."""
    return float(values.median()) if len(values) else None


def check(config: Config) -> None:
    """Raises :class:`ConfigError` where the question does not fit."""
    asked: ExactConfig = config.question
    require(asked.samples >= 1, "question.samples", "at least 1", asked.samples)
    require(asked.budget >= 1, "question.budget", "at least 1", asked.budget)
    for name in asked.directions:
        require(name in DIRECTIONS, "question.directions", f"among {', '.join(DIRECTIONS)}", name)


def problems(tables: Tables) -> list[str]:
    """There are none: every outcome is an answer."""
    return []


FIGURES = depth_figures(
    "exact",
    {"relevance_error": "relevance error", "c_change": "|c(ã)/c(a) − 1|", "effective_rank": "effective rank"},
    ("model",),
    "direction",
)
QUESTION = Question(check, tables, show_summaries(SUMMARIES), FIGURES, problems, summaries=SUMMARIES)
