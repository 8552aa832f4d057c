"""What does an explanation cost? Seconds for one image, and the ratio to gradient × input (a forward and a backward pass).

All methods are timed in the same rounds. Before that, each library's relevance is compared with ours, in float64: times
compare only where the same thing is computed.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from importlib import import_module

import pandas as pd
import torch
from torch import Tensor, nn

from dtd.domain import Domain
from dtd.explain import explain
from dtd.network import Network, trace
from dtd.plan import Plan
from experiments.configs import Config, CostConfig, require
from experiments.console import console, progress
from experiments.figures.cost import cost_figures
from experiments.models import Subject, subjects
from experiments.peers import installed
from experiments.peers.models import folded
from experiments.questions.base import Question, Tables
from experiments.recipes import Method, Prepared, nothing, recipes
from experiments.summary import Measure, Summary
from experiments.tables import show_cost
from experiments.timing import interleaved, once, warm_up

PEERS = ("zennit", "captum")
SAME = 1e-4  # differences up to this share of the largest |relevance| are those of the libraries' stabilisers
CROP = 64  # pixels: whether rules are the same shows on a part of the image
SUMMARIES = {
    "rows": Summary(
        within=("model",),
        compared=("rule", "library"),
        measures={"seconds": Measure("seconds", "low"), "ratio": Measure("ratio to gradient × input", "low")},
    )
}
OURS, BASELINE = "dtd", "gradient × input"


def rows(config: Config) -> pd.DataFrame:
    """One row for each model × library × rule × round."""
    asked: CostConfig = config.question
    conditions = {"batch": 1, "threads": torch.get_num_threads(), "cores": os.cpu_count(), "load": load()}
    found = []
    for name, subject in subjects(config.model, config.data).items():
        peers = [peer for peer in asked.peers if installed(peer)]
        differences = compare(subject, peers, name)
        methods = list(methods_of(subject.model, subject.domain, subject.test_x[:1], peers))
        warm = [warm_up(m, asked.seconds) for m in progress(methods, f"warming up on {name}")]
        measured, steps = interleaved(warm, asked.rounds), asked.rounds * len(warm)
        for number, each, seconds in progress(measured, f"timing {name}", steps):
            method = each.method
            label = {"model": name, "library": method.library, "rule": method.rule, "bias": method.bias, "round": number}
            difference = differences.get((method.library, method.rule))
            found.append({**label, "calls": each.calls, "seconds": seconds, "difference": difference})
    return with_ratios(pd.DataFrame(found)).assign(**conditions)


def load() -> float:
    """How many processes wanted a core in the last minute, this one's start included; NaN where the system does not say."""
    return os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")


def methods_of(model: nn.Module, domain: Domain, x: Tensor, peers: list[str]) -> Iterator[Method]:
    """Gradient × input, every recipe by dtd, and those that each other library has; for the predicted class of one image."""
    with torch.no_grad():
        target = int(model(x).argmax(1))
    yield Method(BASELINE, BASELINE, "", always(lambda own=folded(model): gradient_times_input(own, x, target)))
    network = trace(model, x, domain)
    for recipe in recipes(model):
        yield Method(OURS, recipe.name, recipe.bias, always(relevance_by(network, x, target, recipe.plan)))
    for peer in peers:
        yield from import_module(f"experiments.peers.{peer}").methods(model, x, target)


def always(call):
    """A method that has nothing to hold or to prepare."""

    @contextmanager
    def ready() -> Iterator[Prepared]:
        yield Prepared(nothing, call)

    return ready


def relevance_by(network: Network, x: Tensor, target: int, plan: Plan):
    """Our explanation under a plan; the network is traced once, before."""
    return lambda: explain(network, x, target, plan).relevance


def gradient_times_input(model: nn.Module, x: Tensor, target: int) -> Tensor:
    """``x ⊙ ∂f/∂x``: the forward and backward pass that everything is compared with."""
    x = x.detach().requires_grad_()
    (gradient,) = torch.autograd.grad(model(x)[:, target].sum(), x)
    return x.detach() * gradient


def compare(subject: Subject, peers: list[str], name: str) -> dict[tuple[str, str], float]:
    """Largest difference between each other library's relevance and ours, relative to our largest |relevance|."""
    model, x = deepcopy(subject.model).double(), subject.test_x[:1, ..., :CROP, :CROP].double()
    methods = methods_of(model, subject.domain, x, peers)
    ours, differences = {}, {}
    for method in progress(list(methods), f"comparing libraries on {name}"):
        if method.library != BASELINE:
            with method.ready() as prepared:
                relevance = once(prepared)[1]
            if method.library == OURS:
                ours[method.rule] = relevance
            else:
                here = ours[method.rule]
                differences[method.library, method.rule] = ((relevance - here).abs().max() / here.abs().max()).item()
    return differences


def with_ratios(rows: pd.DataFrame) -> pd.DataFrame:
    """Each time divided by that of gradient × input in the same round."""
    baseline = rows[rows.library == BASELINE].set_index(["model", "round"]).seconds.rename("baseline")
    joined = rows.join(baseline, on=["model", "round"])
    return joined.assign(ratio=joined.seconds / joined.baseline).drop(columns="baseline")


def check(config: Config) -> None:
    """Raises :class:`ConfigError` where the question does not fit; says which libraries are missing."""
    asked: CostConfig = config.question
    require(asked.rounds >= 1, "question.rounds", "at least 1", asked.rounds)
    require(asked.seconds >= 0, "question.seconds", "at least 0", asked.seconds)
    for peer in asked.peers:
        require(peer in PEERS, "question.peers", f"among {', '.join(PEERS)}", peer)
        if not installed(peer):
            console.print(f"{peer} is not installed; the comparison runs without it. To have it: pip install '.[peers]'.")


def tables(config: Config) -> Iterator[tuple[str, pd.DataFrame]]:
    """The rows; the figure needs no more."""
    yield "rows", rows(config)


def problems(tables: Tables) -> list[str]:
    """What was timed although another library computed something else."""
    rows = tables["rows"]
    wrong = rows[(rows["round"] == 0) & ~(rows.difference.fillna(0) <= SAME)]
    return [
        f"{r.model}, {r.rule}: {r.library}'s relevance differs from ours by {r.difference:.2g} of the largest; the times "
        "do not compare the same thing"
        for r in wrong.itertuples()
    ]


QUESTION = Question(check, tables, show_cost, cost_figures, problems, summaries=SUMMARIES)
