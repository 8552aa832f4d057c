"""How relevance flows through a small trained network: what each unit hands to each of its inputs, and what leaves.

Every edge is a first-order Taylor term ``R_{j←k}``; the bias and zeroth terms of a layer leave the network there.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import pandas as pd
import torch
from torch import Tensor

from dtd.affine import AffineMap
from dtd.explaining.observe import observe
from dtd.network import Network
from dtd.network.activations import activations
from dtd.plans.plan import Plan
from dtd.primitive import Pointwise, Reshape
from dtd.propagation import Layer
from dtd.root.units import FieldUnits
from dtd.taylor import PARTS, TaylorTerms
from experiments.configs.base import ConfigError, require
from experiments.configs.questions.roots import FunctionViewConfig
from experiments.configs.run import Config
from experiments.models import subjects
from experiments.plans import plans
from experiments.questions.cases import traced

LIMIT = 20_000  # edges of one layer; a picture of more shows nothing


@dataclass(frozen=True, eq=False)
class Step:
    """One affine layer with the terms of all its units. # shape: relevance (k,), first (1, k, J), inputs (k, J)"""

    layer: Layer
    relevance: Tensor
    terms: TaylorTerms
    inputs: Tensor  # flat input indices, −1 for padding


def steps(network: Network, x: Tensor, models: tuple, arrived: dict[int, Tensor]) -> Iterator[Step]:
    """The affine layers, lowest first, at one sample; raises :class:`ConfigError` for a network that is no chain of them."""
    for i, (layer, a, _) in enumerate(activations(network, x)):
        check_chain(layer, i)
        if isinstance(layer.op, AffineMap):
            units = FieldUnits(layer.op, a, torch.arange(arrived[i].numel()))
            relevance = arrived[i].flatten(1)
            yield Step(layer, relevance[0], models[i].terms(units, layer.domain, relevance), units.field)


def check_chain(layer: Layer, position: int) -> None:
    """Each layer must read the one before it, and keep the order of its units or be affine and small."""
    affine = isinstance(layer.op, AffineMap)
    if layer.inputs != (position - 1,) or not (affine or isinstance(layer.op, (Pointwise, Reshape))):
        raise ConfigError(
            f"The flow picture needs a chain of affine maps and pointwise functions; layer '{layer.name}' ({layer.kind}) is "
            "neither. Choose a network without branches and max pooling, such as model=mlp."
        )
    if affine:
        edges = torch.Size(layer.op.out_shape).numel() * layer.op.fan_in
        require(edges <= LIMIT, "model", f"small enough to draw (at most {LIMIT:,} edges a layer)", f"{edges:,}")


def tables(config: Config) -> Iterator[tuple[str, pd.DataFrame]]:
    """:func:`flows` for every model and plan of a run, with the columns ``model`` and ``plan``."""
    found = []
    for name, subject in subjects(config.model, config.data).items():
        samples, sample = len(subject.test_x), config.asked(FunctionViewConfig).sample
        require(sample < samples, "question.sample", f"one of the test samples 0 to {samples - 1}", sample)
        case = traced(subject, config.dtype.torch, [sample])
        for plan, made in plans(config, case.network, (case.subject.train_x, case.subject.test_x)).items():
            part = flows(case.network, case.x, made)
            found.append({key: table.assign(model=name, plan=plan) for key, table in part.items()})
    for key in found[0]:
        yield key, pd.concat([part[key] for part in found], ignore_index=True)


@torch.no_grad()
def flows(network: Network, x: Tensor, plan: Plan) -> dict[str, pd.DataFrame]:
    """Relevance of the predicted class as shares of its output, for one sample. # shape: x (1, *in)

    ``flow_edges``: ``level layer unit input relevance``, what a unit of a level hands to an input one level below.
    ``flow_units``: ``level unit relevance``, what each unit receives; level 0 holds the network's inputs.
    ``flow_layers``: ``level layer target`` with the sums ``relevance first bias zeroth remainder`` of each layer.
    """
    models = plan.bind(network)
    with torch.no_grad():
        target = int(network.model(x).argmax(1))
    passed = observe(network, x, target, plan)
    initial, arrived = passed.initial, passed.arrived
    edges, units, layers = [], [], []
    for level, step in enumerate(steps(network, x, models, arrived), 1):
        sums = {"relevance": step.relevance.sum().item()} | {p: getattr(step.terms, p).sum().item() for p in PARTS}
        layers.append({"level": level, "layer": step.layer.name, "target": target, **sums})
        edges.append(edge_rows(step).assign(level=level, layer=step.layer.name))
        units.append(pd.DataFrame({"unit": range(len(step.relevance)), "relevance": step.relevance}).assign(level=level))
    lowest = edges[0].groupby("input").relevance.sum().rename_axis("unit").reset_index().assign(level=0)
    output = initial.sum().item()
    return {
        "flow_edges": shares(edges, output),
        "flow_units": shares([lowest, *units], output),
        "flow_layers": shares([pd.DataFrame(layers)], output),
    }


def shares(parts: list[pd.DataFrame], output: float) -> pd.DataFrame:
    """One table, with relevance as a share of the explained output."""
    table = pd.concat(parts, ignore_index=True)
    numbers = table.columns.intersection(["relevance", *PARTS])
    return table.assign(**(table[numbers] / output))


def edge_rows(step: Step) -> pd.DataFrame:
    """One row for each unit and real input."""
    first = step.terms.first[0]
    unit = torch.arange(len(first))[:, None].expand_as(first)
    real = step.inputs >= 0
    return pd.DataFrame({"unit": unit[real], "input": step.inputs[real], "relevance": first[real]})
