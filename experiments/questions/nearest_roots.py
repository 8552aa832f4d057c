"""How far away are the roots that rules use, compared with the nearest root in the domain?

For every unit that receives relevance, the nearest root in the layer's domain is the projection onto ``{z = 0} ∩ domain``
(:class:`dtd.Nearest`); the audit divides each root's distance by that root's. Below 1 a root lies outside the domain.
"""

from collections.abc import Iterator, Mapping

import pandas as pd
from matplotlib.figure import Figure

from dtd.audit import audit
from dtd.root import Nearest
from experiments.configs.base import require
from experiments.configs.questions.roots import NearestRootsConfig
from experiments.configs.run import Config
from experiments.figures.curves import curve_figures
from experiments.figures.summary import Measure, Summary, Tables
from experiments.figures.terminal.summaries import show_summaries
from experiments.machine.console import progress
from experiments.questions.base import Question
from experiments.questions.cases import cases

FOUND = {
    "valid": Measure("valid", "high"),
    "inactive": Measure("inactive", "low"),
    "no_root": Measure("no root", "low"),
    "domain_left": Measure("domain left", "low"),
    "of_nearest": Measure("distance / nearest"),
}
SUMMARIES = {
    "rows": Summary(within=("model",), compared=("plan",), measures=FOUND),
    "layers": Summary(
        within=("model",), compared=("plan",), measures={"of_nearest": Measure("distance / nearest")}, along="layer_number"
    ),
}


def tables(config: Config) -> Iterator[tuple[str, pd.DataFrame]]:
    """``rows``: the audit of each model, plan and layer with weights."""
    asked = config.asked(NearestRootsConfig)
    found = []
    for case in cases(config, asked.samples):
        weighted = {layer.name: number for number, layer in enumerate(case.network.weighted, 1)}
        for plan, made in progress(case.plans.items(), f"auditing {case.name}", len(case.plans)):
            audited = audit(
                case.network, case.x, case.target, made, units=asked.units, seed=config.seed, nearest=Nearest()
            ).rename(columns={"model": "relevance_model"})
            audited = audited[audited.layer.isin(weighted)]
            number = audited.layer.map(weighted)
            found.append(audited.assign(model=case.name, plan=plan, layer_number=number))
    yield "rows", pd.concat(found, ignore_index=True)


def check(config: Config) -> None:
    """Raises :class:`ConfigError` where the question does not fit."""
    asked = config.asked(NearestRootsConfig)
    require(asked.samples >= 1, "question.samples", "at least 1", asked.samples)
    require(asked.units is None or asked.units >= 1, "question.units", "at least 1, or null", asked.units)


def figures(tables: Tables) -> Mapping[str, Figure]:
    """The median ratio by layer, on a logarithmic axis."""
    made = curve_figures(SUMMARIES)({**tables, "layers": tables["rows"]})
    for axes in made["layers"].axes:
        axes.axhline(1, color="black", linewidth=0.5, linestyle=":")
        axes.set_yscale("log")
    return {"nearest_roots": made["layers"]}


def problems(tables: Tables) -> list[str]:
    """Valid roots that are nearer than the nearest root."""
    rows = tables["rows"]
    wrong = rows[(rows.valid == 1) & (rows.of_nearest < 1 - 1e-9)]
    return [f"{r.model}, {r.plan}, {r.layer}: all roots valid, yet nearer than the nearest" for r in wrong.itertuples()]


QUESTION = Question(check, tables, show_summaries(SUMMARIES), figures, problems, summaries=SUMMARIES)
