"""Does the relevance derived from root points equal the explicit LRP rule, layer by layer?

For every rule of the catalogue, every bias mode and both precisions, the relevance that arrives at each affine layer is
handed through the derived relevance model and through the explicit rule of that layer, and the results are compared. One
more row compares the explanations of the whole network.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

import pandas as pd
import torch
from torch import Tensor

from dtd.affine import AffineMap
from dtd.explaining.explain import explain
from dtd.explaining.observe import observe
from dtd.network import Network, trace
from dtd.plans.rules import catalogue
from experiments.configs.base import require
from experiments.configs.questions.explanations import CorrespondenceConfig
from experiments.configs.run import Config
from experiments.figures.heatmaps import heatmap_figures
from experiments.figures.summary import Measure, Summary, Tables
from experiments.figures.terminal.correspondence import show_correspondence
from experiments.machine.console import progress
from experiments.measures.agreement import agreement
from experiments.measures.rounding import Bounds, bounds
from experiments.models import Subject, subjects
from experiments.plans import Assigned, Measured, Request, check_parameters, check_rule, measure
from experiments.questions import pictures
from experiments.questions.base import Question

NETWORK = "(network)"  # the layer's name in rows about the whole network
SIDES = ("derived", "explicit")
SUMMARIES = {
    "rows": Summary(
        within=("model", "bias", "dtype"),
        compared=("rule",),
        measures={
            "max_rel": Measure("largest difference"),
            "of_allowed": Measure("share of what rounding allows"),
            "conserved_derived": Measure("conservation, derived"),
            "conserved_explicit": Measure("conservation, explicit"),
        },
        only={"layer": NETWORK},
    )
}


@dataclass(frozen=True, eq=False)
class Case:
    """One model in one precision, with the samples that are explained. # shape: x (B, *in), target (B,)"""

    network: Network
    x: Tensor
    target: Tensor
    measured: Measured


@torch.no_grad()
def cases(subject: Subject, samples: int) -> dict[torch.dtype, Case]:
    """One model with samples, measurements and targets (the predicted classes), in float64 and in float32."""
    found = len(subject.test_x)
    require(samples <= found, "question.samples", f"at most the {found} samples of the test set", samples)
    x = subject.test_x[:samples]
    target = subject.model(x).argmax(1)
    double = subject.to(torch.float64)
    network = trace(double.model, double.test_x[:samples], subject.domain)
    measured = measure(network, double.train_x, double.test_x)
    return {
        torch.float64: Case(network, double.test_x[:samples], target, measured),
        torch.float32: Case(trace(subject.model, x, subject.domain), x, target, measured.to(torch.float32)),
    }


def rows(config: Config) -> pd.DataFrame:
    """One row for each model × rule × bias × precision × layer."""
    asked = config.asked(CorrespondenceConfig)
    found = []
    for name, subject in subjects(config.model, config.data).items():
        by_dtype = cases(subject, asked.samples)
        common = {"model": name, "accuracy": subject.accuracy(), "samples": len(by_dtype[torch.float64].x)}
        for request in progress(requests(asked), f"comparing rules on {name}"):
            limits = limits_of(by_dtype[torch.float64], request)
            for dtype in asked.dtypes:
                pair = compare(by_dtype[dtype.torch], request, limits)
                described = {**common, "rule": request.rule, "bias": request.bias, "dtype": dtype.value}
                found += [{**described, **row} for row in pair]
    return pd.DataFrame(found)


def requests(asked: CorrespondenceConfig) -> list[Request]:
    """Every rule in every bias mode."""
    rules = catalogue if asked.rules is None else asked.rules
    return [Request(rule, bias.value, asked.parameters.get(rule, {})) for rule in rules for bias in asked.biases]


def limits_of(case: Case, request: Request) -> Bounds:
    """What rounding can do to the request's relevance; the case is in float64."""
    plan = request.assign(case.network, case.measured).plan
    return bounds(case.network, plan.bind(case.network), case.x, case.target)


