"""How objects print: the class and what was chosen, in one line, without addresses and without the values of tensors."""

from collections.abc import Mapping, Sequence
from dataclasses import MISSING, Field, fields, is_dataclass
from numbers import Real
from typing import Any, ClassVar

import numpy as np
from torch import Tensor

SHORT = 3  # entries of a sequence or a mapping that are printed; of a longer one the first and the number


def shown(value: Any) -> str:
    """A value in a few characters: a number in short, a tensor by its shape, a function by its name."""
    if isinstance(value, (bool, str)) or value is None:
        return repr(value)
    if isinstance(value, (Tensor, np.ndarray)) and value.ndim:
        return f"{type(value).__name__.lower()}({', '.join(map(str, value.shape))})"
    if isinstance(value, (Real, Tensor, np.ndarray)):
        return f"{float(value):g}"
    if isinstance(value, Mapping):
        return listed([f"{shown(key)}: {shown(entry)}" for key, entry in value.items()], "{}")
    if isinstance(value, Sequence):
        return listed([shown(entry) for entry in value], "()" if isinstance(value, tuple) else "[]")
    if isinstance(value, type) or (callable(value) and hasattr(value, "__name__")):
        return value.__name__
    addressed = type(value).__repr__ is object.__repr__
    return f"{type(value).__name__}(…)" if addressed else repr(value)


def columns(rows: Sequence[Sequence[str]]) -> str:
    """Rows of cells as text, each column as wide as its widest cell."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows)
    return "\n".join(map(str.rstrip, lines))


def listed(entries: list[str], brackets: str) -> str:
    """Entries in brackets; of more than three the first one and how many there are."""
    inside = ", ".join(entries) if len(entries) <= SHORT else f"{entries[0]}, … {len(entries)} in all"
    return f"{brackets[0]}{inside}{',' if brackets == '()' and len(entries) == 1 else ''}{brackets[1]}"


class Printed:
    """Objects that print as ``Class(required, name=chosen)``.

    A dataclass that inherits from this prints its required fields by position, and by name those that differ from their
    default; a class with ``prints_defaults`` prints its defaults too, but for those that are None.
    """

    prints_defaults: ClassVar[bool] = False

    def __init_subclass__(cls, **keywords: Any):
        super().__init_subclass__(**keywords)
        if "__repr__" not in cls.__dict__:
            cls.__repr__ = cls.__repr__  # type: ignore[method-assign]  # the inherited one, kept in the class itself, where @dataclass would put its own

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(self._chosen())})"

    def _chosen(self) -> list[str]:
        found: list[str] = []
        chosen: tuple[Field[Any], ...] = fields(self) if is_dataclass(self) else ()
        for field in chosen:
            value = getattr(self, field.name)
            default: Any = field.default if field.default_factory is MISSING else field.default_factory()
            if default is MISSING and not field.kw_only:
                found.append(shown(value))
            elif value is not None and (self.prints_defaults or default is MISSING or not is_default(value, default)):
                found.append(f"{field.name}={shown(value)}")
        return found


def is_default(value: Any, default: Any) -> bool:
    """Whether a value is a default; a tensor is none."""
    return value is default or (not isinstance(value, (Tensor, np.ndarray)) and bool(value == default))
