"""Which patches make two images alike? Relevance of pairs of patches (BiLRP) under each plan.

The embedding is what a classifier's last layer reads. Pairs of one class and of two are explained, what reaches pairs of
patches is held against what is kept, and pair relevance is correlated with occlusion of both patches.
"""

from collections.abc import Iterator

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from dtd.explaining.pair_side import Patches
from dtd.explaining.pairs import PairExplanation, pairs
from dtd.network import trace
from experiments.configs.base import require
from experiments.configs.questions.explanations import SimilarityConfig
from experiments.configs.run import Config
from experiments.figures.similarity import similarity_figures
from experiments.figures.summary import Measure, Summary
from experiments.figures.terminal.summaries import show_summaries
from experiments.machine.console import progress
from experiments.measures.pixels import labelled, tidy
from experiments.models import Subject, subjects
from experiments.plans import plans
from experiments.questions.base import Question
from experiments.questions.similarity.embedding import Pairs, embedding, interactions, matched

SUMMARIES = {
    "rows": Summary(
        within=("model", "kind"),
        compared=("plan",),
        measures={
            "similarity": Measure("similarity"),
            "first": Measure("on pairs of patches"),
            "left": Measure("kept left"),
            "right": Measure("kept right"),
            "both": Measure("kept on both sides"),
            "negative": Measure("negative share"),
            "occlusion": Measure("correlation with occlusion", "high"),
        },
    )
}


def tables(config: Config) -> Iterator[tuple[str, pd.DataFrame]]:
    """``rows``: one for each model, pair and plan; ``lines``: the pairs of patches drawn; ``pixels``: the images."""
    found: dict[str, list[pd.DataFrame]] = {"rows": [], "lines": [], "pixels": []}
    for name, subject in subjects(config.model, config.data).items():
        fits = subject.test_y is not None and subject.test_x.ndim == 4
        require(fits, "data", "images with labels", f"samples of shape {tuple(subject.test_x.shape[1:])}")
        for table, part in explained(config, name, subject.to(config.dtype.torch)):
            found[table].append(labelled(part, model=name))
    for table, parts in found.items():
        yield table, pd.concat(parts, ignore_index=True)


def explained(config: Config, name: str, subject: Subject) -> Iterator[tuple[str, pd.DataFrame]]:
    """The parts of each table for one model."""
    asked = config.asked(SimilarityConfig)
    high, wide = asked.patch
    shape = tuple(subject.test_x.shape[2:])
    require(not shape[0] % high and not shape[1] % wide, "question.patch", f"patches that tile {shape}", asked.patch)
    model, chosen = embedding(subject), matched(subject, asked.pairs)
    network = trace(model, chosen.left, subject.domain)
    truths: dict[int, Tensor] = {}
    made = plans(config, network, (subject.train_x, subject.test_x))
    for plan, each in progress(list(made.items()), f"explaining pairs of {name}"):
        out = pairs(network, chosen.left, chosen.right, each, cosine=asked.cosine).pooled(Patches(high, wide))
        if not truths:
            truths = interacting(model, chosen, (high, wide), out.scale)
        yield "rows", labelled(rows(out, chosen, truths), plan=plan)
        yield "lines", labelled(lines(out, chosen, asked), plan=plan)
    for place in shown(chosen, asked.shown):
        for side, image in (("left", chosen.left[place]), ("right", chosen.right[place])):
            yield "pixels", labelled(tidy(image), pair=place, kind=chosen.kinds[place], side=side)


def interacting(model: nn.Module, chosen: Pairs, patch: tuple[int, int], scale: Tensor) -> dict[int, Tensor]:
    """What occlusion says of each pair."""
    each = zip(chosen.left, chosen.right, scale.tolist(), strict=True)
    return {i: interactions(model, left, right, patch, c) for i, (left, right, c) in enumerate(each)}


def rows(out: PairExplanation, chosen: Pairs, truths: dict[int, Tensor]) -> pd.DataFrame:
    """One row for each pair: what becomes of the similarity (first, left, right and both add up to it), and measures.

    ``negative``: the share of ``|R_ij|`` that speaks against the similarity; ``occlusion``: Pearson's correlation of the
    relevance of pairs of patches with what occlusion of both changes.
    """
    balance, found = out.balance, out.product().flatten(3).flatten(1, 2)
    table = {name: getattr(balance, name) for name in ("similarity", "first", "left", "right", "both", "gap")}
    negative = found.clamp(max=0).abs().sum((1, 2)) / found.abs().sum((1, 2))
    correlations = [correlation(relevance, truths[i]) for i, relevance in enumerate(found)]
    places = {"left_sample": [a for a, _ in chosen.places], "right_sample": [b for _, b in chosen.places]}
    columns = {**table, "negative": negative, "occlusion": correlations}
    return pd.DataFrame({"pair": range(len(found)), "kind": chosen.kinds, **places, **columns})


def correlation(one: Tensor, other: Tensor) -> float:
    """Pearson's, over all entries; NaN where one of them is constant."""
    stacked = torch.stack([one.flatten(), other.flatten()])
    return float(torch.corrcoef(stacked)[0, 1])


def shown(chosen: Pairs, count: int) -> list[int]:
    """The first pairs of each kind."""
    kinds = np.array(chosen.kinds)
    return [int(place) for kind in dict.fromkeys(chosen.kinds) for place in np.flatnonzero(kinds == kind)[:count]]


def lines(out: PairExplanation, chosen: Pairs, asked: SimilarityConfig) -> pd.DataFrame:
    """The pairs of patches with the largest relevance: centres in pixels, relevance, and its share of the similarity."""
    top, (high, wide) = out.top(asked.lines), asked.patch
    top = top[top["sample"].isin(shown(chosen, asked.shown))]
    centres = {}
    for side in ("left", "right"):
        centres[f"{side}_row"] = [(row + 0.5) * high - 0.5 for row, _ in top[side]]
        centres[f"{side}_column"] = [(column + 0.5) * wide - 0.5 for _, column in top[side]]
    kinds = [chosen.kinds[place] for place in top["sample"]]
    values = {"relevance": top.relevance.to_numpy(), "share": top.share.to_numpy()}
    conserved = out.conservation()[top["sample"].tolist()]
    return pd.DataFrame({"pair": top["sample"].to_numpy(), "kind": kinds, **centres, **values, "conserved": conserved})


def check(config: Config) -> None:
    """Raises :class:`ConfigError` where the question does not fit."""
    asked = config.asked(SimilarityConfig)
    for name in ("pairs", "shown", "lines"):
        require(getattr(asked, name) >= 1, f"question.{name}", "at least 1", getattr(asked, name))
    require(len(asked.patch) == 2 and min(asked.patch) >= 1, "question.patch", "two sides of a patch", asked.patch)


def problems(found: dict[str, pd.DataFrame]) -> list[str]:
    """Pairs whose similarity is not the sum of what reaches pairs of patches and what is kept."""
    table = found["rows"]
    allowed = 1e-4 * table[["first", "left", "right", "both"]].abs().sum(axis=1)
    return [f"{r.plan}, pair {r.pair}: {r.gap:.2g} is missing" for r in table[table.gap.abs() > allowed].itertuples()]


QUESTION = Question(check, tables, show_summaries(SUMMARIES), similarity_figures, problems, summaries=SUMMARIES)