@torch.no_grad()
def compare(case: Case, request: Request, limits: Bounds) -> Iterator[dict[str, Any]]:
    """A row for the whole network, and one for each affine layer."""
    assigned = request.assign(case.network, case.measured)
    derived, explicit = (explain(case.network, case.x, case.target, p) for p in (assigned.plan, assigned.plan.explicit()))
    start = case.x.new_zeros(len(case.x)) + derived.initial.flatten(1).sum(1)
    ends = derived.relevance, explicit.relevance
    yield row(NETWORK, "network", request.rule, (start, *ends), limits.network)
    yield from layer_rows(case, assigned, limits)


def layer_rows(case: Case, assigned: Assigned, limits: Bounds) -> Iterator[dict[str, Any]]:
    """Both propagations of each affine layer on the same inputs and the same arriving relevance."""
    network, plan = case.network, assigned.plan
    derived, explicit = plan.bind(network), plan.explicit().bind(network)
    arrived = observe(network, case.x, case.target, plan).arrived
    values = {-1: case.x}
    for i, layer in enumerate(network.layers):
        inputs = tuple(values[j] for j in layer.inputs)
        values[i], saved = derived[i].forward(layer, inputs)
        if isinstance(layer.op, AffineMap):
            below = derived[i].backward(layer, saved, arrived[i])
            formula = explicit[i].backward(layer, explicit[i].forward(layer, inputs)[1], arrived[i])
            parts = arrived[i].flatten(1).sum(1), flat(below.relevance), flat(formula.relevance)
            yield row(layer.name, layer.kind, assigned.used[layer.name], parts, flat(limits.layers[i]))


def flat(parts: tuple[Tensor, ...]) -> Tensor:
    """What a layer hands to all of its inputs, side by side. # shape: (B, *in) each -> (B, n)"""
    return torch.cat([part.flatten(1) for part in parts], 1)


def row(layer: str, kind: str, used: str, parts: tuple[Tensor, Tensor, Tensor], limit: Tensor) -> dict[str, Any]:
    """Agreement of one layer; ``parts`` are what arrived ``(B,)``, and what the two sides hand down."""
    arrived, derived, explicit = parts
    agreed = agreement(derived.flatten(1), explicit.flatten(1), limit.flatten(1))
    total = arrived.double().sum()
    conserved = {f"conserved_{side}": (r.double().sum() / total).item() for side, r in zip(SIDES, parts[1:], strict=True)}
    return {"layer": layer, "kind": kind, "used": used, **asdict(agreed), **conserved}


def check(config: Config) -> None:
    """Raises :class:`ConfigError` where the question does not fit."""
    asked = config.asked(CorrespondenceConfig)
    for rule in asked.rules or ():
        check_rule(rule, "question.rules")
    for rule, parameters in asked.parameters.items():
        check_rule(rule, "question.parameters")
        check_parameters(rule, parameters, f"question.parameters.{rule}")
    require(asked.samples >= 1, "question.samples", "at least 1", asked.samples)
    require(0 <= asked.shown < asked.samples, "question.shown", f"one of the samples 0 to {asked.samples - 1}", asked.shown)
    require(bool(asked.biases) and bool(asked.dtypes), "question.biases and question.dtypes", "not empty", "an empty list")


def tables(config: Config) -> Iterator[tuple[str, pd.DataFrame]]:
    """The comparison, and for the figure the pixels and roots of one digit under every rule."""
    yield "rows", rows(config)
    yield from pictures.tables(config).items()


def problems(tables: Tables) -> list[str]:
    """Every pair that disagrees."""
    wrong = tables["rows"].query("not agree")
    return [
        f"{r.model}, {r.rule}, bias {r.bias}, {r.dtype}, layer {r.layer}: derived and explicit differ by {r.max_rel:.2g} "
        f"of the largest relevance, {r.of_allowed:.2g} times what rounding allows"
        for r in wrong.itertuples()
    ]


def of_allowed(tables: Tables) -> float:
    """The largest difference, as a share of what rounding allows."""
    return tables["rows"].of_allowed.max()


QUESTION = Question(check, tables, show_correspondence, heatmap_figures, problems, {"of_allowed": of_allowed}, SUMMARIES)
