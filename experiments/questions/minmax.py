"""What does a trained relevance model change? Training-free, min-max and exact on the task of Montavon 2017.

A network says whether a digit 0 to 3 stands in an image of two; its score of presence is explained. Each model is asked
whether it is conservative, positive and therefore consistent (both).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pandas as pd
from torch import Tensor

from dtd.errors import BudgetError
from dtd.estimate.min_max import Fitted, Training, fit_min_max
from dtd.explaining.explain import explain
from dtd.network import Network
from dtd.plans.entry import Entry
from dtd.plans.plan import Plan
from dtd.plans.presets import deep_taylor_2017
from dtd.plans.where import name
from dtd.relevance import Exact
from dtd.relevance.min_max import direction_on
from experiments.configs.base import ConfigError, require
from experiments.configs.questions.relevance_models import MinMaxConfig
from experiments.configs.run import Config
from experiments.figures.minmax import minmax_figures
from experiments.figures.summary import Measure, Summary
from experiments.figures.terminal.summaries import show_summaries
from experiments.machine.console import console, progress
from experiments.measures.pixels import labelled, tidy
from experiments.models import Subject, subjects
from experiments.questions.base import Question
from experiments.questions.cases import traced

PRESENT = 1  # the class whose score is explained
CONSERVED = 0.05  # a relative error up to this counts as conservative
BATCH = 500
SUMMARIES = {
    "rows": Summary(
        within=("present",),
        compared=("method",),
        measures={
            "error": Measure("|ΣR − f| / f", "low"),
            "conservative": Measure("conservative", "high"),
            "negative": Measure("negative share", "low"),
            "positive": Measure("positive", "high"),
            "consistent": Measure("consistent", "high"),
        },
    ),
    "fit": Summary(
        within=("model",),
        compared=("layer",),
        measures={"r2_train": Measure("R², training"), "r2_test": Measure("R², held out", "high")},
    ),
}


@dataclass(frozen=True, eq=False)
class Methods:
    """A network and one plan for each relevance model. # shape: x (N, *in), present (N,)"""

    network: Network
    x: Tensor
    present: Tensor
    plans: Mapping[str, Plan]
    fitted: Fitted


def methods(config: Config, subject: Subject) -> Methods:
    """The plans of one subject; the min-max models are trained on its training data."""
    asked = config.asked(MinMaxConfig)
    case, prescribed = traced(subject, config.dtype.torch, asked.samples), deep_taylor_2017()
    network = case.network
    console.print("training the min-max models")
    batches = case.subject.train_x.split(BATCH)
    fitted = fit_min_max(network, batches, PRESENT, prescribed, Training(asked.hidden, asked.steps, seed=config.seed))
    plans = {"training_free": prescribed, "min_max": fitted.plan(prescribed), "exact": true(network, asked.budget)}
    return Methods(network, case.x, subject.test_y[: asked.samples], plans, fitted)


def true(network: Network, budget: int) -> Plan:
    """The exact model for every layer with weights but the last, whose relevance is its activation; same directions."""
    entries = []
    for layer in network.weighted[:-1]:
        entries.append(Entry(name(layer.name), Exact(direction_on(layer.domain), budget=budget)))
    return Plan([*entries, *deep_taylor_2017().entries])


def tables(config: Config) -> Iterator[tuple[str, pd.DataFrame]]:
    """``rows``: one for each sample and method; ``fit``: one for each layer; ``pixels`` of the samples that are shown."""
    asked = config.asked(MinMaxConfig)
    rows, fits, pixels = [], [], []
    for label, subject in subjects(config.model, config.data).items():
        made = methods(config, subject)
        fits.append(labelled(made.fitted.fit, model=label, accuracy=subject.accuracy()))
        for method in made.plans:
            samples = range(min(asked.exact, asked.samples) if method == "exact" else asked.samples)
            for i in progress(list(samples), f"{method} on {label}"):
                relevance, score = explained(made, method, i)
                described = {"model": label, "method": method, "sample": i, "present": bool(made.present[i])}
                rows.append(described | measured(relevance, score, made.x[i]))
                if i in asked.shown:
                    pixels.append(labelled(tidy(relevance / max(score, 1e-12)), **described, score=score))
        for i in asked.shown:
            described = {"model": label, "method": "input", "sample": i, "present": bool(made.present[i])}
            pixels.append(labelled(tidy(made.x[i]), **described, score=0.0))
    yield "rows", pd.DataFrame(rows)
    yield "fit", pd.concat(fits, ignore_index=True)
    yield "pixels", pd.concat(pixels, ignore_index=True)


def explained(made: Methods, method: str, i: int) -> tuple[Tensor, float]:
    """Relevance of one sample, and the score that it explains. # shape: (*in)"""
    try:
        found = explain(made.network, made.x[i : i + 1], PRESENT, made.plans[method])
    except BudgetError as error:
        raise ConfigError(f"'question.budget' is too small for the exact model: {error}") from error
    return found.relevance[0], float(found.initial.sum())


def measured(relevance: Tensor, score: float, x: Tensor) -> dict[str, float | bool | None]:
    """One sample: conservative, positive, consistent (both)."""
    total, size = float(relevance.sum()), float(relevance.abs().sum())
    error = abs(total - score) / score if score > 0 else None
    negative = float(relevance.clamp(max=0).abs().sum()) / size if size > 0 else 0.0
    conservative, positive = (error or 0.0) <= CONSERVED if score > 0 else size == 0, negative < 1e-6
    return {
        "score": score,
        "total": total,
        "error": error,
        "conservative": conservative,
        "negative": negative,
        "positive": positive,
        "consistent": conservative and positive,
    }


def check(config: Config) -> None:
    """Raises :class:`ConfigError` where the question does not fit."""
    asked = config.asked(MinMaxConfig)
    require(asked.samples >= 1 and asked.exact >= 1, "question.samples and question.exact", "at least 1", asked.samples)
    require(asked.hidden >= 1, "question.hidden", "at least 1", asked.hidden)
    require(asked.steps >= 0, "question.steps", "at least 0", asked.steps)
    shown = all(0 <= i < min(asked.samples, asked.exact) for i in asked.shown)
    require(shown, "question.shown", "among the samples of all three models", asked.shown)


QUESTION = Question(check, tables, show_summaries(SUMMARIES), minmax_figures, summaries=SUMMARIES)
