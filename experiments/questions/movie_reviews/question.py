"""Which words of a review speak for its class, by each rule, and does the network listen to them?

A network reads the mean of its words' vectors; the layer that reads them is one affine layer over all numbers of all
words. Derived and explicit relevance are compared as in the main job, roots are audited, and words are deleted in order
of relevance.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from experiments.configs.base import Dtype, require
from experiments.configs.data import ReviewsConfig
from experiments.configs.models import ReviewNetworkConfig
from experiments.configs.questions.explanations import MovieReviewsConfig
from experiments.configs.run import Config
from experiments.data import load
from experiments.data.text.reviews import Reviews, Text, read
from experiments.data.text.vocabulary import UNKNOWN
from experiments.figures.movie_reviews import review_figures
from experiments.figures.summary import Measure, Summary, Tables
from experiments.figures.terminal.movie_reviews import show_movie_reviews
from experiments.models.reviews import ReviewNetwork, subject
from experiments.questions.base import Question
from experiments.questions.movie_reviews.accuracy import accuracies
from experiments.questions.movie_reviews.deletion import RANDOM, deleted
from experiments.questions.movie_reviews.scores import Findings, Spoken, findings

CLASSES = ("negative", "positive")
READS = "read"  # the layer that reads the words


@dataclass(frozen=True, eq=False)
class Asked:
    """What is explained: texts, their rows of the vocabulary, and their classes, None where nobody said."""

    texts: Sequence[Text]
    ids: Sequence[Tensor]
    truth: Sequence[int | None]


def explained(asked: MovieReviewsConfig, reviews: Reviews) -> Asked:
    """The text that was given, or the first reviews of the test part."""
    if asked.text is not None:
        texts, truth = [read(asked.text, reviews.max_words)], [None]
    else:
        found = len(reviews.test_texts)
        require(asked.reviews <= found, "question.reviews", f"at most the {found} of the test part", asked.reviews)
        texts, truth = reviews.test_texts[: asked.reviews], reviews.test_y[: asked.reviews].tolist()
    return Asked(texts, [reviews.vocabulary.encoded(text.words) for text in texts], truth)


def tables(config: Config) -> Iterator[tuple[str, pd.DataFrame]]:
    """Accuracy, predictions; then, where any text holds a word, what each method says of the words."""
    asked = config.asked(MovieReviewsConfig)
    reviews = load(config.data)
    network = subject(config.model, reviews).model.requires_grad_(False)
    yield "accuracy", accuracies(network, reviews)
    network = network.double()
    texts = explained(asked, reviews)
    yield "texts", predictions(network, texts)
    found = findings(config, network, texts.ids)
    if found is None:
        yield "rows", pd.DataFrame(columns=["plan", "texts"])
        return
    yield "words", words(texts, found.said, [0] if asked.text is not None else asked.shown)
    yield "roots", found.roots
    curves = deleted(network, found.said, asked.steps, asked.draws, config.seed)
    yield "deletion", curves.groupby(["plan", "deleted"], sort=False).probability.agg(["mean", "sem"]).reset_index()
    yield "rows", rows(found, areas(curves))


@torch.no_grad()
def predictions(network: ReviewNetwork, asked: Asked) -> pd.DataFrame:
    """One row for each text: class, prediction with its probability, and how many words it has, unknown, and beyond reach.

    Columns: ``text``, ``truth``, ``predicted``, ``probability``, ``words``, ``unknown``, ``unread``.
    """
    found = []
    for place, (text, ids, truth) in enumerate(zip(asked.texts, asked.ids, asked.truth, strict=True)):
        probability = network(ids[None]).softmax(1)[0]
        predicted = int(probability.argmax())
        row = {"text": place, "truth": None if truth is None else CLASSES[truth], "predicted": CLASSES[predicted]}
        counts = {"words": len(ids), "unknown": int((ids == UNKNOWN).sum()), "unread": text.unread}
        found.append({**row, "probability": probability[predicted].item(), **counts})
    return pd.DataFrame(found)


def words(asked: Asked, said: Mapping[int, Spoken], shown: Sequence[int]) -> pd.DataFrame:
    """One row for each method and word of the texts that are drawn.

    Columns: ``text``, ``plan``, ``position``, ``word``, ``spaced`` (white space comes before it), ``known``, ``relevance``
    to the predicted class, and ``positive``, the same as evidence for the positive class.
    """
    parts = []
    for place in shown:
        if place in said:
            text = asked.texts[place].words
            row = {"word": [w.shown for w in text], "spaced": [w.spaced for w in text], "known": asked.ids[place] != UNKNOWN}
            for method, relevance in said[place].relevance.items():
                label = {"text": place, "plan": method, "position": range(len(text))}
                sign = 1 if said[place].target else -1
                parts.append(pd.DataFrame({**label, **row, "relevance": relevance, "positive": sign * relevance}))
    columns = ["text", "plan", "position", "word", "spaced", "known", "relevance", "positive"]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns)


def areas(curves: pd.DataFrame) -> pd.DataFrame:
    """Area under each text's curve. # rows: texts, columns: methods"""
    return curves.groupby(["text", "plan"], sort=False).probability.mean().unstack("plan", sort=False)


