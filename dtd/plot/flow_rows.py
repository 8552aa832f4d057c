"""How relevance flows through a chain of layers: what each unit hands to each of its inputs, and what leaves.

Every edge is a first-order Taylor term ``R_{j←k}``; the bias and zeroth terms of a layer leave the network there.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import pandas as pd
import torch
from torch import Tensor

from dtd.affine import AffineMap
from dtd.errors import InputError, check_parameter
from dtd.explaining.observe import observe
from dtd.explaining.target import Target
from dtd.network.activations import activations
from dtd.network.network import Network
from dtd.plans.plan import Plan
from dtd.primitive import Pointwise, Reshape
from dtd.propagation import PARTS, Layer, TaylorTerms
from dtd.root.units import FieldUnits

MOST_EDGES = 20_000  # of one layer; a picture of more shows nothing


@dataclass(frozen=True, eq=False)
class Level:
    """One affine layer with the terms of all its units. # shape: relevance (k,), first (1, k, J), inputs (k, J)"""

    layer: Layer
    relevance: Tensor
    terms: TaylorTerms
    inputs: Tensor  # flat input indices, −1 for padding


@torch.no_grad()
def flow_rows(network: Network, x: Tensor, target: Target, plan: Plan) -> dict[str, pd.DataFrame]:
    """Relevance of one sample's target as shares of what is explained. # shape: x (1, *in)

    ``edges``: ``level layer unit input relevance``, what a unit of a level hands to an input one level below.
    ``units``: ``level unit relevance``, what each unit receives; level 0 holds the network's inputs.
    ``layers``: ``level layer`` with the sums ``relevance first bias zeroth remainder`` of each layer.

    Raises :class:`dtd.InputError` for a network that is no chain of affine maps and pointwise functions, or is too large to
    draw, for several samples, and where what is explained adds up to 0.
    """
    check_parameter(isinstance(x, Tensor) and x.ndim > 0 and len(x) == 1, "x", "one sample, x[:1]", getattr(x, "shape", x))
    models = plan.bind(network)
    passed = observe(network, x, target, plan)
    edges, units, layers = [], [], []
    for level, step in enumerate(steps(network, x, models, passed.arrived), 1):
        sums = {"relevance": step.relevance.sum().item()} | {p: getattr(step.terms, p).sum().item() for p in PARTS}
        layers.append({"level": level, "layer": step.layer.name, **sums})
        edges.append(edge_rows(step).assign(level=level, layer=step.layer.name))
        units.append(pd.DataFrame({"unit": range(len(step.relevance)), "relevance": step.relevance}).assign(level=level))
    lowest = edges[0].groupby("input").relevance.sum().rename_axis("unit").reset_index().assign(level=0)
    output = passed.initial.sum().item()
    check_parameter(output != 0, "target", "something whose relevance does not add up to 0", "0")
    return {
        "edges": as_shares(edges, output),
        "units": as_shares([lowest, *units], output),
        "layers": as_shares([pd.DataFrame(layers)], output),
    }


def steps(network: Network, x: Tensor, models: tuple, arrived: dict[int, Tensor]) -> Iterator[Level]:
    """The affine layers, lowest first, at one sample."""
    for i, (layer, a, _) in enumerate(activations(network, x)):
        check_chain(layer, i)
        if isinstance(layer.op, AffineMap):
            units = FieldUnits(layer.op, a, torch.arange(arrived[i].numel()))
            relevance = arrived[i].flatten(1)
            yield Level(layer, relevance[0], models[i].terms(units, layer.domain, relevance), units.field)


def check_chain(layer: Layer, position: int) -> None:
    """Each layer must read the one before it, and keep the order of its units or be affine and small."""
    affine = isinstance(layer.op, AffineMap)
    if layer.inputs != (position - 1,) or not (affine or isinstance(layer.op, (Pointwise, Reshape))):
        raise InputError(
            f"The flow picture needs a chain of affine maps and pointwise functions; layer '{layer.name}' ({layer.kind}) is "
            "neither. Choose a network without branches and max pooling."
        )
    if affine:
        edges = torch.Size(layer.op.out_shape).numel() * layer.op.fan_in
        required = f"small enough to draw (at most {MOST_EDGES:,} edges a layer)"
        check_parameter(edges <= MOST_EDGES, "network", required, f"{edges:,} at layer '{layer.name}'")


def as_shares(parts: list[pd.DataFrame], output: float) -> pd.DataFrame:
    """One table, with relevance as a share of the explained output."""
    table = pd.concat(parts, ignore_index=True)
    numbers = table.columns.intersection(["relevance", *PARTS])
    return table.assign(**(table[numbers] / output))


def edge_rows(step: Level) -> pd.DataFrame:
    """One row for each unit and real input."""
    first = step.terms.first[0]
    unit = torch.arange(len(first))[:, None].expand_as(first)
    real = step.inputs >= 0
    return pd.DataFrame({"unit": unit[real], "input": step.inputs[real], "relevance": first[real]})
