"""Deep Taylor Decomposition in one picture: one unit with two inputs, and where each rule's root lies in the plane.

Every number comes from the shipped root strategies and relevance models: root points, their status, the first-order
terms, the relevance model over the plane and along each search. The same objects, run on symbols, give the formulas of
the interactive page. A second picture follows relevance through a small trained network.
"""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from dtd.domain import Box, NonNegative, Real
from dtd.plans.rules import catalogue
from dtd.plot.unit_rows import UnitView, unit_cuts, unit_rows, unit_surface
from experiments.configs.base import Bias, require
from experiments.configs.questions.roots import FunctionViewConfig, Plane
from experiments.configs.run import Config
from experiments.figures.function_view import function_view_figures
from experiments.figures.summary import Measure, Summary, Tables
from experiments.figures.terminal.function_view import show_function_view
from experiments.plans import check_parameters
from experiments.questions.base import Question
from experiments.questions.function_view import flow
from experiments.questions.function_view.formulas import scripts

SAME = 1e-12  # derived against explicit, relative to the unit's relevance


def view(asked: FunctionViewConfig, bias: Bias = Bias.fixed) -> UnitView:
    """The unit that the config describes, in float64."""
    domain = {Plane.real: Real(), Plane.nonnegative: NonNegative(), Plane.box: Box(asked.low, asked.high)}[asked.domain]
    rules = {rule: asked.parameters.get(rule, {}) for rule in asked.rules}
    return UnitView.of(asked.weights, asked.bias, asked.point, domain, rules, bias.value)


def tables(config: Config) -> Iterator[tuple[str, pd.DataFrame]]:
    """The rules' roots, the plane, the searches, the page's formulas; then relevance in a trained network."""
    at = view(config.asked(FunctionViewConfig), config.bias or Bias.fixed)
    found = unit_rows(at)
    yield "rows", found
    yield "surface", unit_surface(at, found)
    yield "cuts", unit_cuts(at, found)
    yield "formulas", scripts(at.models(), at.domain)
    yield from flow.tables(config)


def check(config: Config) -> None:
    """Raises :class:`ConfigError` where the picture cannot be drawn."""
    asked = config.asked(FunctionViewConfig)
    require(len(asked.weights) == 2 and any(asked.weights), "question.weights", "two numbers, not both 0", asked.weights)
    require(len(asked.point) == 2, "question.point", "two numbers", asked.point)
    require(bool(asked.rules), "question.rules", "not empty", "an empty list")
    known = [rule for rule in catalogue if rule != "pattern"]
    for rule in (*asked.rules, *asked.parameters):
        require(rule in known, "question.rules", f"among {', '.join(known)}", rule)
    for rule in asked.rules:
        check_parameters(rule, asked.parameters.get(rule, {}), f"question.parameters.{rule}")
    require(asked.low < asked.high, "question.low", "below question.high", f"{asked.low} and {asked.high}")
    at = view(asked)
    inside = bool(at.domain.contains(at.a).all())
    require(inside, "question.point", f"in the domain {at.domain}", asked.point)
    signed = {"zplus"} & set(asked.rules) and isinstance(at.domain, Real)
    require(not signed, "question.rules", "defined on the domain (on Real: zplus_signed for zplus)", "zplus")
    z = float(np.dot(asked.weights, asked.point) + asked.bias)
    require(z > 0, "question.bias", "such that the unit is active (w·a + b > 0)", f"w·a + b = {z:g}")
    require(asked.sample >= 0, "question.sample", "at least 0", asked.sample)


def problems(tables: Tables) -> list[str]:
    """Rules whose derived and explicit relevance differ."""
    wrong = tables["rows"].query(f"not difference <= {SAME}")
    return [f"{r.rule}: derived and explicit relevance differ by {r.difference:.2g}" for r in wrong.itertuples()]


SUMMARIES = {
    "rows": Summary(
        within=(),
        compared=("rule", "status"),
        measures={
            "distance": Measure("distance of the root"),
            "first1": Measure("$R_1$"),
            "first2": Measure("$R_2$"),
            "bias_share": Measure("bias"),
            "zeroth": Measure("zeroth"),
            "remainder": Measure("remainder"),
        },
    ),
    "flow_layers": Summary(
        within=("model", "plan"),
        compared=("layer",),
        measures={part: Measure(part) for part in ("relevance", "first", "bias", "zeroth", "remainder")},
    ),
}
QUESTION = Question(check, tables, show_function_view, function_view_figures, problems, summaries=SUMMARIES)
