"""What a layer computes and how relevance passes it: the protocols of operations, relevance models and explicit rules."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

import torch
from torch import Tensor

from dtd.callers.copies import Handed, OwnArguments
from dtd.callers.printing import Printed
from dtd.domain import Domain, Real, check_inside
from dtd.taylor import Balance


class Op(Printed, OwnArguments, Handed, ABC):
    """A function ``y = f(a, …)`` of one or several activations, for each sample of a batch as if it were alone.

    How relevance passes an operation is another object, a :class:`Propagation`, which a plan chooses.
    """

    @abstractmethod
    def __call__(self, *inputs: Tensor) -> Tensor:
        """The output. # shape: (B, *in) for each input -> (B, *out)"""

    def image(self, *domains: Domain) -> Domain:
        """The smallest known domain that holds the outputs for inputs in ``domains``."""
        return Real()


Operation = TypeVar("Operation", bound=Op, covariant=True)


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class Layer(Handed, Generic[Operation]):
    """One operation of a traced network, with what the trace knows about it.

    A propagation that accepts one kind of operation says so in its types: ``Layer[AffineMap]``, ``Layer[Softmax]``.
    A layer that is copied or pickled by itself computes the same; with ``refill`` it leaves the rest of its network behind.
    """

    name: str  # unique: the module path; '@2' for its second use, '.op' for an op inside a module
    path: str  # the module's path
    kind: str  # 'dense', 'convolution', 'sum', 'max_pool', 'relu', ...
    op: Operation  # what it computes
    inputs: tuple[int, ...]  # positions in Network.layers; −1 for the network's input
    shape: tuple[int, ...]  # of one output sample
    domain: Domain  # of what the layer receives
    image: Domain  # of what it returns
    domains: tuple[Domain, ...] = ()  # of each input, as far as an operation made it; Real for the network's inputs
    held: tuple[bool, ...] = ()  # which inputs are constant around a data point; empty where none is
    weighted: bool = False  # carries learned weights, so that a plan must speak for it
    rectified: bool = False  # its output goes through a ReLU and nowhere else
    folded: tuple[str, ...] = field(default=())  # modules folded into it
    sides: tuple[int, ...] = ()  # side values (by number) that its op holds, with a first axis for the samples
    refill: Callable[..., Any] | None = field(default=None, repr=False)  # side values (B, ...) -> the op with these

    def __repr__(self) -> str:
        shape = "×".join(map(str, self.shape))
        return f"Layer({self.name!r}, {self.kind} -> {shape}, receives {self.domain}, returns {self.image})"

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "refill": None}

    def __call__(self, *inputs: Tensor) -> Tensor:
        """What the layer computes. # shape: (B, *in) for each input -> (B, *out)"""
        return self.op(*inputs)

    def joined(self, inputs: tuple[Tensor, ...]) -> Tensor:
        """The one input of an affine layer; a sum's inputs stacked. # shape: (B, *in) each -> (B, *in_shape)"""
        return inputs[0] if len(inputs) == 1 else torch.stack(inputs, 1)

    def check(self, requires: Domain, a: Tensor, what: str, remedy: str) -> None:
        """Raise :class:`DomainError` where the layer's input, unless its domain implies it, leaves what a rule requires."""
        if not self.domain.within(requires):
            check_inside(requires, a, f"{what} at layer '{self.name}'", remedy)

    def parted(self, lower: Tensor) -> tuple[Tensor, ...]:
        """Relevance of :meth:`joined`, input by input."""
        return (lower,) if len(self.inputs) == 1 else lower.unbind(1)


class Propagated(NamedTuple):
    """Relevance of each input of a layer, ``(B, *in)`` each, and what became of the rest."""

    relevance: tuple[Tensor, ...]
    balance: Balance


