"""Functions of activations as objects: unlike nested functions, these can be pickled."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

from dtd.callers.printing import shown
from dtd.network.refs import Ref
from dtd.network.sizes import Shape, stored


@dataclass(frozen=True, eq=False, repr=False)
class Fixed:
    """``function(a, …, *args, **kwargs)`` as a function of the activations alone."""

    function: Callable[..., Any]
    args: tuple[Any, ...] = ()
    kwargs: Mapping[str, Any] = field(default_factory=dict)

    def __call__(self, *activations: Tensor) -> Any:
        return self.function(*activations, *self.args, **self.kwargs)

    def __repr__(self) -> str:
        return shown(self.function)


@dataclass(frozen=True, eq=False)
class Exported:
    """An op on activations with the batch in front of their exported shapes, as a function of what layers hold.

    # shape: op: (B, *shapes[i]) for input i -> (B, *full); the function: (B, *stored) for each input -> (B, *shape)
    """

    op: Callable[..., Tensor]
    shapes: tuple[Shape, ...]  # of one sample of each input, as exported
    shape: Shape  # of one sample of the output, as layers hold it

    def __call__(self, *activations: Tensor) -> Tensor:
        batch = activations[0].shape[0]
        wide = (a.reshape(batch, *full) for a, full in zip(activations, self.shapes, strict=True))
        return self.op(*wide).reshape(batch, *self.shape)


def exported(op: Callable[..., Tensor], inputs: tuple[Ref, ...], full: Shape) -> Callable[..., Tensor]:
    """The op itself where layers hold the exported shapes, else :class:`Exported`."""
    same = all(x.shape == x.full for x in inputs) and stored(full) == full
    return op if same else Exported(op, tuple(x.full for x in inputs), stored(full))
