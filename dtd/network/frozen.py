"""Values as they are at one moment, to be compared later: what a model's attributes and code hold."""

import weakref
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from functools import partial
from types import CodeType, FunctionType, MethodType
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

PLAIN = (
    type(None),
    bool,
    int,
    float,
    complex,
    str,
    bytes,
    torch.dtype,
    torch.device,
    torch.layout,
    Enum,
    type,
    slice,
    range,
)
DEPTH = 4  # of containers and objects inside an attribute


@dataclass(frozen=True, eq=False)
class Same:
    """An object that is compared by identity."""

    held: Any

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Same) and self.held is other.held

    def __hash__(self) -> int:
        return id(self.held)

    def __repr__(self) -> str:
        return f"{type(self.held).__name__} at {id(self.held):#x}"


def version(tensor: Tensor) -> int:
    """How often a tensor was written to, as far as torch counts it."""
    return 0 if tensor.is_inference() else tensor._version


def frozen(value: Any, depth: int = DEPTH) -> Any:
    """What a value is now, as something that compares: numbers and texts by value, containers entry by entry, tensors by
    their place in memory and version, and everything else by identity."""
    if isinstance(value, PLAIN):
        return value if value == value else "nan"
    if isinstance(value, nn.Parameter):
        return tuple(value.shape)  # one that is registered is looked at under its own name
    if isinstance(value, Tensor):
        return Same(value), value.data_ptr() if value.layout == torch.strided else 0, version(value), tuple(value.shape)
    if isinstance(value, MethodType):
        return Same(value.__func__), Same(value.__self__)
    if depth and isinstance(value, partial):
        return Same(value), frozen([value.func, value.args, value.keywords], depth - 1)
    if isinstance(value, (np.ndarray, np.generic)):
        return value.dtype.str, value.shape, value.tobytes()
    if depth and isinstance(value, Mapping):
        return type(value), tuple((frozen(k, 1), frozen(v, depth - 1)) for k, v in value.items())
    if depth and isinstance(value, (list, tuple)):
        return type(value), tuple(frozen(v, depth - 1) for v in value)
    if depth and isinstance(value, (set, frozenset)):
        return frozenset(frozen(v, 1) for v in value)
    if isinstance(value, weakref.ref):
        return "reference"
    if depth > 1 and hasattr(value, "__dict__") and not isinstance(value, (nn.Module, FunctionType)):
        return Same(value), frozen(vars(value), depth - 1)
    return Same(value)


def mentioned(kind: type) -> set[str]:
    """Names that the methods of a module's class read or write, and the texts in them (``getattr(self, "scale")``)."""
    found: set[str] = set()
    for base in kind.__mro__:
        if base not in (nn.Module, object):
            functions = [getattr(f, "fget", None) or getattr(f, "__func__", f) for f in vars(base).values()]
            for function in functions:
                found |= names_of(getattr(function, "__code__", None))
    return found


def names_of(code: CodeType | None) -> set[str]:
    """Names and texts in a function's code, and in that of the functions inside it."""
    if code is None:
        return set()
    inner = [names_of(c) for c in code.co_consts if isinstance(c, CodeType)]
    return {*code.co_names, *(c for c in code.co_consts if isinstance(c, str))}.union(*inner)
