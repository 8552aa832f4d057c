"""Do the explanations of two classes become one and the same with depth, and how fast?

Random ReLU networks of each depth; two outputs are explained, each with relevance 1. Non-negative shares shrink every
difference (the proofs ``rank_one`` and ``birkhoff``): bounds are computed layer by layer and held against what is measured.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace

import pandas as pd
import torch
from torch import Tensor
from torch.nn.functional import cosine_similarity

from dtd.explaining.explain import explain
from dtd.network import Network, trace
from dtd.plans.plan import Plan
from experiments.configs.base import require
from experiments.configs.models import SyntheticConfig
from experiments.configs.questions.roots import DepthConfig
from experiments.configs.run import Config
from experiments.data import load
from experiments.figures.mixing import mixing_figures
from experiments.figures.summary import Measure, Summary, Tables
from experiments.figures.terminal.summaries import show_summaries
from experiments.machine.console import progress
from experiments.measures.mixing import passed, shares
from experiments.models import synthetic
from experiments.plans import plans
from experiments.questions.base import Question

ROUNDING = 1e-9  # of a bound
MOVES = 4  # of each input
SUMMARIES = {
    "rows": Summary(
        within=("depth",),
        compared=("plan",),
        measures={
            "cosine": Measure("cosine of two classes"),
            "aligned": Measure("its size"),
            "growth": Measure("Σ|R| / R"),
            "steady": Measure("change of R / change of x"),
        },
    )
}


@torch.no_grad()
def tables(config: Config) -> Iterator[tuple[str, pd.DataFrame]]:
    """``rows``: cosine, growth and steadiness by plan, depth, network and sample. ``layers``: distances and their bounds.

    ``steady`` is ``Σ|R(x + d) − R(x)| / Σ|d|`` for the first output's own value, the worst of some small moves.
    """
    asked: DepthConfig = config.question
    rows, layers = [], []
    works = [(depth, number) for depth in asked.depths for number in range(asked.networks)]
    for depth, number in progress(works, "explaining", len(works)):
        network, x = drawn(config, depth, number)
        for name, plan in plans(config, network, None).items():
            label = {"plan": name, "depth": depth, "network": number}
            classes = tuple(row.expand(len(x), -1) for row in torch.eye(asked.width).to(x)[:2])
            steps = passed(shares(network, x, plan), *classes)
            found = measured(network, x, plan, classes) | {"steady": steady(network, x, plan, asked.moved)}
            rows.append(pd.DataFrame({**label, "sample": range(len(x)), **found}))
            for step in steps:
                found = {key: getattr(step, key) for key in ("apart", "bound", "distance", "distance_bound")}
                layers.append(pd.DataFrame({**label, "sample": range(len(x)), "layers": step.layers, **found}))
    yield "rows", pd.concat(rows, ignore_index=True)
    yield "layers", pd.concat(layers, ignore_index=True)


def drawn(config: Config, depth: int, number: int) -> tuple[Network, Tensor]:
    """A random network of some depth, without a ReLU after the last layer, and samples."""
    asked: DepthConfig = config.question
    seed = config.seed + 1000 * number + depth
    drawn_from: SyntheticConfig = config.model
    model = replace(drawn_from, widths=[asked.width] * depth, seed=seed)
    subject = synthetic.subject(model, load(config.data)).to(config.dtype.torch)
    x = subject.test_x[: asked.samples]
    return trace(subject.model.layers[:-1], x, subject.domain), x


def measured(network: Network, x: Tensor, plan: Plan, classes: tuple[Tensor, ...]) -> dict[str, Tensor]:
    """How alike the explanations of the two classes are, and how large. # shape: classes (B, *out) each -> (B,) each"""
    one, other = (explain(network, x, relevance, plan).relevance for relevance in classes)
    cosine = cosine_similarity(one, other)
    return {"cosine": cosine, "aligned": cosine.abs(), "growth": one.abs().sum(1)}


def steady(network: Network, x: Tensor, plan: Plan, moved: float) -> Tensor:
    """``Σ|R(x + d) − R(x)| / Σ|d|``, the largest over some small moves that stay in the data's box. # shape: (B,)"""
    here, ratios = explain(network, x, 0, plan).relevance, []
    for seed in range(MOVES):
        random = torch.Generator().manual_seed(seed)
        near = (x + moved * (torch.rand(x.shape, generator=random, dtype=x.dtype) - 0.5)).clamp(0, 1)
        change = (explain(network, near, 0, plan).relevance - here).abs().sum(1)
        ratios.append(change / (near - x).abs().sum(1))
    return torch.stack(ratios).amax(0)


def check(config: Config) -> None:
    """Raises :class:`ConfigError` where the question does not fit."""
    asked: DepthConfig = config.question
    require(isinstance(config.model, SyntheticConfig), "model", "synthetic", type(config.model).__name__)
    require(bool(asked.depths) and min(asked.depths) >= 1, "question.depths", "at least 1 each", asked.depths)
    require(asked.width >= 2, "question.width", "at least 2: two outputs are explained", asked.width)
    require(asked.networks >= 1, "question.networks", "at least 1", asked.networks)
    require(asked.samples >= 1, "question.samples", "at least 1", asked.samples)
    require(asked.moved > 0, "question.moved", "above 0", asked.moved)


def problems(tables: Tables) -> list[str]:
    """Distances above their bounds: the theorems are about what was computed, or something is wrong."""
    rows = tables["layers"]
    found = []
    for value, bound in (("apart", "bound"), ("distance", "distance_bound")):
        known = rows[rows["layers"] % 2 == 0] if value == "distance" else rows
        above = known[known[value] > known[bound] * (1 + ROUNDING) + ROUNDING]
        found += [f"{len(above)} of {len(known)} distances ('{value}') are above their bound."] if len(above) else []
    return found


def figures(tables: Tables) -> Mapping:
    """Cosines by depth, and distances with their bounds in the deepest networks."""
    return mixing_figures(tables)


QUESTION = Question(check, tables, show_summaries(SUMMARIES), figures, problems, summaries=SUMMARIES)
