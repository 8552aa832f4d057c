"""Tensors of a plan that must broadcast to a layer's input: bounds, reference points, metrics."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from dtd.affine import AffineMap
from dtd.errors import DomainError
from dtd.network.graph import Graph
from dtd.propagation import Layer, Propagation
from dtd.relevance import Generic

NAMES = ("low", "high", "point", "metric")


class GivenTensor(NamedTuple):
    """A tensor of a plan: the layer that it is for, its name, and the shape of one sample that it must broadcast to."""

    layer: Layer
    name: str
    value: Tensor
    shape: tuple[int, ...]


def given(layers: Sequence[Layer], models: Sequence[Propagation]) -> tuple[GivenTensor, ...]:
    """Every tensor that a model, its roots or their directions have for all samples or for each."""
    found = []
    for layer, model in zip(layers, models, strict=True):
        if isinstance(layer.op, AffineMap):
            for holder in holders(model):
                values = ((name, getattr(holder, name, None)) for name in NAMES)
                shape = layer.op.in_shape
                found += [GivenTensor(layer, name, x, shape) for name, x in values if isinstance(x, Tensor) and x.ndim]
        if isinstance(model, Generic):
            found += references(layers, layer, model)
    return tuple(found)


def references(layers: Sequence[Layer], layer: Layer, model: Generic) -> list[GivenTensor]:
    """The tensors among a generic model's references, for those inputs of its layer that another layer makes."""
    points = model.reference if isinstance(model.reference, tuple) else (model.reference,) * len(layer.inputs)
    made = [(x, layers[i].shape) for i, x in zip(layer.inputs, points, strict=False) if i >= 0]
    return [GivenTensor(layer, "reference", x, shape) for x, shape in made if isinstance(x, Tensor) and x.ndim]


def written(models: Sequence[Propagation]) -> tuple[Tensor, ...]:
    """Every tensor of a plan that its caller may write to: of models, their roots and directions."""
    held = (value for model in models for holder in holders(model) for value in vars(holder).values())
    return tuple(value for value in held if isinstance(value, Tensor))


def holders(model: Any) -> Iterator[Any]:
    """A model, its root strategy, the strategies inside that, and their directions."""
    yield model
    root = getattr(model, "root", None)
    if root is not None:
        yield from holders(root)
    for inner in getattr(model, "inner", ()):
        yield from holders(inner)
    direction = getattr(model, "direction", None)
    if direction is not None:
        yield direction


def check_shapes(graph: Graph, models: tuple[Propagation, ...], batch: int) -> None:
    """Raise :class:`DomainError`, before any work, for a tensor that does not broadcast to the samples of its layer."""
    base = graph.base
    for layer, name, value, sample in base.plans.get((models, given), lambda: given(base.layers, models)):
        shape = (batch, *sample)
        try:
            fits = torch.broadcast_shapes(value.shape, shape) == shape
        except RuntimeError:
            fits = False
        if not fits:
            raise DomainError(
                f"'{name}' at layer '{layer.name}' must be a number or broadcast to {shape}, like (1, C, 1, 1) or "
                f"(B, C, H, W); found shape {tuple(value.shape)}."
            )
