"""Are the root points roots, and in the domain? By rule, depth and sign of the bias, with trained and with random weights.

Every unit that receives relevance has its root built and looked at (:mod:`dtd.audit`). Units are told apart by the sign
of their bias, since that decides for many rules on which side of the domain's border the root lies.
"""

from collections.abc import Callable, Iterator, Mapping

import pandas as pd
import torch
from torch import Tensor

from dtd.audit import audit_cost
from dtd.audit.audit import chosen, units_row
from dtd.audit.findings import Look, findings
from dtd.explaining.observe import observe
from dtd.explaining.target import initial_relevance
from dtd.network import Network, trace
from dtd.plans.plan import Plan
from dtd.propagation import Layer
from dtd.relevance import RelevanceModel
from experiments.configs.base import require
from experiments.configs.questions.roots import Explained, ValidityConfig, Weights
from experiments.configs.run import Config
from experiments.figures.summary import Measure, Summary
from experiments.figures.terminal.summaries import show_summaries
from experiments.figures.validity import validity_figures
from experiments.machine.console import progress
from experiments.measures.randomisation import groups, randomised
from experiments.plans import plans
from experiments.questions.base import Question
from experiments.questions.cases import Case, cases

SIGNS: Mapping[str, Callable[[Tensor], Tensor]] = {"b ≤ 0": lambda bias: bias <= 0, "b > 0": lambda bias: bias > 0}
MEMORY = 2**28  # bytes that the roots of a chunk of units may take
SHARES = ("valid", "inactive", "no_root", "not_zero", "domain_left", "region_left")
SUMMARIES = {
    "rows": Summary(
        within=("model", "weights", "bias_sign"),
        compared=("plan",),
        measures={
            "valid": Measure("valid", "high"),
            "left": Measure("active: domain left", "low"),
            "no_root": Measure("no root ahead"),
            "distance": Measure("distance", "low"),
        },
    ),
}


@torch.no_grad()
def rows(config: Config) -> pd.DataFrame:
    """One row for each model × weights × plan × layer with weights × sign of the bias.

    ``position`` counts the layers with weights from the input, from 1. ``units`` receive relevance; of them the shares
    ``valid``, ``inactive``, ``no_root``, ``not_zero``, ``domain_left``, ``region_left`` (the first reason that applies; they
    add up to 1). ``left``: the share of active units whose root is outside the domain. ``distance`` is the median of
    ``‖a − ã‖/‖a‖``.
    """
    asked = config.asked(ValidityConfig)
    found = []
    for case in cases(config, asked.samples):
        for weights in asked.weights:
            network, made = weighted(config, case, weights)
            size = sum(audit_cost(network, case.x, plan, memory=MEMORY).coordinates.sum() for plan in made.values())
            doing = f"auditing {case.name}, {weights.value} weights, up to {size:.1e} root coordinates"
            for name, plan in progress(made.items(), doing, len(made)):
                label = {"model": case.name, "weights": weights.value, "plan": name, "samples": len(case.x)}
                found += [{**label, **row} for row in audited(asked, network, case, plan, config.seed)]
    return pd.DataFrame(found)


def weighted(config: Config, case: Case, weights: Weights) -> tuple[Network, Mapping[str, Plan]]:
    """The network with its own weights, or with random ones, and the plans for it."""
    if weights is Weights.own:
        return case.network, case.plans
    *_, (_, model) = randomised(case.model, groups(case.network), "output", config.seed)
    network = trace(model, case.x, case.subject.domain)
    return network, plans(config, network, case.batches)


def predicted(output: Tensor) -> Tensor:
    """The score of each sample's predicted class as the initial relevance."""
    return initial_relevance(output, output.argmax(1))


def audited(asked: ValidityConfig, network: Network, case: Case, plan: Plan, seed: int) -> Iterator[dict]:
    """The rows of one plan."""
    passed = observe(network, case.x, predicted if asked.explained is Explained.predicted else torch.clone, plan)
    position = 0
    for i, layer, inputs, _ in passed.graph.ascend(passed.values):
        if layer.weighted and isinstance(passed.models[i], RelevanceModel):
            position += 1
            index = chosen(passed.arrived[i], asked.units, seed)
            for sign, part in by_sign(layer, index).items():
                here = units_row(findings(passed.models[i], Look.at(passed, i, inputs, part, MEMORY)))
                yield {"layer": layer.name, "position": position, "bias_sign": sign, **shares(here)}


def by_sign(layer: Layer, index: Tensor) -> dict[str, Tensor]:
    """The units with each sign of the bias, where any receives relevance. # shape: (k,)"""
    affine = layer.op
    bias = torch.zeros(1) if affine.bias is None else affine.per_output(affine.bias)
    bias = bias.expand(affine.out_shape).flatten()[index]
    parts = {sign: index[holds(bias)] for sign, holds in SIGNS.items()}
    return {sign: part for sign, part in parts.items() if len(part)}


def shares(found: Mapping[str, float | int | None]) -> dict[str, float | int | None]:
    """The columns of a row; shares are missing where no unit receives relevance."""
    active = 1 - (found["inactive"] or 0)
    left = found["domain_left"] / active if found["units"] and active else None
    return {"units": found["units"], **{s: found[s] for s in SHARES}, "left": left, "distance": found["relative_distance"]}


def tables(config: Config) -> Iterator[tuple[str, pd.DataFrame]]:
    """The rows."""
    yield "rows", rows(config)


def check(config: Config) -> None:
    """Raises :class:`ConfigError` where the question does not fit."""
    asked = config.asked(ValidityConfig)
    require(asked.samples >= 1, "question.samples", "at least 1", asked.samples)
    require(asked.units is None or asked.units >= 1, "question.units", "at least 1, or null for all", asked.units)
    require(bool(asked.weights), "question.weights", "not empty", asked.weights)


QUESTION = Question(check, tables, show_summaries(SUMMARIES), validity_figures, summaries=SUMMARIES)
