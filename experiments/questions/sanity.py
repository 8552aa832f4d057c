"""Does an explanation depend on the model's weights, and on the class that it explains?

Cascading randomisation (:mod:`experiments.measures.randomisation`): layers lose their weights one after the other, and
the relevance before and after is compared; an explanation that stays alike did not depend on what was lost. Cosine
convergence (:mod:`experiments.measures.convergence`): relevance of different classes that turns to one direction on its
way down does not depend on the class.
"""

from collections.abc import Iterator
from copy import deepcopy

import pandas as pd
import torch
from torch import Tensor
from torch.nn.functional import one_hot

from dtd.explaining.explain import explain
from dtd.network import Network, trace
from experiments.configs.base import ConfigError, require
from experiments.configs.questions.explanations import SanityConfig, Starts
from experiments.configs.run import Config
from experiments.cost.peers import installed
from experiments.figures.curves import curve_figures
from experiments.figures.summary import Measure, Summary
from experiments.figures.terminal.summaries import show_summaries
from experiments.machine.console import progress
from experiments.measures.convergence import convergence
from experiments.measures.randomisation import groups, randomised
from experiments.measures.similarity import SIMILARITIES
from experiments.plans import plans
from experiments.questions.base import Question
from experiments.questions.cases import BATCH, Case, cases

LABELS = {
    "spearman": "Spearman's ρ",
    "absolute_spearman": "Spearman's ρ of |R|",
    "cosine": "cosine",
    "ssim": "SSIM",
}
AFTER = {name: Measure(label, "low") for name, label in LABELS.items()}
SUMMARIES = {
    "rows": Summary(within=("model", "order"), compared=("plan",), measures=AFTER, only={"last": True}),
    "cascade": Summary(within=("model", "order"), compared=("plan",), measures=AFTER, along="randomised"),
    "convergence": Summary(
        within=("model",), compared=("plan",), measures={"cosine": Measure("cosine between classes", "low")}, along="depth"
    ),
}


def tables(config: Config) -> Iterator[tuple[str, pd.DataFrame]]:
    """``rows``: similarity to the relevance before, by sample, draw and step; ``convergence``: cosines by layer."""
    found = list(cases(config, config.asked(SanityConfig).samples))
    yield "rows", pd.concat([table for case in found for table in cascades(config, case)], ignore_index=True)
    yield "convergence", pd.concat([table for case in found for table in converging(config, case)], ignore_index=True)


def cascades(config: Config, case: Case) -> Iterator[pd.DataFrame]:
    """The similarities of one model, for each order, draw, step and plan; step 0 is the model itself."""
    asked = config.asked(SanityConfig)
    parts, copy = groups(case.network), deepcopy(case.model)
    network = trace(copy, case.x, case.subject.domain)  # it follows the copy's weights
    before = relevances(config, case, network)
    jobs = [(order.value, draw) for order in asked.orders for draw in range(asked.draws)]
    for order, draw in progress(jobs, f"randomising {case.name}"):
        changed = randomised(case.model, parts, order, config.seed * asked.draws + draw)
        for step, (layer, model) in enumerate([("", case.model), *changed]):
            copy.load_state_dict(model.state_dict())
            label = {"model": case.name, "order": order, "draw": draw, "step": step, "layer": layer}
            label |= {"randomised": step / len(parts), "last": step == len(parts)}
            for plan, after in relevances(config, case, network).items():
                alike = {name: SIMILARITIES[name](before[plan], after).numpy() for name in asked.similarities}
                yield pd.DataFrame({**label, "plan": plan, "sample": range(len(case.x)), **alike})


def relevances(config: Config, case: Case, network: Network) -> dict[str, Tensor]:
    """Relevance of the explained classes under each plan, as the network is now. # shape: (B, *in) each

    The initial relevance is 1: the sign of an output that training no longer decides must not turn the map over.
    """
    starts = one_hot(case.target, case.network.layers[case.network.output].shape[0]).to(case.x)
    batches = list(zip(case.x.split(BATCH), starts.split(BATCH), strict=True))
    made = plans(config, network, case.batches)  # what a plan takes from data, it takes from this network
    return {
        name: torch.cat([explain(network, x, start, plan).relevance for x, start in batches]) for name, plan in made.items()
    }


def converging(config: Config, case: Case) -> Iterator[pd.DataFrame]:
    """The cosines of one model, for each plan and layer: the median over pairs for each sample."""
    asked = config.asked(SanityConfig)
    classes = case.network.layers[case.network.output].shape[0]
    starts = torch.eye(classes, dtype=case.x.dtype)
    if asked.starts is Starts.normal:
        generator = torch.Generator().manual_seed(config.seed)
        starts = torch.randn(asked.directions, classes, generator=generator, dtype=case.x.dtype)
    for name, plan in progress(case.plans.items(), f"following relevance down {case.name}", len(case.plans)):
        parts = [convergence(case.network, x, starts, plan) for x in case.x.split(max(1, BATCH // len(starts)))]
        for depth, spreads in enumerate(zip(*parts, strict=True)):
            cosines = torch.cat([spread.cosines for spread in spreads])
            label = {"model": case.name, "plan": name, "depth": depth, "layer": spreads[0].layer}
            found = {"cosine": cosines.median(1).values.numpy(), "least": cosines.min(1).values.numpy()}
            yield pd.DataFrame({**label, "sample": range(len(case.x)), **found})


def check(config: Config) -> None:
    """Raises :class:`ConfigError` where the question does not fit."""
    asked = config.asked(SanityConfig)
    require(asked.samples >= 1, "question.samples", "at least 1", asked.samples)
    require(bool(asked.orders), "question.orders", "not empty", asked.orders)
    require(asked.draws >= 1, "question.draws", "at least 1", asked.draws)
    require(asked.directions >= 2, "question.directions", "at least 2", asked.directions)
    require(bool(asked.similarities), "question.similarities", "not empty", asked.similarities)
    for name in asked.similarities:
        require(name in SIMILARITIES, "question.similarities", f"among {', '.join(SIMILARITIES)}", name)
    if "ssim" in asked.similarities and not installed("skimage"):
        raise ConfigError("'ssim' needs scikit-image: pip install '.[images]', or leave it out of 'question.similarities'.")


QUESTION = Question(check, tables, show_summaries(SUMMARIES), curve_figures(SUMMARIES), summaries=SUMMARIES)
