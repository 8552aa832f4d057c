"""How relevance flows through a small trained network: what each unit hands to each of its inputs, and what leaves.

Every edge is a first-order Taylor term ``R_{j←k}``; the bias and zeroth terms of a layer leave the network there.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import pandas as pd
import torch
from torch import Tensor

from dtd.affine import AffineMap
from dtd.explain import initial_relevance, relevance_pass, sweep
from dtd.network import Network, trace
from dtd.network.activations import activations
from dtd.plan import Plan
from dtd.primitive import Pointwise, Reshape
from dtd.propagation import Layer
from dtd.taylor import TaylorTerms
from dtd.units import FieldUnits
from experiments.configs import ConfigError, require
from experiments.models import Subject

LIMIT = 20_000  # edges of one layer; a picture of more shows nothing
PARTS = ("first", "bias", "zeroth", "remainder")


@dataclass(frozen=True, eq=False)
class Step:
    """One affine layer with the terms of all its units. # shape: relevance (k,), first (1, k, J), inputs (k, J)"""

    layer: Layer
    relevance: Tensor
    terms: TaylorTerms
    inputs: Tensor  # flat input indices, −1 for padding


@torch.no_grad()
def steps(network: Network, x: Tensor, target: int, plan: Plan) -> Iterator[Step]:
    """The affine layers, lowest first, at one sample; raises :class:`ConfigError` for a network that is no chain of them."""
    models = plan.bind(network)
    swept, arrived = sweep(network, models, x), {}
    relevance_pass(network, models, swept, initial_relevance(swept.output, target), x, arrived.__setitem__)
    for i, (layer, a, _) in enumerate(activations(network, x)):
        check_chain(layer, i)
        if isinstance(layer.primitive, AffineMap):
            units = FieldUnits(layer.primitive, a, torch.arange(arrived[i].numel()))
            relevance = arrived[i].flatten(1)
            yield Step(layer, relevance[0], models[i].terms(units, layer.domain, relevance), units.field)


def check_chain(layer: Layer, position: int) -> None:
    """Each layer must read the one before it, and keep the order of its units or be affine and small."""
    affine = isinstance(layer.primitive, AffineMap)
    if layer.inputs != (position - 1,) or not (affine or isinstance(layer.primitive, (Pointwise, Reshape))):
        raise ConfigError(
            f"The flow picture needs a chain of affine maps and pointwise functions; layer '{layer.name}' ({layer.kind}) is "
            "neither. Choose a network without branches and max pooling, such as model=mlp."
        )
    if affine:
        edges = torch.Size(layer.primitive.out_shape).numel() * layer.primitive.fan_in
        require(edges <= LIMIT, "model", f"small enough to draw (at most {LIMIT:,} edges a layer)", f"{edges:,}")


def flows(name: str, subject: Subject, sample: int, plan: Plan) -> dict[str, pd.DataFrame]:
    """Relevance as shares of the explained output (the predicted class), for one test sample.

    ``flow_edges``: ``model level layer unit input relevance``, what a unit of a level hands to an input one level below.
    ``flow_units``: ``model level unit relevance``, what each unit receives; level 0 holds the network's inputs.
    ``flow_layers``: ``model level layer target`` with the sums ``relevance first bias zeroth remainder`` of each layer.
    """
    x = subject.test_x[sample : sample + 1]
    target = int(subject.model(x).argmax(1))
    network = trace(subject.model, x, subject.domain)
    edges, units, layers = [], [], []
    for level, step in enumerate(steps(network, x, target, plan), 1):
        sums = {"relevance": step.relevance.sum().item()} | {p: getattr(step.terms, p).sum().item() for p in PARTS}
        layers.append({"level": level, "layer": step.layer.name, "target": target, **sums})
        edges.append(edge_rows(step).assign(level=level, layer=step.layer.name))
        units.append(pd.DataFrame({"unit": range(len(step.relevance)), "relevance": step.relevance}).assign(level=level))
    lowest = edges[0].groupby("input").relevance.sum().rename_axis("unit").reset_index().assign(level=0)
    tables = {
        "flow_edges": pd.concat(edges, ignore_index=True),
        "flow_units": pd.concat([lowest, *units], ignore_index=True),
        "flow_layers": pd.DataFrame(layers),
    }
    numbers = ["relevance", *PARTS]
    output = layers[-1]["relevance"]
    for table in tables.values():
        table[table.columns.intersection(numbers)] /= output
        table.insert(0, "model", name)
    return tables


def edge_rows(step: Step) -> pd.DataFrame:
    """One row for each unit and real input."""
    first = step.terms.first[0]
    unit = torch.arange(len(first))[:, None].expand_as(first)
    real = step.inputs >= 0
    return pd.DataFrame({"unit": unit[real], "input": step.inputs[real], "relevance": first[real]})
