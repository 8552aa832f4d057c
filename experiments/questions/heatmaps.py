"""What do plans make of the same samples? Relevance maps side by side, with root validity and conservation."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd
from torch import Tensor

from dtd.errors import InputError, PlanError
from dtd.estimate.subspaces import subspaces
from dtd.explaining.explain import explain
from dtd.explaining.starts.unit import layer_index
from dtd.plans.plan import Plan
from experiments.configs.base import ConfigError, require
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

SUBSPACE = {"size", "parts", "steps", "starts", "seed"}  # what may be said of a subspace
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
    found = [one for case in cases(config, asked.chosen or asked.samples) for one in drawn(config, case)]
    for name, parts in zip(("rows", "pixels", "roots"), zip(*found, strict=True), strict=True):
        yield name, pd.concat(parts, ignore_index=True)


def drawn(config: Config, case: Case) -> Iterator[tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]]:
    """Row, pixels and roots of each sample under each plan."""
    asked = config.asked(HeatmapsConfig)
    jobs = [(i, name) for i in range(len(case.x)) for name in case.plans]
    names, samples = case.subject.class_names(), asked.chosen or range(asked.samples)
    for i, name in progress(jobs, f"explaining {case.name}"):
        x, target, plan = case.x[i : i + 1], int(case.target[i]), case.plans[name]
        label = {"model": case.name, "sample": samples[i], "target": target, "class_name": names[target], "plan": name}
        images = sides(case, i, plan, asked)
        planes = [labelled(tidy(image), side=side) for side, image in {**images, **picture(x[0])}.items()]
        roots = audited_roots(case.network, x, target, plan, units=asked.units, seed=config.seed)
        pixels = pd.concat(planes, ignore_index=True)
        row = pd.DataFrame([measured(images, roots)])
        yield tuple(labelled(t, **label) for t in (row, pixels, roots.rename(columns={"model": "relevance_model"})))


def parts(case: Case, plan: Plan, through: Mapping[str, Any]) -> dict[str, Any]:
    """What relevance goes through, by layer: channels, or the (first) subspace that is found for all samples."""

    def part(layer: str, given: Any) -> Any:
        layer_index(case.network.graph, layer)  # raises for a layer that there is not
        if not is_sized(given):
            return list(given)
        return subspaces(case.network, case.x, layer, case.target, plan, **given).parts[0]

    try:
        return {layer: part(layer, given) for layer, given in through.items()}
    except InputError as error:
        raise ConfigError(f"'question.through' does not fit: {error}") from error


def is_sized(given: Any) -> bool:
    """Whether a part is a subspace that is looked for."""
    return isinstance(given, Mapping)


def sides(case: Case, i: int, plan: Plan, asked: HeatmapsConfig) -> dict[str, Tensor]:
    """Relevance as a share of the explained output; the explicit rules' too, where they are wanted and the plan has them."""
    x, target, plans = case.x[i : i + 1], int(case.target[i]), {"derived": plan}
    through = parts(case, plan, asked.through)
    if asked.explicit:
        try:
            plans["explicit"] = plan.explicit()
        except PlanError:
            pass  # a plan of other relevance models has no explicit form
    found = {side: explain(case.network, x, target, each, through=through) for side, each in plans.items()}
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
    chosen = asked.chosen
    require(asked.samples >= 1, "question.samples", "at least 1", asked.samples)
    listed = chosen is None or (bool(chosen) and min(chosen) >= 0)
    require(listed, "question.chosen", "null, or a list of samples from 0 on", chosen)
    require(chosen is None or len(set(chosen)) == len(chosen), "question.chosen", "samples that differ", chosen)
    for layer, given in asked.through.items():
        sized = is_sized(given) and "size" in given and set(given) <= SUBSPACE
        whole = sized and all(isinstance(number, int) for number in given.values())
        listed = isinstance(given, list) and bool(given) and all(isinstance(channel, int) for channel in given)
        wanted = f"channels, or a size and, if you like, others of {', '.join(sorted(SUBSPACE))}"
        require(whole or listed, f"question.through.{layer}", wanted, given)
    require(asked.units is None or asked.units >= 1, "question.units", "at least 1, or null for all", asked.units)


QUESTION = Question(check, tables, show_summaries(SUMMARIES), heatmap_figures, summaries=SUMMARIES)
