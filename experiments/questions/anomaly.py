"""Where do the roots of a one-class model lie, and are they roots?

A one-class support vector machine in the plane, explained by its outlier score ``o(x) = log ρ − log Σ_j α_j K(x, u_j)``, a
soft minimum of squared distances. Each support vector has a root on its way to the data point: the centre itself; the sphere
on which its own unit vanishes; and the sphere that the soft minimum's root asks for, ``γ ‖ã − u_j‖² = γ ‖x − u_j‖² − o(x)``.
They are held against the score: is it 0 there, and how far is the nearest point at which it is?
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from sklearn.svm import OneClassSVM
from torch import Tensor

from dtd.explaining.explain import explain
from dtd.network import trace
from dtd.neuralised import Neuralised, neuralise
from dtd.plans import presets
from dtd.relevance.numeric import first_root
from experiments.configs.base import require
from experiments.configs.questions.estimators import AnomalyConfig
from experiments.configs.run import Config
from experiments.figures.anomaly import anomaly_figures
from experiments.figures.summary import Measure, Summary
from experiments.figures.terminal.summaries import show_summaries
from experiments.machine.console import progress
from experiments.questions.base import Question
from experiments.questions.estimators import alike, table

REACH, GRID = 6.0, 61  # half the side of the plane that is looked at; its points along an axis
BRACKETS = 150
SUMMARIES = {
    "rows": Summary(
        within=("gamma", "side"),
        compared=("root",),
        measures={
            "exists": Measure("exists", "high"),
            "left": Measure("score at the root / score", "low"),
            "crossed": Measure("on the other side", "high"),
            "first": Measure("first order"),
            "distance": Measure("distance / nearest", "low"),
            "alike": Measure("cosine with the nearest root's terms", "high"),
            "additive": Measure("the same, constants aside", "high"),
        },
    )
}


@dataclass(frozen=True, eq=False)
class OneClass:
    """A fitted model, its outlier score, and its support vectors. # shape: centres (n, 2), alpha (n,)"""

    module: Neuralised
    centres: Tensor
    alpha: Tensor
    rho: float
    gamma: float

    @torch.no_grad()
    def score(self, x: Tensor) -> Tensor:
        """``o(x)``. # shape: (B, 2) -> (B,)"""
        return self.module(x)[:, 0]


def fitted(rows: np.ndarray, nu: float, gamma: float) -> OneClass:
    """A one-class support vector machine as layers."""
    model = OneClassSVM(nu=nu, gamma=gamma).fit(rows)
    centres, alpha = torch.tensor(model.support_vectors_), torch.tensor(model.dual_coef_[0])
    return OneClass(neuralise(model, "outlier"), centres, alpha, -float(model.intercept_[0]), gamma)


def spheres(model: OneClass, x: Tensor) -> dict[str, Tensor]:
    """The squared radius of each support vector's sphere, by the way it is chosen; negative where there is none.

    # shape: (B, 2) -> (B, n) each
    """
    d, o = torch.cdist(x, model.centres).square(), model.score(x)[:, None]
    own = (model.alpha.log() - np.log(model.rho)) / model.gamma
    return {"centre": torch.zeros_like(d), "own sphere": own.expand_as(d), "pooled sphere": d - o / model.gamma}


def nearest(model: OneClass, x: Tensor, angles: int) -> Tensor:
    """The nearest points at which the score is 0, each found on rays, twice as close the second time. # shape: that of x"""
    found = []
    for point, start in zip(x, model.score(x), strict=True):
        middle, half = 0.0, float(torch.pi)
        for _ in range(2):
            turn = torch.linspace(middle - half, middle + half, angles, dtype=x.dtype)
            ray = torch.stack([turn.cos(), turn.sin()], 1)
            grid = torch.linspace(0, 2 * REACH, BRACKETS + 1, dtype=x.dtype)[1:].expand(angles, -1)
            value = lambda rows, t, p=point, v=ray: model.score(p + t[:, None] * v[rows])  # noqa: E731
            t, exists = first_root(value, start.expand(angles), grid, 1e-10)
            best = t.masked_fill(~exists, torch.inf).argmin()
            middle, half = float(turn[best]), 2 * half / angles
        found.append(point + t[best] * ray[best])
    return torch.stack(found)


