"""Which components of a language model does a fact rest on, and who finds them without trying each?

Two prompts differ in one word (France, Italy); what is explained is the logit of the first one's answer minus that of the
other's. Activation patching replaces the output of one component (the attention, the MLP, the residual stream of one block
at one position) by that of the other prompt and runs the model again: the truth. Attribution patching (gradients) and
relevance patching (the plans' coefficients) estimate all of it from one pass; each is correlated with the truth.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd
import torch

from dtd.explaining.patching import Patching, patching
from dtd.explaining.starts.contrast import Difference
from dtd.network import Network, trace
from experiments.configs.base import require
from experiments.configs.models import SmolLM2Config
from experiments.configs.questions.language import CircuitsConfig
from experiments.configs.run import Config
from experiments.figures.circuits import circuit_figures
from experiments.figures.summary import Measure, Summary, Tables
from experiments.figures.terminal.summaries import show_summaries
from experiments.machine.console import progress
from experiments.measures.blocks import numbered
from experiments.models.smollm2 import causal
from experiments.plans import plans
from experiments.questions.base import Question
from experiments.questions.circuits.prompts import BLANK, NextToken, PromptPair, difference, prompt_pairs

GRADIENT = "attribution patching"
LARGEST = 10  # components by |effect| that an estimate should find
POSITIONS = 0  # the axis of one sample that counts tokens
SUMMARIES = {
    "rows": Summary(
        within=("component",),
        compared=("method",),
        measures={
            "pearson": Measure("correlation with activation patching", "high"),
            "rest": Measure("without the largest effect", "high"),
            "found": Measure(f"of the {LARGEST} largest effects among its {LARGEST} largest", "high"),
            "size": Measure("Σ|estimate| / Σ|effect|", 1.0),
        },
    )
}


def tables(config: Config) -> Iterator[tuple[str, pd.DataFrame]]:
    """``prompts``; ``patches``, one row for each pair, component, block, position and method; ``rows``, how good each is."""
    asked: CircuitsConfig = config.question
    found = causal(config.model)
    model = NextToken(found.model.to(config.dtype.torch)).eval()
    pairs = prompt_pairs(found.tokenizer, asked.prompt, asked.pairs)
    yield "prompts", pd.DataFrame([described(model, found.tokenizer, pair, number) for number, pair in enumerate(pairs)])
    network = trace(model, pairs[0].clean)
    made = []
    lengths = sorted({pair.clean.shape[1] for pair in pairs})
    jobs = [(length, *component) for length in lengths for component in asked.components.items()]
    for length, component, glob in progress(jobs, "patching"):
        chosen = {number: pair for number, pair in enumerate(pairs) if pair.clean.shape[1] == length}
        scores = estimates(config, network, list(chosen.values()), glob, asked.at_once)
        made.append(patches(scores, chosen, found.tokenizer).assign(component=component))
    every = pd.concat(made, ignore_index=True)
    yield "patches", every
    yield "rows", measured(every)


def described(model: NextToken, tokenizer: Any, pair: PromptPair, number: int) -> dict[str, object]:
    """The two prompts, and what is explained of each: positive where the model prefers the first one's answer."""
    values = {"explained": difference(model, pair.clean, pair), "other_explained": difference(model, pair.corrupted, pair)}
    names = {key: tokenizer.decode([getattr(pair, key)]).strip() for key in ("answer", "against")}
    return {"pair": number, "clean": pair.text, "corrupted": pair.other, **names, **values}


def estimates(config: Config, network: Network, pairs: list[PromptPair], glob: str, at_once: int) -> dict[str, Patching]:
    """The patches of one component in all blocks, of pairs of prompts of one length, for each plan."""
    clean, corrupted = (torch.cat([getattr(pair, side) for pair in pairs]) for side in ("clean", "corrupted"))
    target = Difference(*(torch.tensor([getattr(pair, key) for pair in pairs]) for key in ("answer", "against")))
    return {
        name: patching(network, clean, corrupted, target, plan, at=[glob], at_once=at_once)
        for name, plan in plans(config, network, None).items()
    }


