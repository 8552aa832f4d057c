"""Layers that hold side values: what their handler makes of them, for every sample at once."""

from collections.abc import Callable
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any

import torch
from torch import Tensor
from torch.fx import Node

from dtd.network.refs import Ref
from dtd.network.sides import Side, replaced


@dataclass(frozen=True)
class Emitted:
    """A layer that a handler added, as far as side values matter to it."""

    op: Any
    tensors: tuple[str, ...]  # fields that hold tensors

    @classmethod
    def of(cls, op: Any) -> "Emitted":
        """What a layer computes."""
        held: tuple[Any, ...] = fields(op) if is_dataclass(op) else ()
        return cls(op, tuple(f.name for f in held if isinstance(getattr(op, f.name), Tensor)))


@dataclass(frozen=True, eq=False)
class Refill:
    """The layers of one op with side values, filled in anew."""

    low: Any  # the lowering, whose settings the handler sees
    handler: Callable[..., Any]
    node: Node
    given: tuple  # arguments, with the sides among them
    indices: tuple[int, ...]

    def varied(self, *values: Tensor) -> dict[int, Any]:
        """What the layers that hold side values compute, by number. # shape: (B, *full) each

        Tensors of these have a first axis for the samples.
        """
        records: list[Emitted] = []
        held: list[tuple[int, str]] = []

        def collect(*sample: Tensor) -> tuple[Tensor, ...]:
            self.handled(records, sample)
            found = [(n, name) for n, each in enumerate(records) for name in each.tensors]
            held.extend(
                pair for pair in found if torch._C._functorch.is_batchedtensor(getattr(records[pair[0]].op, pair[1]))
            )
            return tuple(getattr(records[n].op, name) for n, name in held)

        batch = max(len(v) for v in values)
        axes = tuple(0 if len(v) == batch else None for v in values)
        tensors = torch.vmap(collect, in_dims=axes)(*(v if a == 0 else v[0] for v, a in zip(values, axes, strict=True)))
        changed: dict[int, dict[str, Tensor]] = {}
        for (number, name), tensor in zip(held, tensors, strict=True):
            changed.setdefault(number, {})[name] = tensor
        return {number: replace(records[number].op, **tensors) for number, tensors in changed.items()}

    def handled(self, records: list[Emitted], sample: tuple[Tensor, ...]) -> Any:
        """What the handler returns for one sample's side values; its layers are recorded."""
        low = replace(self.low, recorded=records, varying=True, layers=[], uses={}, suspects=[])
        args, kwargs = filled(self.given, dict(zip(self.indices, sample, strict=True)))
        return self.handler(low, self.node, *args, **kwargs)

    def value(self, *sample: Tensor) -> Tensor:
        """What the op hands on where no activation is left in it, for one sample's side values."""
        return self.handled([], sample)

    def shown(self, *sample: Tensor) -> Tensor:
        """Which entries of the op's output a softmax sees, for one sample's side values."""
        return self.handled([], sample).shown


@dataclass(frozen=True, eq=False)
class Again:
    """One layer of an op filled in anew."""

    refill: Refill
    number: int

    def __call__(self, *values: Tensor) -> Any:
        return self.refill.varied(*values)[self.number]


def filled(given: Any, values: dict[int, Any]) -> Any:
    """Arguments with the sides' values in their places."""
    given = replaced(
        given, Ref, lambda ref: replace(ref, shown=values[ref.shown.index]) if isinstance(ref.shown, Side) else ref
    )
    return replaced(given, Side, lambda side: values[side.index])
