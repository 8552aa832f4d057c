"""Why is a point assigned to its cluster, and what does the stiffness of the minimum change?

k-means by the logit of an assignment, the squared distance to the nearest other centre less that to its own. It is written
by distances, where relevance arrives as at a root at the midpoint of both centres (soft minima expanded at their origin, or
at their root: take most), and by its linear functions, under w² (the nearest root) and LRP-0 (on the ray to the origin of
the columns, which says nothing of clusters). All are compared by how fast the logit falls when columns are set to the mean,
the most relevant ones first.
"""

from collections.abc import Iterator

import pandas as pd
import torch
from sklearn.cluster import KMeans
from torch import Tensor, nn

from dtd.explaining.explain import explain
from dtd.network import trace
from dtd.neuralised import Neuralised, neuralise
from dtd.plans import presets
from dtd.plans.plan import Plan
from experiments.configs.base import require
from experiments.configs.questions.estimators import ClustersConfig
from experiments.configs.run import Config
from experiments.figures.clusters import clusters_figures
from experiments.figures.summary import Measure, Summary
from experiments.figures.terminal.summaries import show_summaries
from experiments.machine.console import progress
from experiments.questions.base import Question
from experiments.questions.estimators import alike, fall, random_orders, table

CLUSTERED = ("plane", "wine", "digits")
SUMMARIES = {
    "rows": Summary(
        within=("table", "stiffness"),
        compared=("way",),
        measures={"fall": Measure("fall of the logit", "high"), "alike": Measure("cosine with the hard minimum's", "high")},
    ),
}


class LinearMargins(nn.Module):
    """``min_{k≠c} (2 (u_c − u_k)·x + ‖u_k‖² − ‖u_c‖²)``, hard or soft. # shape: (B, J) -> (B, K)"""

    def __init__(self, centres: Tensor, stiffness: float | None):
        super().__init__()
        count = len(centres)
        pairs = [(c, k) for c in range(count) for k in range(count) if k != c]
        own, other = (centres[[pair[side] for pair in pairs]] for side in (0, 1))
        self.linear = nn.Linear(centres.shape[1], len(pairs), dtype=torch.double)
        self.linear.weight = nn.Parameter(2 * (own - other))
        self.linear.bias = nn.Parameter(other.square().sum(1) - own.square().sum(1))
        self.count, self.stiffness = count, stiffness

    def forward(self, x: Tensor) -> Tensor:
        apart = self.linear(x).unflatten(-1, (self.count, self.count - 1))
        if self.stiffness is None:
            return apart.amin(-1)
        return torch.logsumexp(apart * -self.stiffness, -1) / -self.stiffness


def tables(config: Config) -> Iterator[tuple[str, pd.DataFrame]]:
    """``rows``: for each table, stiffness, way and sample; ``points``: the plane's samples and their relevance."""
    asked = config.asked(ClustersConfig)
    found, points = [], []
    for name in progress(list(asked.tables), "clustering"):
        rows, _, _ = table(name, config.seed)
        model = KMeans(asked.clusters[name], n_init=4, random_state=config.seed)
        spread = rows.std(0) + (rows.std(0) == 0)
        scaled = (rows - rows.mean(0)) / spread if name != "plane" else rows
        model.fit(scaled)
        x = torch.tensor(scaled)[: asked.samples]
        made, relevance = explained(model, x, torch.tensor(scaled.mean(0)), asked.stiffness, config.seed)
        found.append(made.assign(table=name))
        if name == "plane":
            arrows = {"x": x[:, 0], "y": x[:, 1], "r_x": relevance[:, 0], "r_y": relevance[:, 1]}
            points.append(pd.DataFrame({**arrows, "kind": "sample", "cluster": model.labels_[: len(x)]}))
            centres = model.cluster_centers_
            points.append(pd.DataFrame({"x": centres[:, 0], "y": centres[:, 1], "kind": "centre"}))
    yield "rows", pd.concat(found, ignore_index=True)
    if points:
        yield "points", pd.concat(points, ignore_index=True)


def explained(model: KMeans, x: Tensor, mean: Tensor, stiffness: list[float], seed: int) -> tuple[pd.DataFrame, Tensor]:
    """The rows of one clustering, and the relevance of the hard minimum by distances. # shape: x (B, J), mean (J,)"""
    target, centres = torch.tensor(model.predict(x.numpy())).long(), torch.tensor(model.cluster_centers_)
    hard: dict[str, Tensor] = {}
    rows = []
    for beta in [None, *stiffness]:
        by_distance = neuralise(model, stiffness=beta)
        lines = LinearMargins(centres, beta).eval()
        score = lambda a, m=by_distance: m(a).gather(1, target[:, None])[:, 0].detach()  # noqa: E731
        ways = {
            "midpoint": relevance_of(by_distance, x, target, presets.neuralised()),
            "midpoint, take most": relevance_of(by_distance, x, target, presets.neuralised("fixed")),
            "w² (nearest root)": relevance_of(lines, x, target, Plan.uniform("wsquare")),
            "LRP-0": relevance_of(lines, x, target, Plan.uniform("lrp0")),
        }
        hard = hard or ways
        label = {"stiffness": "hard" if beta is None else f"{beta:g}", "sample": range(len(x)), "logit": score(x)}
        for way, relevance in ways.items():
            order = relevance.argsort(1, descending=True)
            found = {"fall": fall(score, x, order, mean), "alike": alike(relevance, hard[way])}
            rows.append(pd.DataFrame({**label, "way": way, **found}))
        rows.append(pd.DataFrame({**label, "way": "random", "fall": fall(score, x, random_orders(x, seed), mean)}))
    return pd.concat(rows, ignore_index=True), hard["midpoint"]


def relevance_of(module: Neuralised | nn.Module, x: Tensor, target: Tensor, plan: Plan) -> Tensor:
    """Relevance of each sample's own cluster. # shape: that of x"""
    return explain(trace(module, x), x, target, plan).relevance


def check(config: Config) -> None:
    """Raises :class:`ConfigError` where the question does not fit."""
    asked = config.asked(ClustersConfig)
    require(asked.samples >= 1, "question.samples", "at least 1", asked.samples)
    require(bool(asked.tables) and set(asked.tables) <= set(CLUSTERED), "question.tables", f"of {CLUSTERED}", asked.tables)
    for name in asked.tables:
        count = asked.clusters.get(name, 0)
        require(count >= 2, f"question.clusters.{name}", "at least 2", count)
    require(all(beta > 0 for beta in asked.stiffness), "question.stiffness", "above 0 each", asked.stiffness)


QUESTION = Question(check, tables, show_summaries(SUMMARIES), clusters_figures, summaries=SUMMARIES)
