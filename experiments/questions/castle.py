"""Why does a classifier of photos say what it says? The LRP overview's rules on one output neuron, each with its roots.

For every panel: the heatmap, the share of valid roots among sampled units, what became of the output (reached the pixels,
kept by biases, left in zeroth terms), and how far derived and explicit relevance lie apart. Max pooling hands relevance to
the winner, or to all inputs as average pooling does.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any

import pandas as pd
import torch
from torch import Tensor

from dtd.audit import audit
from dtd.explaining.explain import explain
from dtd.explaining.explanation import Explanation
from dtd.network import Network, trace
from dtd.plans.plan import Plan
from dtd.plans.presets import DeviationEpsilon, RelativeEpsilon, lrp_overview_2019
from experiments.agreement import agreement
from experiments.classes import COUNT, class_index, class_name
from experiments.configs import (
    CastleConfig,
    Config,
    ConfigError,
    EfficientNetLite0Config,
    PhotoConfig,
    Pooling,
    SqueezeNetConfig,
    VGG16Config,
    option,
    require,
)
from experiments.console import progress
from experiments.figures.castle import COLOURS, captions, castle_figures
from experiments.models import Subject, subjects
from experiments.questions.base import Question, Tables
from experiments.rounding import bounds
from experiments.summary import Measure, Summary
from experiments.tables import show_castle

CLASS = "question.class_name"
CLASSIFIERS = (EfficientNetLite0Config, SqueezeNetConfig, VGG16Config)
KEPT = ("bias", "zeroth", "remainder")
SHARES = ("valid", "inactive", "no_root", "not_zero", "domain_left", "region_left")


@dataclass(frozen=True)
class Panel:
    """One heatmap: a plan, and the numbers in it."""

    rule: str
    plan: Plan
    epsilon: float | None = None
    gamma: float | None = None
    pooling: str = ""

    @property
    def key(self) -> str:
        """The panel's name in tables."""
        numbers = [f"{name}={value:g}" for name, value in (("ε", self.epsilon), ("γ", self.gamma)) if value is not None]
        return " ".join(filter(None, (self.rule, *numbers, self.pooling)))


def uniform(asked: CastleConfig) -> list[Panel]:
    """Three uniform rules and the composite. γ is the generalised one: LRP-γ wherever inputs are ≥ 0 and units active."""
    bias, epsilon, gamma = asked.bias_mode.value, asked.epsilon, asked.gamma
    return [
        Panel("lrp0", Plan.uniform("lrp0", bias)),
        Panel("epsilon", Plan.uniform("epsilon", bias, epsilon=DeviationEpsilon(epsilon)), epsilon=epsilon),
        Panel("gamma_signed", Plan.uniform("gamma_signed", bias, gamma=gamma), gamma=gamma),
        composite(asked, epsilon, gamma),
    ]


def composite(asked: CastleConfig, epsilon: float, gamma: float) -> Panel:
    """The overview's composite."""
    plan = lrp_overview_2019(gamma, RelativeEpsilon(epsilon), asked.bias_mode.value, signed=True)
    return Panel("composite", plan, epsilon, gamma)


def panels(asked: CastleConfig, network: Network) -> list[Panel]:
    """What is drawn; where a network has no max pooling there is nothing to choose."""
    pairs = [(epsilon, gamma) for gamma in asked.gammas for epsilon in asked.epsilons]
    made = [composite(asked, *pair) for pair in pairs] or uniform(asked)
    if not any(layer.kind == "max_pool" for layer in network.layers):
        return made
    plans = {Pooling.winner: lambda plan: plan, Pooling.average: Plan.average_pooling}
    return [
        replace(panel, plan=plans[pooling](panel.plan), pooling=pooling.value) for pooling in asked.pooling for panel in made
    ]


@dataclass(frozen=True, eq=False)
class Case:
    """A network on one photo, and the class that is explained. # shape: x (1, 3, H, W)"""

    network: Network
    x: Tensor
    target: int
    probabilities: Tensor

    def label(self) -> dict[str, Any]:
        """What every row says about the photo."""
        predicted = int(self.probabilities.argmax())
        return {
            "class_index": self.target,
            "class_name": self.name(self.target),
            "probability": self.probabilities[self.target].item(),
            "predicted": self.name(predicted),
            "probability_predicted": self.probabilities[predicted].item(),
        }

    def name(self, index: int) -> str:
        """A class's name."""
        return class_name(index) if len(self.probabilities) == COUNT else f"class {index}"

    @property
    def pixels(self) -> Tensor:
        """The photo as the network sees it, between 0 and 1. # shape: (3, H, W)"""
        low, high = self.network.domain.bounds()
        return ((self.x - low) / (high - low))[0]


@torch.no_grad()
def case(subject: Subject, config: Config) -> Case:
    """The network in the run's precision."""
    precise, asked = subject.to(config.dtype.torch), config.question
    x = precise.test_x[:1]
    output = precise.model(x)[0]
    probabilities = output.softmax(0)
    target = int(probabilities.argmax()) if asked.class_name is None else class_index(asked.class_name, CLASS)
    require(target < len(output), CLASS, f"one of the network's {len(output)} classes", target)
    require(bool(output[target] != 0), CLASS, "a class whose output is not 0", f"{class_name(target)}: nothing to explain")
    return Case(trace(precise.model, x, subject.domain), x, target, probabilities)


@torch.no_grad()
def look(at: Case, panel: Panel, units: int) -> tuple[Explanation, dict[str, Any], pd.DataFrame]:
    """One panel: its explanation, its row, and the audit of its layers."""
    derived, explicit = (explain(at.network, at.x, at.target, plan) for plan in (panel.plan, panel.plan.explicit()))
    roots = audit(at.network, at.x, at.target, panel.plan, units=units).rename(columns={"model": "relevance_model"})
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
    asked: CastleConfig = config.question
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
    yield "pixels", planes({**dict(zip(COLOURS, at.pixels, strict=True)), **relevance})
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
    asked: CastleConfig = config.question
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
