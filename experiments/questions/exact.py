"""How far is the training-free model from the true relevance function, layer by layer?

For each direction the full recursion is compared with the training-free model: how different the relevance is, how constant
``c_k = R_k / z_k`` is on the way to the root, and what rank the relevance has as a function of the activations.
"""

from collections.abc import Iterator, Mapping

import pandas as pd

from dtd.affine import AffineMap
from dtd.direction import Activations, Contributions, Direction, Gamma, Weights, ZPlus
from dtd.errors import BudgetError, InputError
from dtd.explaining.observe import observe
from dtd.plans.plan import Plan
from dtd.plans.where import every
from dtd.relevance import Exact
from dtd.root import Ray
from experiments.configs.base import ConfigError, require
from experiments.configs.questions.relevance_models import ExactConfig
from experiments.configs.run import Config
from experiments.figures.depth import depth_figures
from experiments.figures.summary import Measure, Summary
from experiments.figures.terminal.summaries import show_summaries
from experiments.machine.console import progress
from experiments.measures.recursion import difference, expanded, expansions, ranks
from experiments.questions.base import Question
from experiments.questions.cases import Case, cases

DIRECTIONS: Mapping[str, Direction] = {
    "lrp0": Activations(),
    "gamma": Gamma(),
    "zplus": ZPlus(),
    "zplus_signed": Contributions(),
    "wsquare": Weights(),
}
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
    asked = config.asked(ExactConfig)
    found = []
    for case in cases(config, asked.samples):
        for name in progress(list(asked.directions), f"full recursion on {case.name}"):
            label = {"model": case.name, "direction": name, "roots": asked.roots.value}
            found += [label | row for row in compared(config, case, name)]
    yield "rows", pd.DataFrame(found)


def compared(config: Config, case: Case, name: str) -> Iterator[dict[str, float]]:
    """The layers and samples under one direction; raises :class:`ConfigError` where the recursion costs too much."""
    asked = config.asked(ExactConfig)
    direction = DIRECTIONS[name]
    exact = Plan([(every, Exact(direction, asked.roots.value, budget=asked.budget))])
    try:
        true = observe(case.network, case.x, case.target, exact)
        free = observe(case.network, case.x, case.target, Plan([(every, Ray(direction))]))
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
                    "relevance_error": difference(true.of_values[below][i], free.of_values[below][i]),
                    **expanded(true, position, parts, i),
                    **ranks(true, below, i),
                }


def check(config: Config) -> None:
    """Raises :class:`ConfigError` where the question does not fit."""
    asked = config.asked(ExactConfig)
    require(asked.samples >= 1, "question.samples", "at least 1", asked.samples)
    require(asked.budget >= 1, "question.budget", "at least 1", asked.budget)
    for name in asked.directions:
        require(name in DIRECTIONS, "question.directions", f"among {', '.join(DIRECTIONS)}", name)


FIGURES = depth_figures(
    "exact",
    {"relevance_error": "relevance error", "c_change": "|c(ã)/c(a) − 1|", "effective_rank": "effective rank"},
    ("model",),
    "direction",
)
QUESTION = Question(check, tables, show_summaries(SUMMARIES), FIGURES, summaries=SUMMARIES)