def tables(config: Config) -> Iterator[tuple[str, pd.DataFrame]]:
    """``rows``: for each kernel width, sample and kind of root; ``field`` and ``points`` for the figure."""
    asked = config.asked(AnomalyConfig)
    rows, _, _ = table("plane", config.seed)
    random = np.random.default_rng(config.seed)
    train = random.permutation(rows)[: asked.points]
    x = torch.tensor(random.uniform(-REACH, REACH, (asked.samples, 2)))
    found, fields, points = [], [], []
    for gamma in progress(list(asked.gammas), "fitting one-class models"):
        model = fitted(train, asked.nu, gamma)
        made, drawn = looked(model, x, asked.angles)
        found.append(made)
        points += [drawn, pd.DataFrame({"gamma": gamma, "kind": "data", "x": train[:, 0], "y": train[:, 1]})]
        fields.append(field_of(model))
    yield "rows", pd.concat(found, ignore_index=True)
    yield "field", pd.concat(fields, ignore_index=True)
    yield "points", pd.concat(points, ignore_index=True)


def looked(model: OneClass, x: Tensor, angles: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The rows of one model, and the points that are drawn: samples, their nearest roots, and their pooled ones."""
    o, d = model.score(x), torch.cdist(x, model.centres).square()
    p = (model.alpha.log() - model.gamma * d).softmax(1)
    target = nearest(model, x, angles)
    network = trace(model.module, x)
    relevance, additive = (explain(network, x, 0, presets.neuralised(each)).relevance for each in ("fixed", "neuron"))
    at = target.requires_grad_()
    (slope,) = torch.autograd.grad(model.module(at).sum(), at)
    terms, target = slope * (x - target.detach()), target.detach()
    length = (x - target).norm(dim=1)
    side = np.where(o > 0, "outlier", "inlier")
    base = {"gamma": model.gamma, "sample": range(len(x)), "side": side, "score": o}
    rows = [{**base, "root": "nearest", "exists": 1.0, "left": model.score(target).abs() / o.abs(), "crossed": 1.0}]
    rows[0] |= {"first": terms.sum(1) / o, "distance": 1.0, "alike": 1.0, "additive": alike(additive, terms)}
    drawn = []
    for name, squared in spheres(model, x).items():
        exists = squared >= 0
        s = (squared.clamp(min=0) / d).sqrt()
        roots = model.centres + s[..., None] * (x[:, None] - model.centres)
        there = model.score(roots.flatten(0, 1)).view_as(d) / o[:, None]
        weight = p * exists
        share = weight / weight.sum(1, keepdim=True)
        mean = lambda values, share=share: (share * values).sum(1)  # noqa: E731
        far = (roots - x[:, None]).norm(dim=-1) / length[:, None]
        measures = {"exists": weight.sum(1), "left": mean(there.abs()), "crossed": mean((there <= 1e-9).double())}
        measures |= {"first": mean(2 * s / (1 + s)), "distance": mean(far), "alike": alike(relevance, terms)}
        rows.append({**base, "root": name, **measures})
        if name == "pooled sphere":
            mixed = (share[..., None] * roots).sum(1)
            drawn.append(mixed)
    kinds = {"sample": x, "nearest": target, "pooled": drawn[0]}
    parts = [pd.DataFrame({"gamma": model.gamma, "kind": kind, "x": at[:, 0], "y": at[:, 1]}) for kind, at in kinds.items()]
    return pd.concat([pd.DataFrame(row) for row in rows], ignore_index=True), pd.concat(parts)


def field_of(model: OneClass) -> pd.DataFrame:
    """The score over the plane."""
    line = torch.linspace(-REACH, REACH, GRID, dtype=torch.double)
    x, y = torch.meshgrid(line, line, indexing="xy")
    plane = torch.stack([x.flatten(), y.flatten()], 1)
    return pd.DataFrame({"gamma": model.gamma, "x": plane[:, 0], "y": plane[:, 1], "score": model.score(plane)})


def check(config: Config) -> None:
    """Raises :class:`ConfigError` where the question does not fit."""
    asked = config.asked(AnomalyConfig)
    require(10 <= asked.points <= 240, "question.points", "from 10 to 240", asked.points)
    require(asked.samples >= 1, "question.samples", "at least 1", asked.samples)
    require(0 < asked.nu < 1, "question.nu", "between 0 and 1", asked.nu)
    require(bool(asked.gammas) and min(asked.gammas) > 0, "question.gammas", "above 0 each", asked.gammas)
    require(asked.angles >= 8, "question.angles", "at least 8", asked.angles)


QUESTION = Question(check, tables, show_summaries(SUMMARIES), anomaly_figures, summaries=SUMMARIES)
