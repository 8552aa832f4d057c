"""What does an explanation cost? Seconds and memory, next to the fastest gradient × input (a forward and a backward pass).

All methods are timed in the same rounds. Before that, each library's relevance is compared with ours, in float64: times
compare only where the same thing is computed.
"""

import os
from collections.abc import Iterator

import pandas as pd
import torch

from experiments.configs.base import require
from experiments.configs.questions.cost import CostConfig
from experiments.configs.run import Config
from experiments.cost.audits import audits
from experiments.cost.comparison import compare, rounding
from experiments.cost.methods import OTHERWISE, PEERS, methods_of, samples
from experiments.cost.peaks import memory
from experiments.cost.peers import installed
from experiments.cost.recipes import BASELINE, RECIPES
from experiments.cost.scaling import AXES, scaling
from experiments.cost.timing import interleaved, warm_up
from experiments.figures.cost import cost_figures
from experiments.figures.summary import Measure, Summary, Tables
from experiments.figures.terminal.cost import show_cost
from experiments.machine.conditions import load
from experiments.machine.console import console, progress
from experiments.models import subjects
from experiments.questions.base import Question

SAME = 1e-4  # differences up to this share of the largest |relevance| are those of the libraries' stabilisers
SUMMARIES = {
    "rows": Summary(
        within=("model", "batch"),
        compared=("rule", "library"),
        measures={"seconds": Measure("seconds", "low"), "ratio": Measure("ratio to the fastest gradient × input", "low")},
    )
}


def rows(config: Config) -> pd.DataFrame:
    """One row for each model × batch × library × rule × round."""
    asked = config.asked(CostConfig)
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


def with_ratios(rows: pd.DataFrame) -> pd.DataFrame:
    """Each time divided by that of the fastest gradient × input in the same round; ``baseline`` names that variant.

    The fastest is the one with the lowest median over the rounds, for each model and batch size.
    """
    keys = ["model", "batch", "round"]
    timed = rows[rows.library == BASELINE]
    medians = timed.groupby(["model", "batch", "rule"], sort=False).seconds.median()
    fastest = medians.groupby(["model", "batch"], sort=False).idxmin().map(lambda place: place[-1]).rename("baseline")
    named = rows.join(fastest, on=["model", "batch"])
    base = named[(named.library == BASELINE) & (named.rule == named.baseline)].set_index(keys).seconds.rename("base")
    joined = named.join(base, on=keys)
    return joined.assign(ratio=joined.seconds / joined.base).drop(columns="base")


def check(config: Config) -> None:
    """Raises :class:`ConfigError` where the question does not fit; says which libraries are missing."""
    asked = config.asked(CostConfig)
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
    asked = config.asked(CostConfig)
    yield "rows", rows(config)
    if asked.memory:
        yield "memory", memory(config)
    if asked.audited:
        yield "audits", audits(config, asked.audited)
    if any(asked.scaling.values()):
        yield "scaling", scaling(asked.scaling, asked.rounds, asked.seconds)


def problems(tables: Tables) -> list[str]:
    """What was timed although another library computed something else."""
    rows = tables["rows"]
    wrong = rows[
        (rows["round"] == 0) & ~(rows.difference.fillna(0) <= SAME) & rows.library.isin(set(PEERS) - set(OTHERWISE))
    ]
    return [
        f"{r.model}, {r.rule}: {r.library}'s relevance differs from ours by {r.difference:.2g} of the largest; the times "
        "do not compare the same thing"
        for r in wrong.itertuples()
    ]


QUESTION = Question(check, tables, show_cost, cost_figures, problems, summaries=SUMMARIES)
