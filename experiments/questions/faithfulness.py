"""Does the output depend on what an explanation calls relevant?

Regions of the input are taken away in the order of their relevance, and the output's fall is followed: the faster it
falls when the most relevant go first, and the slower when the least relevant do, the more faithful the explanation
(:mod:`experiments.measures.perturbation`). Random orders and gradient × input are the baselines. Metrics of Quantus are
computed by Quantus.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from dtd.domain import Box
from experiments.configs.base import ConfigError, require
from experiments.configs.questions.explanations import FaithfulnessConfig, Score
from experiments.configs.run import Config
from experiments.cost.peers import installed
from experiments.figures.curves import curve_figures
from experiments.figures.summary import Measure, Summary, Tables
from experiments.figures.terminal.summaries import show_summaries
from experiments.machine.console import progress
from experiments.measures.perturbation import (
    Regions,
    aopc,
    counts,
    curve,
    least_relevant_first,
    most_relevant_first,
    random_order,
)
from experiments.questions.base import Question
from experiments.questions.cases import Case, cases

GRADIENT, RANDOM = "gradient_x_input", "random"  # the baselines' names in the column ``plan``
MEAN, UNIFORM = "mean", "uniform"
ENDS = ("most relevant first", "least relevant first")
METRICS = {  # of Quantus, and which direction is better
    "pixel_flipping": "low",
    "region_perturbation": "high",
    "faithfulness_correlation": "high",
    "faithfulness_estimate": "high",
    "sparseness": "high",
    "complexity": "low",
}
SUMMARIES = {
    "rows": Summary(
        within=("model", "value"),
        compared=("plan",),
        measures={
            "aopc_morf": Measure("AOPC MoRF", "high"),
            "aopc_lerf": Measure("AOPC LeRF", "low"),
            "difference": Measure("MoRF − LeRF", "high"),
            "conservation": Measure("conservation", 1.0),
            **{f"quantus_{name}": Measure(name.replace("_", " "), way) for name, way in METRICS.items()},
        },
    ),
    "curves": Summary(
        within=("model", "value", "order"), compared=("plan",), measures={"drop": Measure("fall of the score")}, along="gone"
    ),
}


@dataclass(frozen=True, eq=False)
class Bench:
    """What every order of one model's regions is tried on; ``gone`` counts the regions that are away after each step."""

    case: Case
    regions: Regions
    gone: list[int]
    probability: bool

    @classmethod
    def of(cls, asked: FaithfulnessConfig, case: Case) -> "Bench":
        """The settings that the question asks for."""
        regions = Regions.of(tuple(case.x.shape[1:]), asked.region)
        return cls(case, regions, counts(regions.number, asked.steps, asked.share), asked.score is Score.probability)

    def score(self, x: Tensor) -> Tensor:
        """The explained class's logit or probability. # shape: (B,)"""
        logits = self.case.model(x)
        outputs = logits.softmax(1) if self.probability else logits
        return outputs.gather(1, self.case.target[:, None])[:, 0]

    def falls(self, orders: list[Tensor], filled: Tensor) -> Tensor:
        """The mean curve of the orders. # shape: (B, steps + 1)"""
        curves = [curve(self.score, self.case.x, self.regions, order, self.gone, filled) for order in orders]
        return torch.stack(curves).mean(0)


def tables(config: Config) -> Iterator[tuple[str, pd.DataFrame]]:
    """``rows``: areas, conservation and Quantus' metrics of each sample; ``curves``: the mean fall at each step."""
    found = [part for case in cases(config, config.asked(FaithfulnessConfig).samples) for part in tried(config, case)]
    yield "rows", pd.concat([rows for rows, _ in found], ignore_index=True)
    yield "curves", pd.concat([curves for _, curves in found], ignore_index=True)


def tried(config: Config, case: Case) -> Iterator[tuple[pd.DataFrame, pd.DataFrame]]:
    """Rows and curves of one model, for each value and plan."""
    asked = config.asked(FaithfulnessConfig)
    bench = Bench.of(asked, case)
    maps = list(progress(relevances(case), f"explaining {case.name}", len(case.plans) + 1))
    for value in asked.values:
        filled, label = filling(case, value, config.seed), {"model": case.name, "value": str(value)}
        for plan, relevance, conservation in progress(maps, f"perturbing {case.name}"):
            totals = bench.regions.totals(relevance)
            falls = [bench.falls([order(totals)], filled) for order in (most_relevant_first, least_relevant_first)]
            extra = {f"quantus_{name}": scores(config, name, case, relevance, value) for name in asked.quantus}
            yield rows_of(bench, falls, {**label, "plan": plan}, {"conservation": conservation.numpy(), **extra})
        if asked.random_orders:
            generator = torch.Generator().manual_seed(config.seed)
            drawn = [random_order(len(case.x), bench.regions.number, generator) for _ in range(asked.random_orders)]
            falls = [bench.falls(orders, filled) for orders in (drawn, [order.flip(1) for order in drawn])]
            yield rows_of(bench, falls, {**label, "plan": RANDOM}, {})


