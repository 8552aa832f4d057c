"""Shapes of exported values: the axis of the single sample, and lengths that differ between calls."""

from collections.abc import Mapping
from typing import Any

import torch

from dtd.affine.base import Shape


def stored(full: Shape) -> Shape:
    """Shape of one sample of a value that the export, which sees one sample, has in shape ``full``.

    A first axis of size 1 is where the batch would be; any other shape belongs to the sample as a whole.
    """
    return full[1:] if full and full[0] == 1 else full


def is_stripped(full: Shape) -> bool:
    """Whether :func:`stored` leaves the first axis out."""
    return bool(full) and full[0] == 1


class CallSizes:
    """What the symbols of an exported graph are at one call."""

    def __init__(self, symbols: Mapping[Any, int]):
        self.symbols = dict(symbols)
        self.known: dict[Any, Any] = {}  # expressions that were evaluated

    @classmethod
    def of(cls, shapes: list[tuple], found: list[Shape]) -> "CallSizes":
        """The sizes at which inputs of the exported ``shapes`` have the shapes ``found``."""
        symbols: dict[Any, int] = {}
        for exported, shape in zip(shapes, found, strict=True):
            for symbolic, size in zip(exported, shape, strict=True):
                if isinstance(symbolic, torch.SymInt) and symbolic.node.expr.is_symbol:
                    symbols.setdefault(symbolic.node.expr, size)
        return cls(symbols)

    def __call__(self, value: Any) -> Any:
        """A symbolic number as it is at this call; other numbers as they are.

        Raises :class:`KeyError` for a number that depends on more than sizes.
        """
        if not isinstance(value, (torch.SymInt, torch.SymFloat, torch.SymBool)):
            return value
        expression = value.node.expr
        if expression not in self.known:
            at = expression.xreplace(self.symbols) if hasattr(expression, "xreplace") else expression
            if getattr(at, "free_symbols", None):
                raise KeyError(str(expression))
            kind = int if isinstance(value, torch.SymInt) else float if isinstance(value, torch.SymFloat) else bool
            self.known[expression] = kind(at)
        return self.known[expression]

    def learned(self, exported: Any, value: Any) -> Any:
        """The value itself; sizes that the model computes of constants are known from it, where it has a name alone."""
        if isinstance(exported, torch.Tensor) and isinstance(value, torch.Tensor):
            for size, found in zip(exported.shape, value.shape, strict=True):
                self.learned(size, found)
        elif isinstance(exported, torch.SymInt) and isinstance(value, int) and exported.node.expr.is_symbol:
            self.symbols.setdefault(exported.node.expr, value)
        return value

    def shape(self, value: Any) -> Shape:
        """The shape of an exported value (its ``meta["val"]``)."""
        return tuple(self(size) for size in value.shape)
