"""What does the generic Taylor model make of layers that no rule is written for?

The modules that the config names are kept in one piece (``dtd.trace(..., opaque=...)``) and expanded by
:class:`dtd.Generic`: at the first root on the way to a reference, or at the reference itself, in one or more Taylor steps
of first or second order. Rows say what became of the relevance that those layers got, and how much the score falls when
the most relevant pixels go black, one after the other (AOPC over the first half of them), beside a random order.
"""

from collections.abc import Iterator, Mapping

import pandas as pd
import torch
from matplotlib.figure import Figure
from torch import Tensor

from dtd.explaining.explain import explain
from dtd.network import Network
from dtd.network.activations import activations
from dtd.plans.entry import Entry
from dtd.plans.plan import Plan
from dtd.plans.rules import choose
from dtd.plans.where import every, name
from dtd.relevance import Generic
from experiments.configs.base import require
from experiments.configs.questions.relevance_models import GenericConfig
from experiments.configs.run import Config
from experiments.figures.curves import curve_figures
from experiments.figures.summary import Measure, Summary, Tables
from experiments.figures.terminal.summaries import show_summaries
from experiments.machine.console import progress
from experiments.measures.perturbation import Regions, aopc, counts, curve, most_relevant_first, random_order
from experiments.models import Subject, subjects
from experiments.questions.base import Question
from experiments.questions.cases import traced

REFERENCES = ("black", "mean")
ORDERS = {1: "first order", 2: "second order"}
SHARES = {"first": Measure("handed down"), "zeroth": Measure("zeroth"), "remainder": Measure("remainder")}
FALL = Measure("AOPC", "high")
SUMMARIES = {
    "rows": Summary(within=("model",), compared=("way", "order"), measures={**SHARES, "aopc": FALL}, only={"last": True}),
    "remainders": Summary(
        within=("model", "order"), compared=("way",), measures={"left": Measure("|remainder| / R", "low")}, along="steps"
    ),
}


def tables(config: Config) -> Iterator[tuple[str, pd.DataFrame]]:
    """``rows``: for each model, sample and way of expansion, the shares of the opaque layers' relevance, and the AOPC."""
    asked = config.asked(GenericConfig)
    made = []
    for model, subject in subjects(config.model, config.data).items():
        made += list(expanded(config, model, subject, asked.opaque[model]))
    yield "rows", pd.concat(made, ignore_index=True)


@torch.no_grad()
def expanded(config: Config, name_: str, subject: Subject, opaque: list[str]) -> Iterator[pd.DataFrame]:
    """The rows of one model."""
    asked = config.asked(GenericConfig)
    case = traced(subject, config.dtype.torch, asked.samples, opaque)
    model, x, network = case.subject.model, case.x, case.network
    target = model(x).argmax(1)
    means = mean_inputs(network, case.subject.train_x)
    score = lambda images: model(images).gather(1, target[:, None])[:, 0]  # noqa: E731
    regions = Regions.of(tuple(x.shape[1:]), 1)
    gone = counts(regions.number, None, 0.5)

    def fall(order: Tensor) -> Tensor:
        return aopc(curve(score, x, regions, order, gone, x.new_zeros(())))

    ways = [
        (reference, at, steps, order)
        for reference in asked.references
        for at in ("root", "reference")
        for order in (1, 2)
        for steps in asked.steps
    ]
    for reference, at, steps, order in progress(ways, f"expanding {name_}", len(ways)):
        generic = [
            (name(layer), Generic(0.0 if reference == "black" else mean, at, steps, order)) for layer, mean in means.items()
        ]
        out = explain(network, x, target, Plan([*generic, Entry(every, choose("lrp0"), optional=True)]))
        label = {"model": name_, "way": f"{at}, {reference}", "order": ORDERS[order]}
        label |= {"steps": steps, "last": steps == max(asked.steps)}
        yield pd.DataFrame({**label, **shares(out, means), "aopc": fall(most_relevant_first(regions.totals(out.relevance)))})
    order = random_order(len(x), regions.number, torch.Generator().manual_seed(config.seed))
    yield pd.DataFrame({"model": name_, "way": "random", "order": "none", "steps": 0, "last": True, "aopc": fall(order)})


def mean_inputs(network: Network, data: Tensor) -> dict[str, Tensor]:
    """What each opaque layer receives on average. # shape: (1, *in)"""
    return {layer.name: a.mean(0, keepdim=True) for layer, a, _ in activations(network, data) if layer.kind == "opaque"}


def shares(out, layers: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Parts of the opaque layers' relevance, for each sample."""
    balances = [out.layers[layer].balance for layer in layers]
    total = sum(balance.relevance for balance in balances)
    found = {part: sum(getattr(balance, part) for balance in balances) / total for part in SHARES}
    return {**found, "left": found["remainder"].abs(), "sample": torch.arange(len(total))}


def check(config: Config) -> None:
    """Raises :class:`ConfigError` where the question does not fit."""
    asked = config.asked(GenericConfig)
    require(asked.samples >= 1, "question.samples", "at least 1", asked.samples)
    require(bool(asked.steps) and min(asked.steps) >= 1, "question.steps", "at least 1 each", asked.steps)
    require(bool(asked.references), "question.references", "not empty", "an empty list")
    for reference in asked.references:
        require(reference in REFERENCES, "question.references", f"among {', '.join(REFERENCES)}", reference)
    parts = getattr(config.model, "parts", {})
    for model in parts or {}:
        require(
            bool(asked.opaque.get(model)), "question.opaque", f"modules for each model; '{model}' lacks them", asked.opaque
        )


def figures(tables: Tables) -> Mapping[str, Figure]:
    """What the steps leave over; a way that finds no root takes no step and is left out."""
    rows = tables["rows"]
    made = curve_figures(SUMMARIES)({**tables, "remainders": rows[rows.left > 0]})["remainders"]
    for axes in made.axes:
        axes.set_xscale("log", base=2)
        axes.set_yscale("log")
    return {"generic": made}


QUESTION = Question(check, tables, show_summaries(SUMMARIES), figures, summaries=SUMMARIES)
