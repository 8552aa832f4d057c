"""Deep Taylor Decomposition in one picture: one unit with two inputs, and where each rule's root lies in the plane.

Every number comes from the shipped root strategies and relevance models: root points, their status, the first-order
terms, the relevance model over the plane and along each search. The same objects, run on symbols, give the formulas of
the interactive page. A second picture follows relevance through a small trained network.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from dtd.affine import Dense
from dtd.audit.validity import Status, status
from dtd.domain import Box, Domain, NonNegative, Real
from dtd.plans.rules import Rule, catalogue
from dtd.relevance import RelevanceModel, TrainingFree
from dtd.root import mixed
from dtd.root.units import FieldUnits
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

GRID, STEPS = 81, 61  # points of the plane along each axis, and along each search
BEYOND = 1.25  # a search is drawn this far past its root
SAME = 1e-12  # derived against explicit, relative to the unit's relevance


@dataclass(frozen=True, eq=False)
class View:
    """One unit at one point, and every rule's relevance model of it."""

    layer: Dense
    a: Tensor  # (1, 2)
    domain: Domain
    asked: FunctionViewConfig
    bias: str

    @property
    def units(self) -> FieldUnits:
        return FieldUnits(self.layer, self.a, torch.tensor([0]))

    def z(self, points: Tensor) -> Tensor:
        """Pre-activations at points of the plane. # shape: (n, 2) -> (n,)"""
        return self.layer.apply(points)[:, 0]

    def arguments(self, rule: str) -> dict[str, Any]:
        """What a rule takes."""
        return {"bias": self.bias, **self.asked.parameters.get(rule, {})}

    def models(self) -> dict[str, RelevanceModel]:
        """The relevance model of each rule."""
        return {rule: TrainingFree(catalogue[rule].derived(**self.arguments(rule))) for rule in self.asked.rules}


def view(asked: FunctionViewConfig, bias: Bias = Bias.fixed) -> View:
    """The unit that the config describes, in float64."""
    weight = torch.tensor([asked.weights], dtype=torch.float64)
    offset = torch.tensor([asked.bias], dtype=torch.float64)
    layer = Dense(weight=weight, bias=offset, in_shape=(2,), out_shape=(1,))
    domain = {Plane.real: Real(), Plane.nonnegative: NonNegative(), Plane.box: Box(asked.low, asked.high)}[asked.domain]
    return View(layer, torch.tensor([asked.point], dtype=torch.float64), domain, asked, bias.value)


def rows(at: View) -> pd.DataFrame:
    """One row for each rule: its root, the root's status, the Taylor terms, and the explicit rule's relevance.

    Columns: ``rule``, the point ``a1 a2``, ``w1 w2 b z``, the domain's bounds ``low high``, ``relevance`` (= z),
    ``root1 root2``, ``status`` (of :class:`Status`), ``distance``, ``first1 first2 bias_share zeroth remainder``,
    ``explicit1 explicit2`` and the largest ``difference`` of the two, relative to the relevance.
    """
    low, high = at.domain.bounds()
    common = {
        "a1": at.a[0, 0].item(), "a2": at.a[0, 1].item(), "w1": at.asked.weights[0], "w2": at.asked.weights[1],
        "b": at.asked.bias, "z": at.units.z.item(), "low": float(low), "high": float(high),
    }  # fmt: skip
    return pd.DataFrame([{"rule": rule, **common, **row(at, rule, model)} for rule, model in at.models().items()])


def row(at: View, name: str, model: RelevanceModel) -> dict[str, Any]:
    """What one rule does."""
    units, relevance = at.units, at.units.z
    root, terms = mixed(model.root.roots(units, at.domain)), model.terms(units, at.domain, at.units.z)
    rule: Rule = catalogue[name]
    explicit, _ = rule.explicit(**at.arguments(name)).propagate(at.layer, at.a, relevance, at.domain)
    point = root.points(units)[0, 0]
    first = terms.first[0, 0]
    return {
        "relevance": relevance.item(),
        "root1": point[0].item(),
        "root2": point[1].item(),
        "status": Status(status(model, root, units, at.domain).item()).name.lower(),
        "distance": (at.a[0] - point).norm().item(),
        "first1": first[0].item(),
        "first2": first[1].item(),
        "bias_share": terms.bias.item(),
        "zeroth": terms.zeroth.item(),
        "remainder": terms.remainder.item(),
        "explicit1": explicit[0, 0].item(),
        "explicit2": explicit[0, 1].item(),
        "difference": ((first - explicit[0]).abs().max() / relevance.item()).item(),
    }


def surface(at: View, found: pd.DataFrame) -> pd.DataFrame:
    """The relevance model ``R̂(a) = c max(0, z(a))`` over the part of the plane that holds the point and all roots."""
    reach = pd.concat([found[["a1", "root1"]].stack(), found[["a2", "root2"]].stack()])
    margin = 0.15 * (reach.max() - reach.min())
    low, high = min(reach.min(), 0) - margin, max(reach.max(), 0) + margin
    axis = torch.linspace(low, high, GRID, dtype=torch.float64)
    points = torch.cartesian_prod(axis, axis)
    return pd.DataFrame({"a1": points[:, 0], "a2": points[:, 1], "relevance": at.z(points).clamp(min=0)})


def cuts(at: View, found: pd.DataFrame) -> pd.DataFrame:
    """The relevance model on each rule's line from the point to its root and beyond: columns ``distance``, ``relevance``."""
    parts = []
    for each in found.itertuples():
        t = torch.linspace(0, BEYOND, STEPS, dtype=torch.float64)[:, None]
        step = torch.tensor([[each.root1, each.root2]], dtype=torch.float64) - at.a
        values = at.z(at.a + t * step).clamp(min=0)
        parts.append(pd.DataFrame({"rule": each.rule, "distance": t[:, 0] * each.distance, "relevance": values}))
    return pd.concat(parts, ignore_index=True)


def tables(config: Config) -> Iterator[tuple[str, pd.DataFrame]]:
    """The rules' roots, the plane, the searches, the page's formulas; then relevance in a trained network."""
    at = view(config.asked(FunctionViewConfig), config.bias or Bias.fixed)
    found = rows(at)
    yield "rows", found
    yield "surface", surface(at, found)
    yield "cuts", cuts(at, found)
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
