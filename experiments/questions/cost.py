"""What does an explanation cost? Seconds and memory, next to gradient × input (a forward and a backward pass).

All methods are timed in the same rounds. Before that, each library's relevance is compared with ours, in float64: times
compare only where the same thing is computed.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from importlib import import_module
from typing import Any

import pandas as pd
import torch
from torch import Tensor, nn

from dtd.domain import Domain
from dtd.explaining.explain import explain
from dtd.network import Network, trace
from dtd.plans.plan import Plan
from experiments.audits import audits
from experiments.configs import Config, CostConfig, require
from experiments.console import console, progress
from experiments.figures.cost import cost_figures
from experiments.memory import peak_memory
from experiments.models import Subject, subjects
from experiments.peers import installed
from experiments.peers.models import folded
from experiments.questions.base import Question, Tables
from experiments.recipes import RECIPES, Method, Prepared, nothing, recipes
from experiments.scaling import AXES, scaling
from experiments.summary import Measure, Summary
from experiments.tables import show_cost
from experiments.timing import interleaved, once, warm_up

PEERS = ("zennit", "captum")
SAME = 1e-4  # differences up to this share of the largest |relevance| are those of the libraries' stabilisers
CROP = 64  # pixels: whether rules are the same shows on a part of the image
SUMMARIES = {
    "rows": Summary(
        within=("model", "batch"),
        compared=("rule", "library"),
        measures={"seconds": Measure("seconds", "low"), "ratio": Measure("ratio to gradient × input", "low")},
    )
}
OURS, REDUCED, BASELINE = "dtd", "dtd, bfloat16", "gradient × input"
LAST = "channels-last"  # the other layout of gradient × input
MODIFIED = ("gamma", "gamma_signed", "zplus")  # recipes that are timed with bfloat16 too


def rows(config: Config) -> pd.DataFrame:
    """One row for each model × batch × library × rule × round."""
    asked: CostConfig = config.question
    conditions = {"threads": torch.get_num_threads(), "cores": os.cpu_count(), "load": load()}
    peers = [peer for peer in asked.peers if installed(peer)]
    found = []
    for name, subject in subjects(config.model, config.data).items():
        differences = compare(subject, peers, name) | rounding(subject, name)
        for batch in asked.batches:
            methods = methods_of(subject.model, subject.domain, samples(subject, batch), peers, asked.within)
            label = f"{name}, batch {batch}"
            warm = [warm_up(m, asked.seconds) for m in progress(list(methods), f"warming up on {label}")]
            measured, steps = interleaved(warm, asked.rounds), asked.rounds * len(warm)
            for number, each, seconds in progress(measured, f"timing {label}", steps):
                method = each.method
                row = {"model": name, "batch": batch, "library": method.library, "rule": method.rule, "bias": method.bias}
                difference = differences.get((method.library, method.rule))
                found.append({**row, "round": number, "calls": each.calls, "seconds": seconds, "difference": difference})
    return with_ratios(pd.DataFrame(found)).assign(**conditions)


def samples(subject: Subject, batch: int) -> Tensor:
    """As many test samples, some of them again where there are fewer."""
    return subject.test_x[torch.arange(batch) % len(subject.test_x)]


def load() -> float:
    """How many processes wanted a core in the last minute, this one's start included; NaN where the system does not say."""
    return os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")


def methods_of(model: nn.Module, domain: Domain, x: Tensor, peers: list[str], within: int = 0) -> Iterator[Method]:
    """Gradient × input, every recipe by dtd, and those that each other library has; for the first sample's class.

    ``within``: megabytes; where there are any, every recipe is run within that memory bound too.
    """
    with torch.no_grad():
        target = int(model(x[:1]).argmax(1))
    own = folded(model)
    yield Method(BASELINE, BASELINE, "", always(lambda: gradient_times_input(own, x, target)))
    if x.ndim == 4 and any(isinstance(module, nn.Conv2d) for module in own.modules()):
        last, moved = deepcopy(own).to(memory_format=torch.channels_last), x.to(memory_format=torch.channels_last)
        yield Method(BASELINE, LAST, "", always(lambda: gradient_times_input(last, moved, target)))
    network = trace(model, x, domain)
    signed = any(not layer.domain.nonnegative for layer in network.weighted)
    fitting = [recipe for recipe in recipes(model) if not (recipe.nonnegative and signed)]
    for recipe in fitting:
        yield Method(OURS, recipe.name, recipe.bias, always(relevance_by(network, x, target, recipe.plan)))
        if recipe.name in MODIFIED:
            reduced = relevance_by(network, x, target, recipe.plan, pass_dtype=torch.bfloat16)
            yield Method(REDUCED, recipe.name, recipe.bias, always(reduced))
        if within:
            bounded = relevance_by(network, x, target, recipe.plan, memory=within * 10**6)
            yield Method(f"{OURS}, {within} MB", recipe.name, recipe.bias, always(bounded))
    names = {recipe.name for recipe in fitting}
    for peer in peers:
        made = import_module(f"experiments.peers.{peer}").methods(model, x, target)
        yield from (method for method in made if method.rule in names)


def always(call):
    """A method that has nothing to hold or to prepare."""

    @contextmanager
    def ready() -> Iterator[Prepared]:
        yield Prepared(nothing, call)

    return ready


def relevance_by(network: Network, x: Tensor, target: int, plan: Plan, **options: Any):
    """Our explanation under a plan; the network is traced once, before."""
    return lambda: explain(network, x, target, plan, **options).relevance


def gradient_times_input(model: nn.Module, x: Tensor, target: int) -> Tensor:
    """``x ⊙ ∂f/∂x``: the forward and backward pass that everything is compared with."""
    x = x.detach().requires_grad_()
    (gradient,) = torch.autograd.grad(model(x)[:, target].sum(), x)
    return x.detach() * gradient


