"""Is a root what it is said to be? Whether it stays in the linear region of the network above, and what is left there.

The experiment of Sixt & Landgraf 2022, Sec. 5, by rule, depth, and trained or random weights.
"""

from collections.abc import Iterator
from copy import deepcopy

import pandas as pd
import torch
from torch import nn

from dtd.audit import root_regions
from dtd.network import trace
from experiments.configs.base import require
from experiments.configs.questions.roots import RootRegionsConfig
from experiments.configs.run import Config
from experiments.figures.depth import depth_figures
from experiments.figures.summary import Measure, Summary
from experiments.figures.terminal.summaries import show_summaries
from experiments.machine.conditions import seeded
from experiments.machine.console import progress
from experiments.plans import plans
from experiments.questions.base import Question
from experiments.questions.cases import Case, cases

WEIGHTS = ("trained", "random_weights")
SUMMARIES = {
    "rows": Summary(
        within=("model", "weights", "layer"),
        compared=("plan",),
        measures={
            "same_region": Measure("same linear region", "high"),
            "relevance_left": Measure("relevance left", "low"),
            "relevance_vanishes": Measure("relevance vanishes", "high"),
            "score_left": Measure("score left"),
            "score_vanishes": Measure("score vanishes"),
        },
    )
}


def tables(config: Config) -> Iterator[tuple[str, pd.DataFrame]]:
    """``rows``: one for each model, weights, plan and layer with weights, numbered from the input."""
    asked = config.asked(RootRegionsConfig)
    yield "rows", pd.concat([looked(config, case) for case in cases(config, asked.samples)], ignore_index=True)


def looked(config: Config, case: Case) -> pd.DataFrame:
    """The rows of one model: as it was trained, and with random weights of the same initialisation."""
    asked = config.asked(RootRegionsConfig)
    found, random = [], redrawn(case.model, config.seed)
    for weights, model in zip(WEIGHTS, (case.model, random), strict=True):
        network = trace(model, case.x, case.subject.domain)
        with torch.no_grad():
            target = model(case.x).argmax(1)
        depth = {layer.name: i for i, layer in enumerate(network.weighted, 1)}
        made = plans(config, network, case.batches)
        for name, plan in progress(list(made.items()), f"looking at roots of {case.name}, {weights}"):
            rows = root_regions(network, case.x, target, plan, units=asked.units, seed=config.seed)
            label = {"model": case.name, "weights": weights, "samples": len(case.x), "plan": name}
            kept = rows[rows.layer.isin(depth)].rename(columns={"model": "relevance_model"})
            found.append(kept.assign(**label, depth=kept.layer.map(depth)))
    first = ["model", "weights", "plan", "depth"]
    table = pd.concat(found, ignore_index=True)
    return table[first + [column for column in table if column not in first]]


def redrawn(model: nn.Module, seed: int) -> nn.Module:
    """A copy whose layers have their initial distribution again."""
    copy = deepcopy(model)
    with seeded(seed):
        for module in copy.modules():
            if hasattr(module, "reset_parameters"):
                module.reset_parameters()
    return copy


def check(config: Config) -> None:
    """Raises :class:`ConfigError` where the question does not fit."""
    asked = config.asked(RootRegionsConfig)
    require(asked.samples >= 1, "question.samples", "at least 1", asked.samples)
    require(asked.units is None or asked.units >= 1, "question.units", "at least 1, or null for all", asked.units)


MEASURES = {"same_region": "roots in the same region", "score_left": "score at the root / score"}
FIGURES = depth_figures("root_regions", MEASURES, ("model", "weights"))
QUESTION = Question(check, tables, show_summaries(SUMMARIES), FIGURES, summaries=SUMMARIES)