def relevances(case: Case) -> Iterator[tuple[str, Tensor, Tensor]]:
    """Name, relevance and conservation of each plan and of gradient × input. # shape: (B, *in), (B,)"""
    for name, plan in case.plans.items():
        found = list(case.explanations(plan))
        yield name, torch.cat([e.relevance for e in found]), torch.cat([e.conservation() for e in found])
    x = case.x.detach().requires_grad_()
    with torch.enable_grad():
        logits = case.model(x).gather(1, case.target[:, None])[:, 0]
        (gradient,) = torch.autograd.grad(logits.sum(), x)
    product = case.x * gradient
    yield GRADIENT, product, product.flatten(1).sum(1) / logits.detach()


def filling(case: Case, value: Any, seed: int) -> Tensor:
    """What stands where a region is gone; broadcasts to the inputs."""
    if value == MEAN:
        return case.subject.train_x.to(case.x).mean(0)
    if value == UNIFORM:
        domain = case.subject.domain
        require(isinstance(domain, Box), "question.values", f"numbers or {MEAN} where the inputs have no box", UNIFORM)
        low, high = (torch.as_tensor(bound).to(case.x) for bound in (domain.low, domain.high))
        noise = torch.rand(case.x.shape, generator=torch.Generator().manual_seed(seed), dtype=case.x.dtype)
        return low + (high - low) * noise
    return torch.tensor(float(value), dtype=case.x.dtype)


def rows_of(bench: Bench, falls: list[Tensor], label: dict, more: dict[str, Any]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """One row for each sample, and the mean curve of either end."""
    first, last = (aopc(fall).numpy() for fall in falls)
    samples = {"sample": range(len(first)), "target": bench.case.target.numpy()}
    rows = {**samples, "aopc_morf": first, "aopc_lerf": last, "difference": first - last, **more}
    gone = [count / bench.regions.number for count in bench.gone]
    curves = [
        pd.DataFrame({**label, "order": end, "gone": gone, "drop": fall.mean(0).numpy()})
        for end, fall in zip(ENDS, falls, strict=True)
    ]
    return pd.DataFrame({**label, **rows}), pd.concat(curves)


def scores(config: Config, name: str, case: Case, relevance: Tensor, value: Any) -> np.ndarray:
    """A metric of Quantus for each sample."""
    quantus, asked = import_module("experiments.measures.quantus"), config.asked(FaithfulnessConfig)
    pixels, probability = case.x[0, 0].numel(), asked.score is Score.probability
    setting = quantus.Setting(float(value), asked.region, pixels, probability, config.seed)
    return quantus.evaluate(name, case.model, case.x, case.target, relevance, setting)


def check(config: Config) -> None:
    """Raises :class:`ConfigError` where the question does not fit."""
    asked = config.asked(FaithfulnessConfig)
    require(asked.samples >= 1, "question.samples", "at least 1", asked.samples)
    require(asked.region >= 1, "question.region", "at least 1", asked.region)
    require(asked.steps is None or asked.steps >= 1, "question.steps", "at least 1, or null", asked.steps)
    require(0 < asked.share <= 1, "question.share", "above 0 and at most 1", asked.share)
    require(asked.random_orders >= 0, "question.random_orders", "at least 0", asked.random_orders)
    require(bool(asked.values), "question.values", "not empty", asked.values)
    for value in asked.values:
        number = isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
        require(number or value in (MEAN, UNIFORM), "question.values", f"numbers, {MEAN} or {UNIFORM}", repr(value))
        require(number or not asked.quantus, "question.values", "numbers where Quantus is asked", repr(value))
    for name in asked.quantus:
        require(name in METRICS, "question.quantus", f"among {', '.join(METRICS)}", name)
    if asked.quantus and not installed("quantus"):
        raise ConfigError("'question.quantus' needs Quantus: pip install '.[quantus]', or leave the list empty.")


def mean_of(column: str, off: float | None = None) -> Callable[[Tables], float]:
    """A measure of the run's plans, the baselines left out: the mean of a column, or of its distance from ``off``."""

    def measure(tables: Tables) -> float:
        rows = tables["rows"]
        values = rows[~rows.plan.isin((GRADIENT, RANDOM))][column]
        return float((values if off is None else (values - off).abs()).mean())

    return measure


MEASURES = {
    "aopc": mean_of("aopc_morf"),
    "aopc_difference": mean_of("difference"),
    "conservation_error": mean_of("conservation", off=1.0),
}
FIGURES = curve_figures(SUMMARIES)
QUESTION = Question(check, tables, show_summaries(SUMMARIES), FIGURES, measures=MEASURES, summaries=SUMMARIES)
