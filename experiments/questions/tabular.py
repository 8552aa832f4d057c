"""Which columns do models of one table call relevant?

Linear, kernel, density and neural models of the same standardised rows, each explained by the root points that its layers
have; of a regression what is explained is the prediction less the mean of the targets. Models are compared by how fast their
own score falls when columns are set to their mean, the most relevant ones first, and columns by their share of ``Σ|R|``.
"""

from collections.abc import Iterator
from typing import Any

import pandas as pd
import torch
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.kernel_ridge import KernelRidge
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import train_test_split
from sklearn.naive_bayes import GaussianNB
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, SVR
from torch import Tensor

from dtd.explaining.explain import explain
from dtd.network import Network, trace
from dtd.neuralised import Neuralised, neuralise
from dtd.plans import presets
from dtd.plans.plan import Plan
from dtd.plans.where import kind
from dtd.relevance import Generic
from experiments.configs.base import require
from experiments.configs.questions.estimators import TabularQuestionConfig
from experiments.configs.run import Config
from experiments.figures.summary import Measure, Summary
from experiments.figures.tabular import tabular_figures
from experiments.figures.terminal.summaries import show_summaries
from experiments.machine.console import progress
from experiments.questions.base import Question
from experiments.questions.estimators import fall, random_orders, table

KERNELS, STEPS = ("SVC", "SVR", "KernelRidge"), 32  # estimators, and Taylor steps of their paths
CLASSES, REGRESSIONS = ("breast_cancer", "wine"), ("diabetes",)
SUMMARIES = {
    "rows": Summary(
        within=("table",),
        compared=("model",),
        measures={
            "score": Measure("accuracy or R²", "high"),
            "fall": Measure("fall", "high"),
            "random": Measure("fall, random order"),
            "kept": Measure("kept back"),
        },
    ),
}


def models(name: str, seed: int) -> dict[str, tuple[Any, str | None]]:
    """Estimators and the scores that are explained, by name."""
    if name in REGRESSIONS:
        return {
            "ridge": (Ridge(), None),
            "SVR": (SVR(C=100.0), None),
            "kernel ridge": (KernelRidge(kernel="rbf", alpha=1.0, gamma=0.02), None),
            "MLP": (MLPRegressor(hidden_layer_sizes=(32,), max_iter=3000, random_state=seed), None),
        }
    binary = name == "breast_cancer"
    made: dict[str, tuple[Any, str | None]] = {
        "logistic": (LogisticRegression(max_iter=500), None if binary else "log_odds"),
        "LDA": (LinearDiscriminantAnalysis(), None if binary else "log_odds"),
        "naive Bayes": (GaussianNB(), None),
        "SVC": (SVC(), None),
        "MLP": (MLPClassifier(hidden_layer_sizes=(16,), max_iter=2000, random_state=seed), None if binary else "log_odds"),
    }
    return {**made, "SVC, log-ratio": (SVC(), "log_ratio")} if binary else {k: v for k, v in made.items() if k != "SVC"}


def tables(config: Config) -> Iterator[tuple[str, pd.DataFrame]]:
    """``rows``: for each table, model and test sample; ``columns``: the share of each column in ``Σ|R|``, and its mean R."""
    asked = config.asked(TabularQuestionConfig)
    found, columns = [], []
    for name in progress(list(asked.tables), "fitting models of tables"):
        rows, labels, names = table(name, config.seed)
        parts = train_test_split(rows, labels, test_size=asked.test, random_state=config.seed)
        for model, (estimator, score) in models(name, config.seed).items():
            fitted = make_pipeline(StandardScaler(), estimator).fit(parts[0], parts[2])
            reference = float(parts[2].mean()) if name in REGRESSIONS else 0.0
            module = neuralise(fitted, score, reference=reference)
            x, mean = torch.tensor(parts[1][: asked.samples]), torch.tensor(parts[0].mean(0))
            for way, decomposed in ways(module, x, mean).items():
                made, relevance = explained(module, x, mean, config.seed, decomposed)
                label = {"table": name, "model": f"{model}{way}"}
                found.append(made.assign(**label, score=fitted.score(parts[1], parts[3])))
                share = (relevance.abs() / relevance.abs().sum(1, keepdim=True)).mean(0)
                columns.append(pd.DataFrame({**label, "column": names, "share": share, "relevance": relevance.mean(0)}))
    yield "rows", pd.concat(found, ignore_index=True)
    yield "columns", pd.concat(columns, ignore_index=True)


def ways(module: Neuralised, x: Tensor, mean: Tensor) -> dict[str, tuple[Network, Plan]]:
    """How a model is decomposed; one whose kernels are summed with signs also in one piece, on the way from the mean."""
    perceptron = module.estimator.startswith("MLP")
    plan = presets.neuralised("fixed", gamma=0.25) if perceptron else presets.neuralised()
    found = {"": (trace(module, x), plan)}
    if module.estimator in KERNELS and not module.score.startswith("log-ratio"):
        path = Plan([(kind("opaque"), Generic(mean[None], at="reference", steps=STEPS))])
        found[", path"] = (trace(module, x, opaque=["body"]), path)
    return found


def explained(
    module: Neuralised, x: Tensor, mean: Tensor, seed: int, decomposed: tuple[Network, Plan]
) -> tuple[pd.DataFrame, Tensor]:
    """The rows of one model, and the relevance of its columns for the side or class that it chooses. # shape: (B, J)"""
    y = module(x).detach()
    target = y.argmax(1) if y.shape[1] > 1 else torch.zeros(len(x), dtype=torch.long)
    sign = torch.ones(len(x), dtype=x.dtype) if y.shape[1] > 1 else y[:, 0].sign()
    score = lambda a: sign * module(a).detach().gather(1, target[:, None])[:, 0]  # noqa: E731
    network, plan = decomposed
    out = explain(network, x, target, plan)
    relevance = sign[:, None] * out.relevance
    order = relevance.argsort(1, descending=True)
    kept = (score(x) - relevance.sum(1)) / score(x).abs()
    found = {"fall": fall(score, x, order, mean), "random": fall(score, x, random_orders(x, seed), mean)}
    return pd.DataFrame({"sample": range(len(x)), **found, "kept": kept}), relevance


def check(config: Config) -> None:
    """Raises :class:`ConfigError` where the question does not fit."""
    asked = config.asked(TabularQuestionConfig)
    known = (*CLASSES, *REGRESSIONS)
    require(bool(asked.tables) and set(asked.tables) <= set(known), "question.tables", f"of {known}", asked.tables)
    require(asked.samples >= 1, "question.samples", "at least 1", asked.samples)
    require(0 < asked.test < 1, "question.test", "between 0 and 1", asked.test)


QUESTION = Question(check, tables, show_summaries(SUMMARIES), tabular_figures, summaries=SUMMARIES)