def difference(relevance: Tensor, other: Tensor) -> float:
    """Largest difference, relative to the other's largest |relevance|."""
    return ((relevance - other).abs().max() / other.abs().max()).item()


def compare(subject: Subject, peers: list[str], name: str) -> dict[tuple[str, str], float]:
    """Largest difference between each other library's relevance and ours, relative to our largest |relevance|."""
    double = subject.to(torch.float64)
    methods = methods_of(double.model, subject.domain, double.test_x[:1, ..., :CROP, :CROP], peers)
    ours, differences = {}, {}
    for method in progress(list(methods), f"comparing libraries on {name}"):
        if method.library != BASELINE:
            with method.ready() as prepared:
                relevance = once(prepared)[1]
            if method.library == OURS:
                ours[method.rule] = relevance
            else:
                differences[method.library, method.rule] = difference(relevance, ours[method.rule])
    return differences


def rounding(subject: Subject, name: str) -> dict[tuple[str, str], float]:
    """Largest difference between our relevance in float32 and in float64, relative to the largest |relevance|."""
    double, x = subject.to(torch.float64), subject.test_x[:1]
    single = methods_of(subject.model, subject.domain, x, [])
    pairs = list(zip(single, methods_of(double.model, double.domain, x.double(), []), strict=True))
    found = {}
    for method, exact in progress(pairs, f"rounding errors on {name}"):
        if method.library == OURS:
            with method.ready() as one, exact.ready() as two:
                relevance, truth = once(one)[1], once(two)[1]
            found[OURS, method.rule] = difference(relevance, truth)
    return found


def with_ratios(rows: pd.DataFrame) -> pd.DataFrame:
    """Each time divided by that of gradient × input in the same round."""
    keys = ["model", "batch", "round"]
    baseline = rows[rows.rule == BASELINE].set_index(keys).seconds.rename("baseline")
    joined = rows.join(baseline, on=keys)
    return joined.assign(ratio=joined.seconds / joined.baseline).drop(columns="baseline")


def check(config: Config) -> None:
    """Raises :class:`ConfigError` where the question does not fit; says which libraries are missing."""
    asked: CostConfig = config.question
    require(asked.rounds >= 1, "question.rounds", "at least 1", asked.rounds)
    require(asked.seconds >= 0, "question.seconds", "at least 0", asked.seconds)
    require(asked.batches and min(asked.batches) >= 1, "question.batches", "numbers of samples", asked.batches)
    names = [recipe.name for recipe in RECIPES]
    for name in asked.memory:
        require(name in names, "question.memory", f"among {', '.join(names)}", name)
    for axis, values in asked.scaling.items():
        require(axis in AXES, "question.scaling", f"along {', '.join(AXES)}", axis)
        require(min(values, default=1) >= 1, f"question.scaling.{axis}", "numbers of at least 1", values)
    require(asked.within >= 0, "question.within", "at least 0", asked.within)
    require(asked.audited >= 0, "question.audited", "at least 0", asked.audited)
    for peer in asked.peers:
        require(peer in PEERS, "question.peers", f"among {', '.join(PEERS)}", peer)
        if not installed(peer):
            console.print(f"{peer} is not installed; the comparison runs without it. To have it: pip install '.[peers]'.")


def tables(config: Config) -> Iterator[tuple[str, pd.DataFrame]]:
    """The rows; then peak memory, each method in a process of its own; then audits; then cost along each axis."""
    asked: CostConfig = config.question
    yield "rows", rows(config)
    if asked.memory:
        yield "memory", memory(config)
    if asked.audited:
        yield "audits", audits(config, asked.audited)
    if any(asked.scaling.values()):
        yield "scaling", scaling(asked.scaling, asked.rounds, asked.seconds)


def memory(config: Config) -> pd.DataFrame:
    """Peak memory that explaining adds to the loaded and traced model, at the largest batch, in MB."""
    asked: CostConfig = config.question
    found = []
    for name, subject in subjects(config.model, config.data).items():
        peers = [peer for peer in asked.peers if installed(peer)]
        x = samples(subject, max(asked.batches))
        wanted = {BASELINE, *asked.memory}
        methods = methods_of(subject.model, subject.domain, x, peers, asked.within)
        listed = [(method.library, method.rule) for method in methods if method.rule in wanted]
        for library, rule in progress(listed, f"memory on {name}"):
            peak = peak_memory(added_by, subject.model, subject.domain, x, library, rule, asked.within)
            found.append({"model": name, "batch": len(x), "library": library, "rule": rule, "megabytes": peak})
    return pd.DataFrame(found)


def added_by(model: nn.Module, domain: Domain, x: Tensor, library: str, rule: str, within: int) -> Iterator[None]:
    """Two explanations by one method; waits once when the model is traced and copied, before the first."""
    peers = [library] if library in PEERS else []
    (method,) = (m for m in methods_of(model, domain, x, peers, within) if (m.library, m.rule) == (library, rule))
    yield
    with method.ready() as prepared:
        for _ in range(2):
            once(prepared)


def problems(tables: Tables) -> list[str]:
    """What was timed although another library computed something else."""
    rows = tables["rows"]
    wrong = rows[(rows["round"] == 0) & ~(rows.difference.fillna(0) <= SAME) & rows.library.isin(PEERS)]
    return [
        f"{r.model}, {r.rule}: {r.library}'s relevance differs from ours by {r.difference:.2g} of the largest; the times "
        "do not compare the same thing"
        for r in wrong.itertuples()
    ]


QUESTION = Question(check, tables, show_cost, cost_figures, problems, summaries=SUMMARIES)
