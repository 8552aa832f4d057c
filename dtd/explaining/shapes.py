"""Tensors of a plan that must broadcast to a layer's input: bounds, reference points, metrics."""

from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor

from dtd.affine import AffineMap
from dtd.errors import DomainError
from dtd.network.graph import Graph
from dtd.propagation import Layer, Propagation

NAMES = ("low", "high", "point", "metric")
GivenTensor = tuple[Layer, str, Tensor]


def given(layers: Sequence[Layer], models: Sequence[Propagation]) -> tuple[GivenTensor, ...]:
    """Every tensor that a model, its roots or their directions have for all samples or for each."""
    found = []
    for layer, model in zip(layers, models, strict=True):
        if isinstance(layer.op, AffineMap):
            for holder in holders(model):
                values = ((name, getattr(holder, name, None)) for name in NAMES)
                found += [(layer, name, value) for name, value in values if isinstance(value, Tensor) and value.ndim]
    return tuple(found)


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
    for layer, name, value in base.plans.get((models, given), lambda: given(base.layers, models)):
        shape = (batch, *layer.op.in_shape)
        try:
            fits = torch.broadcast_shapes(value.shape, shape) == shape
        except RuntimeError:
            fits = False
        if not fits:
            raise DomainError(
                f"'{name}' at layer '{layer.name}' must be a number or broadcast to {shape}, like (1, C, 1, 1) or "
                f"(B, C, H, W); found shape {tuple(value.shape)}."
            )
