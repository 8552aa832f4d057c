"""Which words of a review speak for its class to a transformer, by each rule, and does it listen to them?

A pretrained encoder with a head that is trained here reads the tokens; a word's relevance is the sum over its tokens'. What
is explained is the log-odds of the predicted class.
"""

from collections.abc import Iterator, Sequence
from copy import deepcopy
from dataclasses import replace

import numpy as np
import pandas as pd
import torch

from experiments.configs.base import Dtype, require
from experiments.configs.data import ReviewsConfig
from experiments.configs.models import MiniLMConfig
from experiments.configs.questions.language import SentimentConfig
from experiments.configs.run import Config
from experiments.data import load
from experiments.data.text.reviews import Reviews, Text, read
from experiments.data.text.tokens import Tokens
from experiments.figures.language import sentiment_figures
from experiments.figures.summary import Measure, Summary, Tables
from experiments.figures.terminal.language import show_sentiment
from experiments.models.sentence_classifier import Classifier, classifier
from experiments.questions.base import Question
from experiments.questions.movie_reviews.deletion import RANDOM
from experiments.questions.movie_reviews.question import CLASSES, areas, shapes
from experiments.questions.sentiment.accuracy import compared_accuracies
from experiments.questions.sentiment.deletion import deleted
from experiments.questions.sentiment.explaining import Reader, Spoken, reader
from experiments.questions.sentiment.precision import Checked, checked, relevances

CLOSED = 1e-8  # of what is explained: what balances in double precision may leave
AGREED = 1e-8  # of the text's largest |relevance|: what derived and explicit relevance may differ by in double precision


def asked_texts(asked: SentimentConfig, reviews: Reviews) -> tuple[Sequence[Text], Sequence[int | None]]:
    """The text that was given, or the first reviews of the test part that hold a word; with their classes, if any."""
    if asked.text is not None:
        text = read(asked.text, reviews.max_words)
        require(bool(text.words), "question.text", "a text with at least one word", repr(asked.text))
        return [text], [None]
    pairs = [(text, y) for text, y in zip(reviews.test_texts, reviews.test_y.tolist(), strict=True) if text.words]
    require(asked.reviews <= len(pairs), "question.reviews", f"at most the {len(pairs)} of the test part", asked.reviews)
    return tuple(zip(*pairs[: asked.reviews], strict=True))


def tables(config: Config) -> Iterator[tuple[str, pd.DataFrame]]:
    """Accuracy and predictions; then what each method says of the words, what blocks keep back, and deletion."""
    asked = config.asked(SentimentConfig)
    reviews = load(config.data)
    made = classifier(config.model, reviews)
    yield "accuracy", compared_accuracies(made, reviews, asked.beside)
    texts, truth = asked_texts(asked, reviews)
    tokens = [made.encoded(text) for text in texts]
    with torch.no_grad():
        single = reader(config, made, tokens, config.dtype.torch)
        said = single.spoken(tokens, [len(text.words) for text in texts])
        yield "texts", predictions(texts, truth, said)
        yield "words", words(texts, said, [0] if asked.text is not None else asked.shown)
        curves = deleted(made, said, asked.steps, asked.draws, config.seed)
        yield "deletion", curves.groupby(["plan", "deleted"], sort=False).probability.agg(["mean", "sem"]).reset_index()
        found = in_double(config, made, single, tokens[: asked.compared], asked.balanced)
    yield "blocks", found.blocks
    yield "rows", rows(said, found, areas(curves))


def in_double(config: Config, made: Classifier, single: Reader, tokens: Sequence[Tokens], balanced: int) -> Checked:
    """The checks in double precision on some texts; the classifier is in double precision afterwards."""
    ids = made.batch([text.ids for text in tokens])
    rounded = replace(made, model=deepcopy(made.model).to(torch.bfloat16))
    others = {
        "single": relevances(single, ids),
        "rounded": relevances(reader(config, rounded, tokens, config.dtype.torch), ids),
    }
    return checked(reader(config, made, tokens, torch.float64), ids, others, balanced)


def predictions(texts: Sequence[Text], truth: Sequence[int | None], said: Sequence[Spoken]) -> pd.DataFrame:
    """One row for each text.

    Columns: ``text``, ``truth``, ``predicted``, ``probability``, ``words``, ``tokens``, ``unread`` (words).
    """
    return pd.DataFrame(
        {
            "text": place,
            "truth": None if label is None else CLASSES[label],
            "predicted": CLASSES[spoken.target],
            "probability": spoken.probability,
            "words": len(text.words),
            "tokens": len(spoken.tokens.ids),
            "unread": text.unread,
        }
        for place, (text, label, spoken) in enumerate(zip(texts, truth, said, strict=True))
    )


