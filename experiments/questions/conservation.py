"""What becomes of the explained output? For each layer: handed down, kept by the bias, left in the zeroth term, beyond.

Nothing is rescaled: what reaches the input and what stays on the way add up to the explained output.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import pandas as pd
import torch

from dtd.explaining.explanation import Explanation
from experiments.configs.base import require
from experiments.configs.questions.roots import ConservationConfig
from experiments.configs.run import Config
from experiments.figures.conservation import conservation_figures
from experiments.figures.summary import Measure, Summary, Tables
from experiments.figures.terminal.summaries import show_summaries
from experiments.machine.console import progress
from experiments.plans import plans
from experiments.questions.base import Question
from experiments.questions.cases import Case, cases

KEPT = ("bias", "zeroth", "remainder")
CLOSES = {"float64": 1e-9, "float32": 1e-3}  # largest gap, relative to the largest part
SUMMARIES = {
    "totals": Summary(
        within=("model", "bias_mode"),
        compared=("plan",),
        measures={
            "input": Measure("reaches the input", 1.0),
            "bias": Measure("in biases"),
            "zeroth": Measure("zeroth"),
            "remainder": Measure("remainder"),
        },
    ),
}


def tables(config: Config) -> Iterator[tuple[str, pd.DataFrame]]:
    """``rows``: the balance of each layer. ``totals``: what reaches the input, what all layers keep, and the ``gap``.

    Every number is a share of the explained outputs' sum over the samples. ``arrived`` is what a layer is given; its parts
    are ``first`` (handed down), ``bias``, ``zeroth`` and ``remainder``. ``position`` counts the layers from the input.
    """
    asked = config.asked(ConservationConfig)
    rows, totals = [], []
    for case in cases(config, asked.samples):
        for bias in [None] if asked.biases is None else asked.biases:
            made = plans(replace(config, bias=bias or config.bias), case.network, case.batches)
            for name, plan in progress(made.items(), f"balancing {case.name}", len(made)):
                mode = "own" if bias is None and config.bias is None else (bias or config.bias).value
                label = {"model": case.name, "plan": name, "bias_mode": mode, "samples": len(case.x)}
                layers, total = balances(case, list(case.explanations(plan)))
                rows.append(layers.assign(**label))
                totals.append({**label, **total, "allowed": CLOSES[config.dtype.value]})
    found = pd.concat(rows, ignore_index=True)
    first = list(totals[0])[:4]
    yield "rows", found[[*first, *(column for column in found if column not in first)]]
    yield "totals", pd.DataFrame(totals)


@torch.no_grad()
def balances(case: Case, explanations: Sequence[Explanation]) -> tuple[pd.DataFrame, dict[str, float]]:
    """Each layer's balance, and the network's, as shares of what is explained."""
    explained = sum(each.initial.sum().item() for each in explanations)
    rows = []
    for position, layer in enumerate(case.network.layers, 1):
        parts = zip(*(each.layers[layer.name].balance.parts() for each in explanations), strict=True)
        arrived, first, *kept = (torch.cat(part).sum().item() / explained for part in parts)
        names = {"layer": layer.name, "kind": layer.kind, "position": position, "with_weights": layer.weighted}
        rows.append({**names, "arrived": arrived, "first": first, **dict(zip(KEPT, kept, strict=True))})
    table = pd.DataFrame(rows)
    reached = sum(each.relevance.sum().item() for each in explanations) / explained
    total = {"input": reached, **{part: table[part].sum() for part in KEPT}}
    largest = max(1.0, abs(reached), table[["arrived", "first", *KEPT]].abs().max().max())
    return table, total | {"gap": abs(1 - sum(total.values())) / largest}


def check(config: Config) -> None:
    """Raises :class:`ConfigError` where the question does not fit."""
    asked = config.asked(ConservationConfig)
    require(asked.samples >= 1, "question.samples", "at least 1", asked.samples)
    require(asked.biases is None or bool(asked.biases), "question.biases", "null or not empty", asked.biases)
    both = asked.biases is not None and config.bias is not None
    require(not both, "bias", "left out where 'question.biases' names the modes", config.bias)


def problems(tables: Tables) -> list[str]:
    """Networks whose parts do not add up."""
    wrong = tables["totals"].query("not gap <= allowed")
    return [
        f"{r.model}, {r.plan}, bias {r.bias_mode}: what reaches the input and what layers keep add up to the explained "
        f"output only up to {r.gap:.2g}"
        for r in wrong.itertuples()
    ]


QUESTION = Question(check, tables, show_summaries(SUMMARIES), conservation_figures, problems, summaries=SUMMARIES)
