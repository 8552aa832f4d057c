"""Which channels of a hidden layer does a class rest on, and what does each look for?

Channels are ranked by their mean relevance over the test images of a predicted class (:func:`dtd.concepts`); each has the
images in which its relevance is largest, with the relevance that goes through it alone. Whether the ranking means anything
is asked of the network: its highest channels are set to 0, and what is left of the class's output is compared with that
after the channels that are most active, and after random ones.
"""

from collections.abc import Iterator, Mapping

import pandas as pd
import torch
from matplotlib.figure import Figure
from torch import Tensor

from dtd.estimate.concepts import Concepts, concepts
from dtd.explaining.explain import explain
from dtd.network import Network
from dtd.network.axes import channel_axis
from dtd.plans.plan import Plan
from dtd.primitive import Pointwise
from experiments.configs.base import require
from experiments.configs.questions.explanations import ConceptsConfig
from experiments.configs.run import Config
from experiments.figures.concepts import concept_figure
from experiments.figures.curves import curve_figures
from experiments.figures.summary import Measure, Summary, Tables
from experiments.figures.terminal.summaries import show_summaries
from experiments.machine.console import progress
from experiments.measures.pixels import labelled, picture, tidy
from experiments.questions.base import Question
from experiments.questions.cases import Case, cases

LEFT = {"left": Measure("share of the output left", "low")}
SUMMARIES = {
    "rows": Summary(within=("model", "plan"), compared=("order",), measures=LEFT),
    "removal": Summary(within=("model", "plan"), compared=("order",), measures=LEFT, along="removed"),
}


def tables(config: Config) -> Iterator[tuple[str, pd.DataFrame]]:
    """``rows``: what is left of each class's output without its first channels; ``channels``: the ranking of each class;
    ``pixels``: images and relevance through the first channels of the class that is drawn."""
    asked = config.asked(ConceptsConfig)
    rows, channels, pixels = [], [], []
    for case in cases(config, asked.samples):
        layer = chosen_layer(case.network, asked.layer)
        for plan, made in progress(case.plans.items(), f"ranking channels of {case.name}", len(case.plans)):
            label = {"model": case.name, "plan": plan, "layer": layer}
            for c in case.target.unique().tolist():
                of_class = case.target == c
                found = concepts(case.network, case.x[of_class], layer, c, made)
                rows.append(labelled(removal(case, of_class, c, found, config.seed), **label, class_number=c))
                channels.append(labelled(ranked(found), **label, class_number=c))
                if c == asked.explained:
                    pixels.append(labelled(examples(case, of_class, c, found, made, asked), **label, class_number=c))
    require(bool(pixels), "question.explained", "a class that is predicted for a sample", asked.explained)
    for name, parts in (("rows", rows), ("channels", channels), ("pixels", pixels)):
        yield name, pd.concat(parts, ignore_index=True)


def chosen_layer(network: Network, name: str | None) -> str:
    """The layer whose channels are ranked; raises :class:`ConfigError` for one that the network does not have."""
    layers = {layer.name: layer for layer in network.layers}
    if name is None:
        rectifying = [n for n, layer in layers.items() if isinstance(layer.op, Pointwise) and layer.op.rectifies]
        require(bool(rectifying), "question.layer", "given: no layer of this network rectifies", name)
        return rectifying[-1]
    require(name in layers, "question.layer", f"one of {', '.join(layers)}", name)
    return name


def ranked(found: Concepts) -> pd.DataFrame:
    """One row for each channel, the most relevant first: its share of the layer's relevance."""
    mean = found.mean
    order = found.ranking
    return pd.DataFrame({"rank": range(1, len(order) + 1), "channel": order.tolist(), "share": (mean / mean.sum())[order]})


def orders(case: Case, of_class: Tensor, found: Concepts, seed: int) -> dict[str, list[int]]:
    """Channels in the order in which they go: by relevance, by mean activation, at random."""
    activation = channelwise(case.network, outputs(case.network, case.x[of_class])[found.layer], found.layer)
    random = torch.randperm(len(found.mean), generator=torch.Generator().manual_seed(seed))
    by_activation = activation.abs().mean((0, 2)).argsort(descending=True, stable=True)
    return {"relevance": found.ranking.tolist(), "activation": by_activation.tolist(), "random": random.tolist()}