def words(texts: Sequence[Text], said: Sequence[Spoken], shown: Sequence[int]) -> pd.DataFrame:
    """One row for each method and word of the texts that are drawn.

    Columns: ``text``, ``plan``, ``position``, ``word``, ``spaced``, ``known`` (the word has a token), ``relevance`` to the
    predicted class, and ``positive``, the same as evidence for the positive class.
    """
    parts = []
    for place in shown:
        own, spoken = texts[place].words, said[place]
        row = {"word": [w.shown for w in own], "spaced": [w.spaced for w in own]}
        row["known"] = [k in set(spoken.tokens.words) for k in range(len(own))]
        for method, relevance in spoken.relevance.items():
            label = {"text": place, "plan": method, "position": range(len(own))}
            sign = 1 if spoken.target else -1
            parts.append(pd.DataFrame({**label, **row, "relevance": relevance, "positive": sign * relevance}))
    return pd.concat(parts, ignore_index=True)


def rows(said: Sequence[Spoken], found: Checked, area: pd.DataFrame) -> pd.DataFrame:
    """One row for each method; means over texts with standard errors ``…_se``.

    Columns: ``texts``; ``compared`` (texts), ``differs``, ``single``, ``rounded``, ``gap``: see :class:`Checked`; over the
    log-odds (medians) ``conserved``, relevance of all tokens, and ``special``, that of the tokens that the tokenizer adds;
    ``spread`` and ``against`` as in ``movie_reviews``; the deletion's ``area``, and ``gain``, by how much it is below that
    of a random order.
    """
    checks = found.agreement.merge(found.closed[["plan", "gap"]], on="plan").set_index("plan")
    gains = area.rsub(area[RANDOM], axis=0)
    made = []
    for method in area.columns:
        row: dict[str, object] = {"plan": method, "texts": len(area), "compared": 0}
        row |= checks.loc[method].to_dict() if method in checks.index else {}
        if method != RANDOM:
            row |= shapes([(text.relevance[method], text.log_odds) for text in said])
            special = np.array([text.special[method] / text.log_odds for text in said])
            total = special + np.array([text.relevance[method].sum().item() / text.log_odds for text in said])
            row |= {"conserved": np.median(total), "special": np.median(special)}
        row |= {"area": area[method].mean(), "area_se": area[method].sem()}
        made.append({**row, "gain": gains[method].mean(), "gain_se": gains[method].sem()})
    return pd.DataFrame(made)


def check(config: Config) -> None:
    """Raises :class:`ConfigError` where the question does not fit."""
    asked = config.asked(SentimentConfig)
    require(isinstance(config.data, ReviewsConfig), "data", "sentences or imdb", type(config.data).__name__)
    require(isinstance(config.model, MiniLMConfig), "model", "minilm", type(config.model).__name__)
    require(config.dtype is Dtype.float32, "dtype", "float32, which is then held against float64", config.dtype.value)
    for name in ("reviews", "compared", "balanced", "steps", "draws"):
        require(getattr(asked, name) >= 1, f"question.{name}", "at least 1", getattr(asked, name))
    there = bool(asked.shown) and all(0 <= place < asked.reviews for place in asked.shown)
    require(there, "question.shown", f"texts that are explained, 0 to {asked.reviews - 1}", asked.shown)


def problems(tables: Tables) -> list[str]:
    """Plans whose derived and explicit relevance differ, and balances that do not close."""
    checked_rows = tables["rows"].query("compared > 0")
    wrong = [
        f"{r.plan}: derived and explicit relevance differ by {r.differs:.2g} of the largest; allowed are {AGREED:g}"
        for r in checked_rows.query("not differs <= @AGREED").itertuples()
    ]
    open_ones = [
        f"{r.plan}: what blocks keep back and what arrives leave {r.gap:.2g} of what is explained; allowed are {CLOSED:g}"
        for r in checked_rows.query("not abs(gap) <= @CLOSED").itertuples()
    ]
    return wrong + open_ones


def tested(tables: Tables) -> float:
    """The transformer's accuracy on the test part."""
    return tables["accuracy"].set_index(["classifier", "part"]).accuracy["transformer", "test"]


SUMMARIES = {
    "rows": Summary(
        within=(),
        compared=("plan",),
        measures={
            "area": Measure("area under deletion", "low"),
            "gain": Measure("below a random order by", "high"),
            "conserved": Measure("conservation", 1.0),
            "special": Measure("relevance of special tokens"),
            "spread": Measure("spread over words"),
        },
    ),
    "accuracy": Summary(within=("part",), compared=("classifier",), measures={"accuracy": Measure("accuracy", "high")}),
    "deletion": Summary(within=(), compared=("plan",), measures={"mean": Measure("probability")}, along="deleted"),
    "blocks": Summary(within=("block", "part"), compared=("plan",), measures={"kept": Measure("kept back")}),
}
QUESTION = Question(check, tables, show_sentiment, sentiment_figures, problems, {"accuracy": tested}, SUMMARIES)
