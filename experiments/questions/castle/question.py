"""Why does a classifier of photos say what it says? The LRP overview's rules on one output neuron, each with its roots.

For every panel: the heatmap, the share of valid roots among sampled units, what became of the output (reached the pixels,
kept by biases, left in zeroth terms), and how far derived and explicit relevance lie apart. Max pooling hands relevance to
the winner, or to all inputs as average pooling does.
"""

from collections.abc import Iterator
from dataclasses import asdict, replace
from typing import Any

import pandas as pd
import torch
from torch import Tensor

from dtd.explaining.explain import explain
from dtd.explaining.explanation import Explanation
from experiments.configs.base import ConfigError, require
from experiments.configs.data import PhotoConfig
from experiments.configs.models import EfficientNetLite0Config, SqueezeNetConfig, VGG16Config
from experiments.configs.questions.explanations import CastleConfig, Pooling
from experiments.configs.run import Config, option
from experiments.data.classes import class_index
from experiments.figures.castle import castle_figures
from experiments.figures.summary import Measure, Summary, Tables
from experiments.figures.terminal.castle import show_castle
from experiments.machine.console import progress
from experiments.measures.agreement import agreement
from experiments.measures.pixels import CHANNELS
from experiments.measures.roots import audited_roots
from experiments.measures.rounding import bounds
from experiments.models import subjects
from experiments.questions.base import Question
from experiments.questions.castle.captions import captions
from experiments.questions.castle.panels import Panel, panels
from experiments.questions.castle.photo import CLASS, Case, case

CLASSIFIERS = (EfficientNetLite0Config, SqueezeNetConfig, VGG16Config)
KEPT = ("bias", "zeroth", "remainder")
SHARES = ("valid", "inactive", "no_root", "not_zero", "domain_left", "region_left")


@torch.no_grad()
def look(at: Case, panel: Panel, units: int) -> tuple[Explanation, dict[str, Any], pd.DataFrame]:
    """One panel: its explanation, its row, and the audit of its layers."""
    derived, explicit = (explain(at.network, at.x, at.target, plan) for plan in (panel.plan, panel.plan.explicit()))
    roots = audited_roots(at.network, at.x, at.target, panel.plan, units=units).rename(columns={"model": "relevance_model"})
    limits = bounds(at.network, panel.plan.bind(at.network), at.x, torch.tensor([at.target])).network
    agreed = agreement(*(part.flatten(1) for part in (derived.relevance, explicit.relevance, limits)))
    output = derived.initial.sum().item()
    kept = {part: sum(getattr(r.balance, part).item() for r in derived.layers.values()) / output for part in KEPT}
    counted = roots[roots.units > 0]
    row = {
        **{name: getattr(panel, name) for name in ("key", "rule", "pooling", "epsilon", "gamma")},
        "output": output,
        "reaches_pixels": derived.relevance.sum().item() / output,
        **kept,
        "absolute": derived.relevance.abs().sum().item() / abs(output),
        **{share: counted[share].mean() for share in SHARES},
        "units": int(counted.units.sum()),
        **asdict(agreed),
    }
    return derived, row, roots.assign(key=panel.key)


def tables(config: Config) -> Iterator[tuple[str, pd.DataFrame]]:
    """``rows``: one for each panel. ``pixels``: one for each pixel, with the photo's colours and every panel's relevance.

    ``roots``: the audit of every panel, layer by layer (shares over sampled units). ``captions``: what each panel says.
    """
    asked = config.asked(CastleConfig)
    ((name, subject),) = subjects(config.model, config.data).items()
    at = case(subject, config)
    label = {"model": name, "image": config.data.image, **at.label()}
    label |= {"bias_mode": asked.bias_mode.value, "dtype": config.dtype.value}
    rows, roots, relevance, drawn = [], [], {}, panels(asked, at.network)
    for panel in progress(drawn, f"explaining and auditing {name}", len(drawn)):
        explanation, row, audited = look(at, panel, asked.units)
        relevance[panel.key] = explanation.relevance[0].sum(0)
        winner = relevance.get(replace(panel, pooling=Pooling.winner.value).key)
        rows.append(label | row | {"apart_from_winner": apart(relevance[panel.key], winner)})
        roots.append(audited)
    answer = pd.DataFrame(rows)
    yield "rows", answer
    yield "roots", pd.concat(roots, ignore_index=True)
    yield "pixels", planes({**dict(zip(CHANNELS, at.pixels, strict=True)), **relevance})
    yield "captions", captions(answer)


def apart(relevance: Tensor, winner: Tensor | None) -> float | None:
    """``Σ |R − R_winner| / Σ |R_winner|``."""
    return None if winner is None else ((relevance - winner).abs().sum() / winner.abs().sum()).item()


def planes(named: dict[str, Tensor]) -> pd.DataFrame:
    """One row for each pixel, one column for each plane. # shape: (H, W) each"""
    height, width = next(iter(named.values())).shape
    index = pd.MultiIndex.from_product([range(height), range(width)], names=["row", "column"])
    return pd.DataFrame({name: plane.flatten().numpy() for name, plane in named.items()}, index).reset_index()


def check(config: Config) -> None:
    """Raises :class:`ConfigError` where the question does not fit."""
    asked = config.asked(CastleConfig)
    require(isinstance(config.data, PhotoConfig), "data", "photo", option("data", config.data))
    name = option("model", config.model)
    require(isinstance(config.model, CLASSIFIERS), "model", f"one of {', '.join(map(called, CLASSIFIERS))}", name)
    random = config.model.weights is None and not isinstance(config.model, EfficientNetLite0Config)
    if random and not asked.untrained:
        raise ConfigError(
            f"'model.weights' must be the path of a state dict of {name} with torchvision's names (.safetensors, .pt, "
            ".pth); found null, which is random weights. To see those all the same: question.untrained=true."
        )
    if asked.class_name is not None:
        class_index(asked.class_name, CLASS)
    require(asked.units >= 1, "question.units", "at least 1", asked.units)
    require(bool(asked.pooling), "question.pooling", "winner, average or both", "an empty list")
    pair = bool(asked.epsilons) == bool(asked.gammas)
    require(pair, "question.epsilons and question.gammas", "both given or both empty", "only one of them")
    for key in ("epsilon", "gamma", "epsilons", "gammas"):
        value = getattr(asked, key)
        require(min(value if isinstance(value, list) else [value], default=0) >= 0, f"question.{key}", "at least 0", value)


def called(schema: type) -> str:
    """The option of a model's schema."""
    return option("model", schema())


def problems(tables: Tables) -> list[str]:
    """Every panel whose derived and explicit relevance disagree."""
    return [
        f"{r.key}: derived and explicit differ by {r.max_rel:.2g} of the largest relevance, {r.of_allowed:.2g} times what "
        "rounding allows"
        for r in tables["rows"].query("not agree").itertuples()
    ]


SUMMARIES = {
    "rows": Summary(
        within=("model", "image", "class_name", "bias_mode"),
        compared=("key",),
        measures={
            "reaches_pixels": Measure("reaches the pixels", 1.0),
            **{part: Measure(part) for part in KEPT},
            "absolute": Measure("absolute relevance"),
            "valid": Measure("valid roots", "high"),
            "max_rel": Measure("derived against explicit"),
        },
    )
}
QUESTION = Question(check, tables, show_castle, castle_figures, problems, summaries=SUMMARIES)
