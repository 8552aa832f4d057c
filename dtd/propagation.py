"""How relevance passes one layer: the protocol that relevance models, explicit rules and primitives share."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from typing import Any, ClassVar, NamedTuple, Protocol

import torch
from torch import Tensor

from dtd.domain import Domain, check_inside
from dtd.taylor import Balance


@dataclass(frozen=True, eq=False, kw_only=True)
class Layer:
    """One primitive of a traced network, with what the trace knows about it."""

    name: str  # unique: the module path; '@2' for its second use, '.op' for an op inside a module
    path: str  # the module's path
    kind: str  # 'dense', 'convolution', 'sum', 'max_pool', 'relu', ...
    primitive: Any  # an AffineMap, or a Propagation of its own
    inputs: tuple[int, ...]  # positions in Network.layers; −1 for the network's input
    shape: tuple[int, ...]  # of one output sample
    domain: Domain  # of what the layer receives
    image: Domain  # of what it returns
    weighted: bool = False  # carries learned weights, so that a plan must speak for it
    rectified: bool = False  # its output goes through a ReLU and nowhere else
    folded: tuple[str, ...] = field(default=())  # modules folded into it
    sides: tuple[int, ...] = ()  # side values (by number) that its primitive holds, with a first axis for the samples
    refill: Callable[..., Any] | None = field(default=None, repr=False)  # side values (B, ...) -> the primitive with these

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


@dataclass(frozen=True, eq=False, kw_only=True)
class Setting:
    """What a layer of a prepared pass can count on.

    Relevance travels as it is, or as its coefficient ``c`` with ``R = y ⊙ c`` for the value ``y`` that it belongs to: then
    a layer need not save ``y``.
    """

    scaled: bool = False  # coefficients arrive
    owned: bool = False  # what arrives may be overwritten
    after: Layer | None = None  # the one layer above, a pointwise function that may be merged into this one
    dtype: torch.dtype | None = None  # of the passes with modified weights; None for the network's

    def merge(self, checks: list[Tensor], z: Tensor, overwrite: bool) -> Tensor:
        """``y = f(z)`` of the function above; what a bounded one hides of an overflow is checked before."""
        if self.after is None:
            return z
        if self.after.kind == "relu":
            return z.relu_() if overwrite else z.relu()
        checks.append(z.sum().isfinite())
        return self.after.primitive.function(z)


class Step(ABC):
    """One layer of a prepared pass."""

    takes_scaled: bool = False  # whether coefficients may arrive
    hands_scaled: bool = False  # whether it hands coefficients down
    fresh: bool = False  # whether nobody else holds what it hands down
    merged: bool = False  # whether it took the layer above in
    apart: bool = True  # whether samples may be propagated in several batches

    @abstractmethod
    def up(self, checks: list[Tensor], *inputs: Tensor) -> tuple[Tensor, Any]:
        """The output, and what :meth:`down` needs; appends truth values (0-d) that must hold for the pass to count."""

    @abstractmethod
    def down(self, saved: Any, relevance: Tensor) -> tuple[Tensor, ...]:
        """Relevance of each input (or coefficients) from that of the output. Leaves ``saved`` as it is."""


@dataclass(frozen=True, eq=False)
class Plain(Step):
    """A propagation as it is."""

    propagation: "Propagation"
    layer: Layer

    @property
    def apart(self):
        return self.propagation.apart

    def up(self, checks, *inputs):
        return self.propagation.forward(self.layer, inputs)

    def down(self, saved, relevance):
        return self.propagation.backward(self.layer, saved, relevance).relevance


class Propagation(ABC):
    """Forward sweep and relevance pass of one layer."""

    apart: ClassVar[bool] = False  # known to treat each sample as if it were alone

    @abstractmethod
    def accepts(self, layer: Layer) -> bool:
        """Whether this propagation is defined for the layer's primitive."""

    @abstractmethod
    def forward(self, layer: Layer, inputs: tuple[Tensor, ...]) -> tuple[Tensor, Any]:
        """The layer's output, and what the relevance pass will need of this sweep."""

    @abstractmethod
    def backward(self, layer: Layer, saved: Any, relevance: Tensor) -> Propagated:
        """Hand the relevance of the output down. # shape: relevance (B, *out)"""

    def prepare(self, layer: Layer, setting: Setting) -> Step:
        """The same relevance without the balance, with everything decided that does not depend on the data.

        A propagation that has nothing faster is run as it is.
        """
        return Plain(self, layer)


class Upper(Protocol):
    """The network above a layer. Activations are given by layer index; each row belongs to a sample of the batch."""

    layers: Sequence["Layer"]  # of the whole network
    models: Sequence["Propagation"]
    scale: Tensor  # what a number of relevance is large or small against, sample by sample (B,)
    reads: frozenset[int]  # what the layers above read besides this layer's output

    def __call__(self, values: Mapping[int, Tensor], rows: Tensor, depth: int) -> Tensor:
        """Relevance of this layer's output as a function of what the layers above read; ``depth`` times differentiable.

        # shape: (P, *) each, rows (P,) -> (P, *out)
        """

    def same_region(self, values: Mapping[int, Tensor], moved: Mapping[int, Tensor], rows: Tensor, closed: bool) -> Tensor:
        """Whether moved activations stay in the linear region of ``values``, or in its closure. # shape: (P,)"""


@dataclass(frozen=True, eq=False)
class Context:
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

    def check(self, layers: Sequence[Layer], models: Sequence[Propagation], position: int, batch: int) -> None:
        """Raise before any work where the network, the plan's other models or the batch do not fit."""
        return None

    @abstractmethod
    def decompose(self, layer: Layer, context: Context, relevance: Tensor) -> Propagated:
        """Hand the relevance of the output down. # shape: relevance (B, *out)"""

    def backward(self, layer, saved, relevance):
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