class Propagation(OwnArguments, ABC):
    """Forward sweep and relevance pass of one layer."""

    @abstractmethod
    def accepts(self, layer: Layer) -> bool:
        """Whether this propagation is defined for the layer's operation."""

    def sample_wise(self, layer: Layer) -> bool:
        """Whether each sample of a batch is treated as if it were alone, so that samples may be propagated in parts."""
        return True

    @abstractmethod
    def forward(self, layer: Layer, inputs: tuple[Tensor, ...]) -> tuple[Tensor, Any]:
        """The layer's output, and what the relevance pass will need of this sweep."""

    @abstractmethod
    def backward(self, layer: Layer, saved: Any, relevance: Tensor) -> Propagated:
        """Hand the relevance of the output down. # shape: relevance (B, *out)"""


class Upper(Protocol):
    """The network above a layer. Activations are given by layer index; each row belongs to a sample of the batch."""

    @property
    def layers(self) -> Sequence["Layer"]:
        """Those of the whole network."""

    @property
    def models(self) -> Sequence["Propagation"]:
        """What passes relevance through them."""

    @property
    def scale(self) -> Tensor:
        """What a number of relevance is large or small against, sample by sample. # shape: (B,)"""

    @property
    def reads(self) -> frozenset[int]:
        """What the layers above read besides this layer's output."""

    def explained(self, values: Mapping[int, Tensor], rows: Tensor | None = None) -> Tensor:
        """What is explained of the output at activations, summed over outputs. # shape: (P, *) each, rows (P,) -> (P,)"""

    def __call__(self, values: Mapping[int, Tensor], rows: Tensor, depth: int) -> Tensor:
        """Relevance of this layer's output as a function of what the layers above read; ``depth`` times differentiable.

        # shape: (P, *) each, rows (P,) -> (P, *out)
        """

    def same_region(self, values: Mapping[int, Tensor], moved: Mapping[int, Tensor], rows: Tensor, closed: bool) -> Tensor:
        """Whether moved activations stay in the linear region of ``values``, or in its closure. # shape: (P,)"""


@dataclass(frozen=True, eq=False)
class Context(Handed):
    """What a layer's relevance may depend on beyond what the layer itself receives.

    ``values`` are the activations that this layer and the layers above it read, ``arrived`` the relevance of the outputs
    above, both by layer index. ``depth``: how many derivatives of the relevance are taken further down.
    """

    position: int
    values: Mapping[int, Tensor]
    arrived: Mapping[int, Tensor]
    above: Upper
    depth: int = 0


class Contextual(Propagation):
    """A propagation that looks beyond its layer: :meth:`decompose` stands in for :meth:`backward`."""

    def sample_wise(self, layer: Layer) -> bool:
        return False

    def check(self, layers: Sequence[Layer], models: Sequence[Propagation], position: int, batch: int) -> None:
        """Raise before any work where the network, the plan's other models or the batch do not fit."""
        return None

    @abstractmethod
    def decompose(self, layer: Layer, context: Context, relevance: Tensor) -> Propagated:
        """Hand the relevance of the output down. # shape: relevance (B, *out)"""

    def backward(self, layer: Layer, saved: Any, relevance: Tensor) -> Propagated:
        raise NotImplementedError(f"{type(self).__name__} looks beyond its layer: explain the whole network.")


def per_sample(values: Tensor) -> Tensor:
    """Sum over everything but the batch. # shape: (B, ...) -> (B,)"""
    return values.sum(dim=tuple(range(1, values.ndim))) if values.ndim > 1 else values


def balance(relevance: Tensor, lower: tuple[Tensor, ...], **parts: Tensor) -> Balance:
    """The balance of a layer from what arrived, what was handed down, and the summed parts (0 when left out)."""
    arrived = per_sample(relevance)
    if len(lower) == 1 and lower[0] is relevance:
        first = arrived
    else:
        first = reduce(torch.add, [per_sample(part) for part in lower])
    if len(parts) < 3:
        nothing = torch.zeros_like(arrived)
        parts = {name: parts.get(name, nothing) for name in ("bias", "zeroth", "remainder")}
    return Balance(arrived, first, **parts)
