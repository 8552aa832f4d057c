"""What do plans make of the same samples? Relevance maps side by side, with root validity and conservation."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
from torch import Tensor

from dtd.errors import PlanError
from dtd.explaining.explain import explain
from dtd.plans.plan import Plan
from experiments.configs.base import require
from experiments.configs.questions.explanations import HeatmapsConfig
from experiments.configs.run import Config
from experiments.figures.heatmaps import heatmap_figures
from experiments.figures.summary import Measure, Summary
from experiments.figures.terminal.summaries import show_summaries
from experiments.machine.console import progress
from experiments.measures.pixels import labelled, picture, tidy
from experiments.measures.roots import audited_roots
from experiments.questions.base import Question
from experiments.questions.cases import Case, cases

SUMMARIES = {
    "rows": Summary(
        within=("model",),
        compared=("plan",),
        measures={
            "valid": Measure("valid roots", "high"),
            "conservation": Measure("conservation", 1.0),
            "negative": Measure("negative share"),
            "difference": Measure("derived − explicit", "low"),
        },
    )
}


def tables(config: Config) -> Iterator[tuple[str, pd.DataFrame]]:
    """``rows``: one for each model, sample and plan; ``pixels`` as shares of the explained output; ``roots``: audits."""
    asked = config.asked(HeatmapsConfig)
    found = [one for case in cases(config, asked.samples) for one in drawn(config, case)]
    for name, parts in zip(("rows", "pixels", "roots"), zip(*found, strict=True), strict=True):
        yield name, pd.concat(parts, ignore_index=True)


def drawn(config: Config, case: Case) -> Iterator[tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]]:
    """Row, pixels and roots of each sample under each plan."""
    asked = config.asked(HeatmapsConfig)
    jobs = [(i, name) for i in range(len(case.x)) for name in case.plans]
    names = case.subject.class_names()
    for i, name in progress(jobs, f"explaining {case.name}"):
        x, target, plan = case.x[i : i + 1], int(case.target[i]), case.plans[name]
        label = {"model": case.name, "sample": asked.samples[i], "target": target, "class_name": names[target], "plan": name}
        images = sides(case, i, plan, asked.explicit)
        planes = [labelled(tidy(image), side=side) for side, image in {**images, **picture(x[0])}.items()]
        roots = audited_roots(case.network, x, target, plan, units=asked.units, seed=config.seed)
        pixels = pd.concat(planes, ignore_index=True)
        row = pd.DataFrame([measured(images, roots)])
        yield tuple(labelled(t, **label) for t in (row, pixels, roots.rename(columns={"model": "relevance_model"})))


def sides(case: Case, i: int, plan: Plan, explicit: bool) -> dict[str, Tensor]:
    """Relevance as a share of the explained output; the explicit rules' too, where they are wanted and the plan has them."""
    x, target, plans = case.x[i : i + 1], int(case.target[i]), {"derived": plan}
    if explicit:
        try:
            plans["explicit"] = plan.explicit()
        except PlanError:
            pass  # a plan of other relevance models has no explicit form
    found = {side: explain(case.network, x, target, each) for side, each in plans.items()}
    return {side: (each.relevance / each.initial.sum())[0] for side, each in found.items()}


def measured(images: dict[str, Tensor], roots: pd.DataFrame) -> dict[str, float | None]:
    """Share of valid roots, conservation, share of negative relevance, largest difference to the explicit rules."""
    derived, counted = images["derived"], roots[roots.units > 0]
    row = {
        "valid": float(np.average(counted.valid, weights=counted.units)) if len(counted) else None,
        "conservation": float(derived.sum()),
        "negative": share(derived.clamp(max=0).abs().sum(), derived.abs().sum()),
    }
    if "explicit" in images:
        row["difference"] = share((derived - images["explicit"]).abs().max(), images["explicit"].abs().max())
    return row


def share(part: Tensor, whole: Tensor) -> float:
    """``part / whole``, and 0 where there is nothing."""
    return float(part / whole) if whole > 0 else 0.0


def check(config: Config) -> None:
    """Raises :class:`ConfigError` where the question does not fit."""
    asked = config.asked(HeatmapsConfig)
    require(bool(asked.samples) and min(asked.samples) >= 0, "question.samples", "a list of samples, from 0", asked.samples)
    require(len(set(asked.samples)) == len(asked.samples), "question.samples", "samples that differ", asked.samples)
    require(asked.units is None or asked.units >= 1, "question.units", "at least 1, or null for all", asked.units)


QUESTION = Question(check, tables, show_summaries(SUMMARIES), heatmap_figures, summaries=SUMMARIES)
