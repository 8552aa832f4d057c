"""One unit with two inputs under rules of the catalogue: roots and Taylor terms, its relevance model in the plane.

Every number comes from the root strategies and relevance models themselves: root points, their status, first-order terms,
the relevance model over the plane and along each search.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd
import torch
from torch import Tensor

from dtd.affine import Dense
from dtd.audit.validity import Status, status
from dtd.domain import Domain
from dtd.plans.rules import Rule, catalogue
from dtd.relevance import RelevanceModel, TrainingFree
from dtd.root import Bias, mixed
from dtd.root.units import FieldUnits

POINTS, STEPS = 81, 61  # of the plane along each axis, and along each search
PAST = 1.25  # a search is drawn this far past its root


@dataclass(frozen=True, eq=False)
class UnitView:
    """One unit at one point, and every rule's relevance model of it; ``rules`` are their parameters by name."""

    layer: Dense
    a: Tensor  # (1, 2)
    domain: Domain
    rules: Mapping[str, Mapping[str, Any]]
    offset: float
    bias: Bias

    @classmethod
    def of(cls, weights: Any, bias: float, point: Any, domain: Domain, rules: Mapping[str, Any], mode: Bias) -> "UnitView":
        """The unit ``z = w·a + bias`` at a point, in double precision."""
        weight, offset = (torch.tensor([values], dtype=torch.float64) for values in (list(weights), bias))
        layer = Dense(weight=weight, bias=offset, in_shape=(2,), out_shape=(1,))
        return cls(layer, torch.tensor([list(point)], dtype=torch.float64), domain, rules, float(bias), mode)

    @property
    def units(self) -> FieldUnits:
        """The one unit."""
        return FieldUnits(self.layer, self.a, torch.tensor([0]))

    def z(self, points: Tensor) -> Tensor:
        """Pre-activations at points of the plane. # shape: (n, 2) -> (n,)"""
        return self.layer.apply(points)[:, 0]

    def arguments(self, rule: str) -> dict[str, Any]:
        """What a rule takes."""
        return {"bias": self.bias, **self.rules[rule]}

    def models(self) -> dict[str, RelevanceModel]:
        """The relevance model of each rule."""
        return {rule: TrainingFree(catalogue[rule].derived(**self.arguments(rule))) for rule in self.rules}


def unit_rows(at: UnitView) -> pd.DataFrame:
    """One row for each rule: its root, the root's status, the Taylor terms, and the explicit rule's relevance.

    Columns: ``rule``, the point ``a1 a2``, ``w1 w2 b z``, the domain's bounds ``low high``, ``relevance`` (= z),
    ``root1 root2``, ``status`` (of :class:`Status`), ``distance``, ``first1 first2 bias_share zeroth remainder``,
    ``explicit1 explicit2`` and the largest ``difference`` of the two, relative to the relevance.
    """
    low, high = at.domain.bounds()
    (a1, a2), (w1, w2) = at.a[0].tolist(), at.layer.weight[0].tolist()
    common = {
        "a1": a1, "a2": a2, "w1": w1, "w2": w2, "b": at.offset, "z": at.units.z.item(),
        "low": float(low), "high": float(high),
    }  # fmt: skip
    return pd.DataFrame([{"rule": rule, **common, **rule_row(at, rule, model)} for rule, model in at.models().items()])


def rule_row(at: UnitView, name: str, model: RelevanceModel) -> dict[str, Any]:
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
        "status": Status(int(status(model, root, units, at.domain).item())).name.lower(),
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


def unit_surface(at: UnitView, found: pd.DataFrame) -> pd.DataFrame:
    """The relevance model ``R̂(a) = c max(0, z(a))`` over the part of the plane that holds the point and all roots."""
    reach = pd.concat([found[["a1", "root1"]].stack(), found[["a2", "root2"]].stack()])
    margin = 0.15 * (reach.max() - reach.min())
    low, high = min(reach.min(), 0) - margin, max(reach.max(), 0) + margin
    axis = torch.linspace(low, high, POINTS, dtype=torch.float64)
    points = torch.cartesian_prod(axis, axis)
    return pd.DataFrame({"a1": points[:, 0], "a2": points[:, 1], "relevance": at.z(points).clamp(min=0)})


def unit_cuts(at: UnitView, found: pd.DataFrame) -> pd.DataFrame:
    """The relevance model on each rule's line from the point to its root and beyond: columns ``distance``, ``relevance``."""
    parts = []
    for each in found.itertuples():
        t = torch.linspace(0, PAST, STEPS, dtype=torch.float64)[:, None]
        step = torch.tensor([[each.root1, each.root2]], dtype=torch.float64) - at.a
        values = at.z(at.a + t * step).clamp(min=0)
        parts.append(pd.DataFrame({"rule": each.rule, "distance": t[:, 0] * each.distance, "relevance": values}))
    return pd.concat(parts, ignore_index=True)
