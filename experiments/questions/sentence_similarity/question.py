"""Which pairs of words make two sentences alike? Relevance of pairs of words (BiLRP) to the cosine of their embeddings.

Relevance of pairs of words is correlated with what leaving both words out changes.
"""

from collections.abc import Iterator

import pandas as pd
import torch
from torch import Tensor

from dtd.explaining.pairs import PairExplanation, pairs
from dtd.network import trace
from experiments.configs.base import require
from experiments.configs.models import MiniLMConfig
from experiments.configs.questions.language import SentenceSimilarityConfig
from experiments.configs.run import Config
from experiments.figures.sentence_similarity import sentence_figures
from experiments.figures.summary import Measure, Summary
from experiments.figures.terminal.summaries import show_summaries
from experiments.machine.console import progress
from experiments.measures.pixels import labelled
from experiments.models.minilm import encoder
from experiments.plans import plans
from experiments.questions.base import Question
from experiments.questions.sentence_similarity.sentences import Embedding, Sentence, interactions, pairs_of

AT_ONCE = 32  # units of the embedding that are explained together
SUMMARIES = {
    "rows": Summary(
        within=("pair",),
        compared=("plan",),
        measures={
            "similarity": Measure("similarity"),
            "first": Measure("on pairs of tokens"),
            "left": Measure("kept left"),
            "right": Measure("kept right"),
            "both": Measure("kept on both sides"),
            "added": Measure("on added tokens"),
            "occlusion": Measure("correlation with occlusion", "high"),
        },
    )
}


def tables(config: Config) -> Iterator[tuple[str, pd.DataFrame]]:
    """``words`` of each sentence; ``rows``: one for each pair and plan; ``links``: relevance of each pair of words."""
    asked = config.asked(SentenceSimilarityConfig)
    source = encoder(config.model)
    chosen = pairs_of(source.tokenizer, asked.pairs, config.model.max_tokens)
    yield "words", pd.concat([shown(*pair, number) for number, pair in enumerate(chosen)], ignore_index=True)
    model = Embedding(source.model.to(config.dtype.torch)).eval()
    network = trace(model, chosen[0][0].ids)
    jobs = [(number, name, plan) for number in range(len(chosen)) for name, plan in plans(config, network, None).items()]
    rows, links = [], []
    for number, name, plan in progress(jobs, "explaining pairs of sentences"):
        left, right = chosen[number]
        out = pairs(network, left.ids, right.ids, plan, cosine=True, at_once=AT_ONCE).pooled(left.pooled, right.pooled)
        row, link = measured(out, left, right, interactions(model, left, right, float(out.scale)))
        rows.append(labelled(pd.DataFrame([row]), pair=number, plan=name))
        links.append(labelled(link, pair=number, plan=name))
    yield "links", pd.concat(links, ignore_index=True)
    yield "rows", pd.concat(rows, ignore_index=True)


def shown(left: Sentence, right: Sentence, number: int) -> pd.DataFrame:
    """The words of a pair of sentences."""
    found = [
        {"pair": number, "side": side, "position": place, "word": word.shown}
        for side, sentence in (("left", left), ("right", right))
        for place, word in enumerate(sentence.words)
    ]
    return pd.DataFrame(found)


def measured(out: PairExplanation, left: Sentence, right: Sentence, truth: Tensor) -> tuple[dict, pd.DataFrame]:
    """One row, and the relevance of every pair of words.

    ``first``, ``left``, ``right`` and ``both`` add up to the similarity, as in :class:`dtd.PairBalance`; ``added`` is the
    part of ``first`` on pairs in which tokens stand that the tokenizer adds.
    """
    parts = {"first": (out.left.first, out.right.first), "left": (out.left.kept, out.right.first)}
    parts |= {"right": (out.left.first, out.right.kept), "both": (out.left.kept, out.right.kept)}
    sums = {name: float((one * other).sum(1) * out.scale) for name, (one, other) in parts.items()}
    found = out.product()[0]
    inside = found[:-1, :-1]
    correlation = torch.corrcoef(torch.stack([inside.flatten(), truth.flatten()]))[0, 1]
    row = {"similarity": float(out.similarity), **sums, "added": float(found.sum() - inside.sum())}
    i, j = torch.meshgrid(*map(torch.arange, inside.shape), indexing="ij")
    columns = {"left": i.flatten(), "right": j.flatten(), "relevance": inside.flatten(), "occlusion": truth.flatten()}
    return {**row, "occlusion": float(correlation)}, pd.DataFrame(columns)


def check(config: Config) -> None:
    """Raises :class:`ConfigError` where the question does not fit."""
    asked = config.asked(SentenceSimilarityConfig)
    require(isinstance(config.model, MiniLMConfig), "model", "minilm", type(config.model).__name__)
    full = bool(asked.pairs) and all(len(pair) == 2 and all(text.strip() for text in pair) for pair in asked.pairs)
    require(full, "question.pairs", "pairs of sentences", asked.pairs)


QUESTION = Question(check, tables, show_summaries(SUMMARIES), sentence_figures, summaries=SUMMARIES)
