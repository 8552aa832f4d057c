"""How much does an explanation owe to the one root that it was read off at?

Roots are drawn: directions around those of a rule (:class:`dtd.Jitter`, anew for each layer and draw), or rays towards
what each layer receives for a training sample (``data``). Each draw is an explanation; rows tell how alike they are, and
how sure their mean is after so many draws. Then the network with its softmax, kept in one piece, is expanded in N Taylor
steps on the way from the mean image to the sample (:class:`dtd.Generic`): what the steps leave over, by N.
"""

from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd
import torch
from matplotlib.figure import Figure
from torch import Tensor, nn

from dtd.direction import Contributions, Jitter, Weights
from dtd.explaining.average import toward_data
from dtd.explaining.explain import explain
from dtd.network import trace
from dtd.plans.plan import Plan
from dtd.plans.where import every, index
from dtd.relevance import Generic
from dtd.root import Ray
from experiments.configs.base import require
from experiments.configs.questions.roots import RootDistributionsConfig
from experiments.configs.run import Config
from experiments.figures.curves import curve_figures
from experiments.figures.summary import Measure, Summary, Tables
from experiments.figures.terminal.summaries import show_summaries
from experiments.machine.console import progress
from experiments.questions.base import Question
from experiments.questions.cases import Case, cases

DIRECTIONS = {"wsquare": Weights(), "zplus": Contributions(1)}
DATA = "data"
ERROR = {"standard_error": Measure("‖s.e.‖ / ‖mean‖", "low")}
SUMMARIES = {
    "rows": Summary(
        within=("model",),
        compared=("roots",),
        measures={**ERROR, "alike": Measure("cosine of two draws", "high")},
        only={"last": True},
    ),
    "errors": Summary(within=("model",), compared=("roots",), measures=ERROR, along="draws"),
    "slopes": Summary(within=("model",), compared=("order",), measures={"slope": Measure("slope of |remainder| over N")}),
    "steps": Summary(
        within=("model",), compared=("order",), measures={"remainder": Measure("|remainder| / R", "low")}, along="steps"
    ),
}


def tables(config: Config) -> Iterator[tuple[str, pd.DataFrame]]:
    """``rows``: draws of roots; ``steps``: remainders by the number and order of steps; ``slopes``: their fitted orders."""
    found = list(cases(config, config.asked(RootDistributionsConfig).samples))
    yield "rows", pd.concat([rows for case in found for rows in drawn(config, case)], ignore_index=True)
    walked = pd.concat([rows for case in found for rows in stepped(config, case)], ignore_index=True)
    yield "steps", walked
    yield "slopes", slopes(walked)


def drawn(config: Config, case: Case) -> Iterator[pd.DataFrame]:
    """The mean's standard error after 2, 4, 8, … draws, and how alike two draws are, for each sample."""
    asked = config.asked(RootDistributionsConfig)
    kinds: list[tuple[str, float | None]] = [
        (name, spread) for name in asked.directions if name != DATA for spread in asked.spreads
    ]
    kinds += [(DATA, None)] if DATA in asked.directions else []
    for name, spread in progress(kinds, f"drawing roots of {case.name}", len(kinds)):
        made = draws(case, name, spread, asked.draws, config.seed)
        all_of_them = torch.stack([explain(case.network, case.x, case.target, plan).relevance.flatten(1) for plan in made])
        unit = all_of_them / all_of_them.norm(dim=-1, keepdim=True)
        n = len(all_of_them)
        alike = ((unit.sum(0) ** 2).sum(-1) - n) / (n * (n - 1))
        for count in [2**k for k in range(1, int(np.log2(n)) + 1)]:
            some = all_of_them[:count]
            error = (some.std(0) / count**0.5).norm(dim=-1) / some.mean(0).norm(dim=-1)
            roots = name if spread is None else f"{name}, {spread:g}"
            label = {"model": case.name, "roots": roots, "draws": count, "last": 2 * count > n}
            found = {"standard_error": error.numpy(), "alike": alike.numpy()}
            yield pd.DataFrame({**label, "sample": range(len(case.x)), **found})


def draws(case: Case, name: str, spread: float | None, count: int, seed: int) -> Iterator[Plan]:
    """Plans with independent draws for every layer."""
    layers = len(case.network.weighted)
    for draw in range(seed * count, (seed + 1) * count):
        if name == DATA:
            train = case.batches[0]
            yield toward_data(case.network, train[draw % len(train)][None])
        else:
            rays = [Ray(Jitter(DIRECTIONS[name], spread, draw * layers + i)) for i in range(layers)]
            yield Plan([(index(i), ray) for i, ray in enumerate(rays)])


def stepped(config: Config, case: Case) -> Iterator[pd.DataFrame]:
    """The whole network with its softmax as one layer; the probability of the predicted class is explained."""
    asked = config.asked(RootDistributionsConfig)
    whole = nn.Sequential(case.model, nn.Softmax(1)).eval()
    network = trace(whole, case.x, case.subject.domain, opaque=["*"])
    reference: Tensor = case.batches[0].mean(0, keepdim=True)
    for order, said in enumerate(("first order", "second order"), 1):
        for steps in progress(asked.steps, f"walking through {case.name}", len(asked.steps)):
            plan = Plan([(every, Generic(reference, at="reference", steps=steps, order=order))])
            (record,) = explain(network, case.x, case.target, plan).layers.values()
            left = (record.balance.remainder / record.balance.relevance).abs().numpy()
            label = {"model": case.name, "order": said, "steps": steps}
            yield pd.DataFrame({**label, "sample": range(len(left)), "remainder": left})


def slopes(walked: pd.DataFrame) -> pd.DataFrame:
    """The slope of log remainder over log steps (mean over samples), in the upper half of the steps."""
    found = []
    for (model, order), part in walked.groupby(["model", "order"], sort=False):
        mean = part.groupby("steps").remainder.mean()
        far = mean[mean.index >= np.sqrt(mean.index.min() * mean.index.max())]
        slope = np.polyfit(np.log(far.index), np.log(far), 1)[0] if len(far) > 1 else np.nan
        found.append({"model": model, "order": order, "slope": slope})
    return pd.DataFrame(found)


def check(config: Config) -> None:
    """Raises :class:`ConfigError` where the question does not fit."""
    asked = config.asked(RootDistributionsConfig)
    require(asked.samples >= 1, "question.samples", "at least 1", asked.samples)
    require(asked.draws >= 2, "question.draws", "at least 2", asked.draws)
    known = [*DIRECTIONS, DATA]
    for name in asked.directions:
        require(name in known, "question.directions", f"among {', '.join(known)}", name)
    require(bool(asked.directions), "question.directions", "not empty", "an empty list")
    require(all(s > 0 for s in asked.spreads), "question.spreads", "above 0", asked.spreads)
    require(bool(asked.steps) and min(asked.steps) >= 1, "question.steps", "at least 1 each", asked.steps)


def figures(tables: Tables) -> Mapping[str, Figure]:
    """Both curves, on logarithmic axes."""
    made = curve_figures(SUMMARIES)({**tables, "errors": tables["rows"]})
    for figure in made.values():
        for axes in figure.axes:
            axes.set_xscale("log", base=2)
            axes.set_yscale("log")
    return {"root_distributions": made["errors"], "steps": made["steps"]}


QUESTION = Question(check, tables, show_summaries(SUMMARIES), figures, summaries=SUMMARIES)