def patches(scores: Mapping[str, Patching], pairs: Mapping[int, PromptPair], tokenizer: Any) -> pd.DataFrame:
    """One row for each pair, block, position and method, from the first token on that differs.

    Columns: ``pair``, ``block``, ``layer``, ``position``, ``token``, ``method``, ``estimate``, ``effect``.
    """
    one = next(iter(scores.values()))
    blocks, rows = numbered(one.layers), []
    for layer in one.layers:
        effect = one.effect(layer, POSITIONS)
        methods = {GRADIENT: one.gradient(layer, POSITIONS)}
        methods |= {name: each.relevance(layer, POSITIONS) for name, each in scores.items()}
        for sample, (number, pair) in enumerate(pairs.items()):
            for place in range(pair.first, effect.shape[1]):
                token = tokenizer.decode([int(pair.clean[0, place])]).strip()
                row = {"pair": number, "block": blocks[layer], "layer": layer, "position": place, "token": token}
                true = float(effect[sample, place])
                estimated = {method: float(values[sample, place]) for method, values in methods.items()}
                rows += [{**row, "method": name, "estimate": value, "effect": true} for name, value in estimated.items()]
    return pd.DataFrame(rows)


def measured(every: pd.DataFrame) -> pd.DataFrame:
    """One row for each pair, component and method; columns ``pearson``, ``rest``, ``found``, ``size``: see ``SUMMARIES``."""
    rows = []
    for (component, method, pair), own in every.groupby(["component", "method", "pair"], sort=False):
        estimate, effect = own.estimate.to_numpy(), own.effect.to_numpy()
        others = np.argsort(-np.abs(effect), kind="stable")[1:]
        first = [set(np.argsort(-np.abs(values), kind="stable")[:LARGEST]) for values in (estimate, effect)]
        rows.append(
            {
                "component": component,
                "method": method,
                "pair": pair,
                "pearson": correlation(estimate, effect),
                "rest": correlation(estimate[others], effect[others]),
                "found": len(first[0] & first[1]) / len(first[1]),
                "size": np.abs(estimate).sum() / np.abs(effect).sum(),
            }
        )
    return pd.DataFrame(rows)


def correlation(one: np.ndarray, other: np.ndarray) -> float:
    """Pearson's; missing where either does not vary."""
    return float(np.corrcoef(one, other)[0, 1]) if one.std() > 0 and other.std() > 0 else float("nan")


def check(config: Config) -> None:
    """Raises :class:`ConfigError` where the question does not fit."""
    asked: CircuitsConfig = config.question
    require(isinstance(config.model, SmolLM2Config), "model", "smollm2", type(config.model).__name__)
    require(asked.prompt.count(BLANK) == 1, "question.prompt", f"a prompt with one {BLANK}", repr(asked.prompt))
    full = bool(asked.pairs) and all(len(pair) == 4 and all(word.strip() for word in pair) for pair in asked.pairs)
    require(full, "question.pairs", "pairs [word, answer, other word, its answer]", asked.pairs)
    require(bool(asked.components), "question.components", "globs over layers, by name", dict(asked.components))
    require(asked.at_once >= 1, "question.at_once", "at least 1", asked.at_once)


def problems(tables: Tables) -> list[str]:
    """Pairs that the model does not tell apart: their patches explain nothing."""
    rows = tables["prompts"]
    return [
        f"pair {row.pair}: the model prefers '{row.answer}' to '{row.against}' by {row.explained:.2g} after "
        f"'{row.clean}', and by {row.other_explained:.2g} after '{row.corrupted}'; its patches explain nothing"
        for row in rows.itertuples()
        if not row.explained > row.other_explained
    ]


QUESTION = Question(check, tables, show_summaries(SUMMARIES), circuit_figures, problems, summaries=SUMMARIES)
