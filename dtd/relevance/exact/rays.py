"""The true relevance of some upper units on their rays from the data point."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from dtd.direction import Direction
from dtd.propagation import Context, Layer
from dtd.root.search import vectors
from dtd.root.units import FieldUnits


@dataclass(frozen=True, eq=False)
class Rays:
    """Pairs of a sample and an upper unit, each with its way ``a − t v``.

    # shape: samples, units, end (P,); way (P, *in): the direction v, 0 outside the receptive field; end: where the affine
    unit vanishes, or 1 where it does not ahead.
    """

    layer: Layer
    context: Context
    samples: Tensor
    units: Tensor
    way: Tensor
    end: Tensor

    @property
    def data(self) -> Tensor:
        """The activations at the data point. # shape: (P, *in_shape)"""
        return layer_input(self.layer, self.context)[self.samples]

    def take(self, index: Tensor) -> "Rays":
        """Some of the pairs."""
        parts = (part[index] for part in (self.samples, self.units, self.way, self.end))
        return Rays(self.layer, self.context, *parts)

    def points(self, t: Tensor) -> Tensor:
        """``a − t v``. # shape: (P,) -> (P, *in_shape)"""
        return self.data - t.view(-1, *[1] * (self.way.ndim - 1)) * self.way

    def moved(self, points: Tensor) -> dict[int, Tensor]:
        """What the network above reads when the layer's input is moved; whatever else it reads stays."""
        above, values = self.context.above, self.context.values
        moved = {j: values[j][self.samples] for j in above.reads - set(self.layer.inputs)}
        moved |= {j: x for j, x in zip(self.layer.inputs, self.layer.parted(points), strict=True) if j in above.reads}
        return moved | {self.context.position: self.layer.op.apply(points)}

    def relevance(self, points: Tensor, depth: int) -> Tensor:
        """``R_k`` at moved activations, one point for each pair. # shape: (P, *in_shape) -> (P,)"""
        relevance = self.context.above(self.moved(points), self.samples, depth)
        return relevance.flatten(1).gather(1, self.units[:, None])[:, 0]

    def same_region(self, points: Tensor, closed: bool = True) -> Tensor:
        """Whether points stay in the data point's linear region, or in its closure. # shape: (P,)"""
        a, values = layer_input(self.layer, self.context), self.context.values
        here = {j: values[j] for j in self.context.above.reads} | {self.context.position: self.layer.op.apply(a)}
        return self.context.above.same_region(here, self.moved(points), self.samples, closed)


def layer_input(layer: Layer, context: Context) -> Tensor:
    """The layer's input. # shape: (B, *in_shape)"""
    return layer.joined(tuple(context.values[j] for j in layer.inputs))


def pairs_in_chunks(counted: Tensor, rows: int) -> Iterator[tuple[Tensor, Tensor]]:
    """The pairs that count, at most ``rows`` at a time: samples and units. # shape: counted (B, K) -> (P,), (P,)"""
    units, samples = counted.T.nonzero(as_tuple=True)
    yield from zip(samples.split(rows), units.split(rows), strict=True)


def rays(layer: Layer, context: Context, direction: Direction, samples: Tensor, units: Tensor) -> Rays:
    """The rays of some pairs along a direction, built from its factor pairs. # shape: (P,), (P,)"""
    index, column = units.unique(return_inverse=True)
    found = FieldUnits(layer.op, layer_input(layer, context), index)
    v = vectors(direction, found, layer.domain)
    way = found.scatter_pairs(v, samples, column)
    with torch.no_grad():
        end = (found.z / found.total(found.weights * v))[samples, column]
        end = torch.where((end > 0) & end.isfinite(), end, 1.0)
    return Rays(layer, context, samples, units, way, end)
