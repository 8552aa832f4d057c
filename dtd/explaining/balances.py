"""The balance of every layer of an explanation, found when it is first asked for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple, Protocol

from torch import Tensor

from dtd.algebra import identity
from dtd.callers.arithmetic import own_arithmetic
from dtd.callers.printing import Printed
from dtd.errors import StaleError
from dtd.explaining.sweep import Sweep, relevance_pass, sweep
from dtd.explaining.target import Target
from dtd.network.frozen import version
from dtd.network.graph import Graph
from dtd.network.network import Network
from dtd.primitive import Pointwise
from dtd.propagation import Balance, Layer, Op, Propagation, per_sample
from dtd.relevance.passage import NOWHERE, Passage, Watch

UNMOVED = Pointwise(identity, kinks=())


class Decomposed(NamedTuple):
    """What a pass that adds everything up finds, by index."""

    relevance: dict[int, Tensor]  # of each explained input
    balances: dict[int, Balance]  # of each layer
    magnitudes: dict[int, Tensor]  # Σ |R| of each layer's output. shape: (B,)
    watch: Watch


@dataclass(frozen=True, eq=False)
class Record(Printed):
    """What happened at one layer."""

    layer: Layer
    model: Propagation
    balance: Balance
    magnitude: Tensor  # Σ |R| of the output. shape: (B,)

    def detached(self) -> "Record":
        """The same numbers, not a part of any computation."""
        parts = Balance(*(part.detach() for part in self.balance.parts()))
        return replace(self, balance=parts, magnitude=self.magnitude.detach())


class Records(Protocol):
    """Where an explanation finds what happened at each layer."""

    def records(self) -> Mapping[str, Record]:
        """By name."""

    def replays(self) -> "Sequence[Replay]":
        """What the passes of its parts started from."""


class Replay(NamedTuple):
    """What an explanation started from, for the pass that also finds the balance of every layer."""

    network: Network
    graph: Graph
    models: tuple[Propagation, ...]
    values: dict[int, Tensor]  # explained input k is −1−k
    versions: tuple[int, ...]  # of the values and the initial relevance
    initial: Tensor
    target: Target | None = None
    passage: Passage = NOWHERE
    done: Decomposed | None = None  # what the pass found, where it was run already

    def check_current(self) -> None:
        """Raise :class:`StaleError` where the input or the model's parameters have changed."""
        if not self.network.is_current(self.graph) or versions(self.values, self.initial) != self.versions:
            raise StaleError(
                "The balances are found when first asked for; since this explanation was made its input or the model's "
                "parameters have changed. Explain again, and read 'layers' before changing them."
            )

    @own_arithmetic()
    def run(self) -> Decomposed:
        """Relevance of each explained input, the balances and the magnitudes by layer, what is read on the way."""
        self.check_current()
        return self.done or self.descend(sweep(self.graph, self.models, self.values, self.target, passage=self.passage))

    def replays(self) -> "Sequence[Replay]":
        """Itself."""
        return (self,)

    def descend(self, swept: Sweep) -> Decomposed:
        """The relevance pass after a sweep."""
        magnitudes: dict[int, Tensor] = {}

        def seen(i: int, relevance: Tensor) -> None:
            magnitudes[i] = per_sample(relevance.abs())

        watch = Watch(self.passage, balances=True)
        found = relevance_pass(self.graph, self.models, swept, self.initial, self.values, seen, watch)
        return Decomposed(*found, magnitudes, watch)

    def records(self) -> Mapping[str, Record]:
        """What happened at each layer, by name; what ``through=`` stopped is at ``"<layer> through"``."""
        _, balances, magnitudes, watch = self.run()
        layers = enumerate(zip(self.graph.layers, self.models, strict=True))
        found = {layer.name: Record(layer, model, balances[i], magnitudes[i]) for i, (layer, model) in layers}
        for i, (balance, magnitude) in watch.stopped.items():
            gate = gate_layer(self.graph.layers[i], i)
            found[gate.name] = Record(gate, self.passage.gates[i], balance, magnitude)
        return found


def gate_layer(layer: Layer, i: int) -> Layer:
    """The place between a layer and what reads it, where relevance is stopped."""
    return replace(
        layer, name=f"{layer.name} through", kind="through", op=UNMOVED, inputs=(i,), domain=layer.image, sides=()
    )


class Described(Op):
    """The operation of a layer that was sent elsewhere: its description alone."""

    def __init__(self, description: str):
        self.description = description

    def __repr__(self) -> str:
        return self.description

    def __call__(self, *inputs: Tensor) -> Tensor:
        raise StaleError(
            f"{self.description} was left where the explanation was made. Trace the model here to compute with it."
        )


@dataclass(frozen=True, eq=False)
class Kept:
    """What happened at each layer, of an explanation that was sent elsewhere; None where it could not be found any more."""

    found: Mapping[str, Record] | None

    @classmethod
    def of(cls, source: Records) -> "Kept":
        """The records of an explanation, with descriptions for operations."""
        try:
            records = source.records()
        except StaleError:
            return cls(None)
        layers = {name: replace(r.layer, op=Described(repr(r.layer.op)), refill=None) for name, r in records.items()}
        return cls({name: replace(record.detached(), layer=layers[name]) for name, record in records.items()})

    def records(self) -> Mapping[str, Record]:
        """By name."""
        if self.found is None:
            raise StaleError(
                "The balances of this explanation were not found before its input or the model's parameters changed, and so "
                "they did not come along. Read 'layers' before, or explain again."
            )
        return self.found

    def replays(self) -> Sequence[Replay]:
        """None: the network and the input were left behind."""
        raise StaleError("Edges are computed with the network and the input, which a copy of an explanation does not hold.")


def versions(values: Mapping[int, Tensor], initial: Tensor) -> tuple[int, ...]:
    """How often each value, and the initial relevance, was written to, as far as torch counts it."""
    return tuple(map(version, (*values.values(), initial)))