def removal(case: Case, of_class: Tensor, c: int, found: Concepts, seed: int) -> pd.DataFrame:
    """The mean output of class c without the first channels, as a share of that with all, for each order."""
    x, whole = case.x[of_class], None
    rows = []
    for order, channels in orders(case, of_class, found, seed).items():
        for removed in range(len(channels) + 1):
            left = float(without(case.network, x, found.layer, channels[:removed])[:, c].mean())
            whole = left if whole is None else whole
            rows.append({"order": order, "removed": removed, "left": left / whole})
    return pd.DataFrame(rows)


def outputs(network: Network, x: Tensor) -> dict[str, Tensor]:
    """The output of every layer, by name."""
    graph, values = network.read(x)
    return {layer.name: output for _, layer, _, output in graph.ascend(values)}


def channelwise(network: Network, values: Tensor, layer: str) -> Tensor:
    """A view with the channels second and places last. # shape: (B, *out) -> (B, C, places)"""
    index = next(i for i, each in enumerate(network.layers) if each.name == layer)
    return values.movedim(channel_axis(network.graph, index) + 1, 1).flatten(2) if values.ndim > 2 else values[..., None]


def without(network: Network, x: Tensor, layer: str, channels: list[int]) -> Tensor:
    """The network's output where some channels of a layer are 0. # shape: (B, classes)"""
    graph, values = network.read(x)
    axis = channel_axis(graph, next(i for i, each in enumerate(graph.layers) if each.name == layer)) + 1

    def forward(_, each, inputs, __):
        output = each(*inputs)
        return output.index_fill(axis, torch.tensor(channels, dtype=torch.long), 0.0) if each.name == layer else output

    return graph.output_of(values, graph.ascend(values, forward=forward))


def examples(case: Case, of_class: Tensor, c: int, found: Concepts, plan: Plan, asked: ConceptsConfig) -> pd.DataFrame:
    """Pixels of the images that maximise each channel's relevance, and of the relevance that goes through it."""
    samples, parts = of_class.nonzero()[:, 0], []
    for rank, channel in enumerate(found.ranking[: asked.shown].tolist(), 1):
        chosen = found.samples(channel, asked.examples)
        x = case.x[samples[chosen]]
        out = explain(case.network, x, c, plan, through=found.through(channel))
        for place, sample in enumerate(samples[chosen].tolist()):
            for side, image in {"relevance": out.relevance[place], **picture(x[place])}.items():
                label = {"rank": rank, "channel": channel, "place": place, "sample": sample, "side": side}
                parts.append(labelled(tidy(image), **label))
    return pd.concat(parts, ignore_index=True)


def check(config: Config) -> None:
    """Raises :class:`ConfigError` where the question does not fit."""
    asked = config.asked(ConceptsConfig)
    for name in ("samples", "shown", "examples"):
        require(getattr(asked, name) >= 1, f"question.{name}", "at least 1", getattr(asked, name))
    require(asked.explained >= 0, "question.explained", "a class, from 0", asked.explained)


def figures(tables: Tables) -> Mapping[str, Figure]:
    """``concepts``: the channels of one class; ``removal``: what is left without the first ones."""
    curve = curve_figures(SUMMARIES)({**tables, "removal": tables["rows"]})
    return {"concepts": concept_figure(tables["channels"], tables["pixels"]), **curve}


def problems(tables: Tables) -> list[str]:
    """Shares that do not add up to the whole: relevance that no channel has."""
    sums = tables["channels"].groupby(["model", "plan", "class_number"])["share"].sum()
    return [f"{key}: shares of the channels add up to {total}" for key, total in sums.items() if abs(total - 1) > 1e-6]


QUESTION = Question(check, tables, show_summaries(SUMMARIES), figures, problems, summaries=SUMMARIES)