def rows(found: Findings, area: pd.DataFrame) -> pd.DataFrame:
    """One row for each method; means over texts with standard errors ``…_se``.

    Columns: ``texts``; of derived against explicit ``compared`` (texts), ``max_rel``, ``of_allowed``, ``cosine``;
    ``valid``, the share of valid roots in the layer that reads the words; ``conserved``, relevance of all words over the
    log-odds (median); ``spread``, the standard deviation of a text's relevances over their mean size (median);
    ``against``, the share of relevance that speaks against the prediction; the deletion's ``area``, and ``gain``, by how
    much it is below that of a random order.
    """
    worst = found.agreement.groupby("plan").agg({"compared": "sum", "max_rel": "max", "of_allowed": "max", "cosine": "min"})
    valid = found.roots[found.roots.layer == READS].set_index("plan").valid
    gains = area.rsub(area[RANDOM], axis=0)
    made = []
    for method in area.columns:
        derived = worst.loc[method].to_dict() | {"valid": valid[method]} if method in worst.index else {"compared": 0}
        shape = {} if method == RANDOM else shapes([(text.relevance[method], text.log_odds) for text in found.said.values()])
        deletion = {"area": area[method].mean(), "area_se": area[method].sem()}
        gain = {"gain": gains[method].mean(), "gain_se": gains[method].sem()}
        made.append({"plan": method, "texts": len(area), **derived, **shape, **deletion, **gain})
    return pd.DataFrame(made)


def shapes(relevances: Sequence[tuple[Tensor, float]]) -> dict[str, float]:
    """How relevance is spread over the words of a text: see :func:`rows`."""
    each = [(r.numpy(), r.abs().sum().item(), log_odds) for r, log_odds in relevances]
    return {
        "conserved": np.median([r.sum() / log_odds for r, _, log_odds in each]),
        "spread": np.median([r.std() / (size / len(r)) for r, size, _ in each if size]),
        "against": np.mean([-r[r < 0].sum() / size for r, size, _ in each if size]),
    }


def check(config: Config) -> None:
    """Raises :class:`ConfigError` where the question does not fit."""
    asked = config.asked(MovieReviewsConfig)
    require(isinstance(config.data, ReviewsConfig), "data", "sentences or imdb", type(config.data).__name__)
    require(isinstance(config.model, ReviewNetworkConfig), "model", "reviews", type(config.model).__name__)
    require(config.dtype is Dtype.float64, "dtype", "float64", config.dtype.value)
    for name in ("reviews", "compared", "audited", "steps", "draws"):
        require(getattr(asked, name) >= 1, f"question.{name}", "at least 1", getattr(asked, name))
    there = bool(asked.shown) and all(0 <= place < asked.reviews for place in asked.shown)
    require(there, "question.shown", f"texts that are explained, 0 to {asked.reviews - 1}", asked.shown)


def problems(tables: Tables) -> list[str]:
    """Methods whose derived and explicit relevance differ by more than rounding allows."""
    wrong = tables["rows"].query("compared > 0 and not of_allowed <= 1") if len(tables["rows"]) else pd.DataFrame()
    return [
        f"{r.plan}: derived and explicit relevance differ by {r.max_rel:.2g} of the largest, {r.of_allowed:.2g} times "
        "what rounding allows"
        for r in wrong.itertuples()
    ]


def tested(tables: Tables) -> float:
    """The network's accuracy on the test part."""
    return tables["accuracy"].set_index(["classifier", "part"]).accuracy["network", "test"]


SUMMARIES = {
    "rows": Summary(
        within=(),
        compared=("plan",),
        measures={
            "area": Measure("area under deletion", "low"),
            "gain": Measure("below a random order by", "high"),
            "spread": Measure("spread over words"),
            "conserved": Measure("conservation", 1.0),
            "valid": Measure("valid roots", "high"),
        },
    ),
    "accuracy": Summary(within=("part",), compared=("classifier",), measures={"accuracy": Measure("accuracy", "high")}),
    "deletion": Summary(within=(), compared=("plan",), measures={"mean": Measure("probability")}, along="deleted"),
}
QUESTION = Question(check, tables, show_movie_reviews, review_figures, problems, {"accuracy": tested}, SUMMARIES)
