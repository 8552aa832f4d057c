"""The layers of a proof as the passes see them: tensors of exact entries in place of arrays."""

from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from dtd.affine import Dense
from dtd.domain import Real
from dtd.primitive import Pointwise
from dtd.propagation import Layer
from proofs.exactly import entries_of, made
from proofs.layers import Setting
from proofs.symbols import array
from proofs.units import GenericMap


@dataclass(frozen=True, eq=False)
class AnyInputs:
    """:class:`GenericMap` on tensors: one unit with any number of inputs, of which tensors hold the generic entry."""

    map: GenericMap
    in_shape: tuple[int, ...] = (1,)
    out_shape: tuple[int, ...] = (1,)
    weight: Tensor = field(init=False)
    bias: Tensor = field(init=False)

    def __post_init__(self):
        object.__setattr__(self, "weight", made(self.map.weight))
        object.__setattr__(self, "bias", made(self.map.bias))

    def linear(self, a: Tensor, weight: Tensor) -> Tensor:
        return made(self.map.linear(array(entries_of(a)), array(entries_of(weight))))

    def transpose(self, s: Tensor, weight: Tensor) -> Tensor:
        return made(self.map.transpose(array(entries_of(s)), array(entries_of(weight))))

    def apply(self, a: Tensor) -> Tensor:
        return self.linear(a, self.weight) + self.bias

    def per_output(self, vector: Tensor) -> Tensor:
        return vector

    @property
    def bias_shape(self) -> tuple[int, ...]:
        return self.out_shape

    @property
    def example(self) -> Tensor:
        return made([[0]])


def layer_of(at: Setting) -> Layer:
    """The affine layer of a setting, with exact entries."""
    op: Any
    if isinstance(at.map, GenericMap):
        op = AnyInputs(at.map)
    else:
        (units, inputs), bias = at.map.weight.shape, made(at.map.bias)
        op = Dense(weight=made(at.map.weight), bias=bias, in_shape=(inputs,), out_shape=(units,))
    return layer(op, "dense", at.domain, op.out_shape)


def layer(op: Any, kind: str, domain: Any, shape: tuple[int, ...]) -> Layer:
    """A layer that reads the network's input."""
    return Layer(name=kind, path=kind, kind=kind, op=op, inputs=(-1,), shape=shape, domain=domain, image=Real())


RELU = Pointwise(torch.relu, kinks=(0.0,), rectifies=True)
CAPPED = Pointwise(lambda z: z.clamp(0, 1), kinks=(0.0, 1.0), rectifies=True)


def above(op: Pointwise | None, at: Setting) -> Layer | None:
    """The layer of a pointwise function."""
    return None if op is None else layer(op, "pointwise", Real(), (at.z.shape[-1],))
