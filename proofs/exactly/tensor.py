"""A tensor whose entries are fractions or expressions: torch hands its operators over, and they are computed exactly.

Where the shipped code asks a question that symbols leave open ("are all weights ≥ 0?"), the answer is no; what it does where
the answer is yes takes a case whose symbols have these signs. An operator without an exact reading raises: nothing falls
back on floating-point numbers.
"""

from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any

import numpy as np
import torch
from torch.utils._pytree import tree_map

from proofs.exactly.operators import OPERATORS

KINDS: dict[type, torch.dtype] = {bool: torch.bool, float: torch.float64}


class Exact(torch.Tensor):
    """A tensor of exact entries; to torch it is one of float64, or of truth values, of the same shape."""

    values: np.ndarray  # type: ignore[assignment] # a sparse tensor's method of this name is not used here

    @staticmethod
    def __new__(cls, values: np.ndarray, kind: type = float):
        found = torch.Tensor._make_wrapper_subclass(cls, values.shape, dtype=KINDS[kind])
        found.values = values
        return found

    @classmethod
    def __torch_dispatch__(cls, operator: Callable, types: Any, args: tuple = (), kwargs: Mapping | None = None) -> Any:  # type: ignore[override]
        given = dict(kwargs or {})
        name = str(operator).removeprefix("aten.")
        reading = OPERATORS.get(name) or OPERATORS.get(name.split(".")[0])
        if reading is None:
            raise NotImplementedError(f"{operator} has no exact reading; add one to proofs.exactly.operators.")
        out = next((given.pop(key) for key in ("out", "grad_input") if key in given), None)
        found = reading(*tree_map(plain, args), **tree_map(plain, given))
        target = args[0] if name.split(".")[0].endswith("_") else out
        if isinstance(target, Exact):
            target.values[...] = found
            return target
        return tree_map(lambda value: wrapped(value, name.split(".")[0]), found)

    def __repr__(self, **_: Any) -> str:  # type: ignore[override]
        return f"Exact({self.values.tolist()})"


COMPARISONS = {"gt", "ge", "lt", "le", "eq", "ne", "all", "any", "isfinite", "logical_and", "logical_not"}
COMPARISONS |= {"bitwise_and", "bitwise_not", "isinf", "isnan", "bitwise_or"}


def wrapped(value: Any, name: str) -> Any:
    """An array of entries as a tensor again."""
    return Exact(value, bool if name in COMPARISONS else float) if isinstance(value, np.ndarray) else value


def plain(value: Any) -> Any:
    """The entries of a tensor; of a floating-point one the fractions that its numbers are."""
    if isinstance(value, Exact):
        return value.values
    if isinstance(value, torch.Tensor) and value.dtype.is_floating_point:
        return exactly(value.detach().cpu().numpy())
    if isinstance(value, torch.Tensor):
        return value.numpy()
    return exact_number(value)


def exact_number(value: Any) -> Any:
    """A floating-point number as the fraction that it is; infinity and what is no number as they are."""
    return Fraction(value) if isinstance(value, float) and np.isfinite(value) else value


def exactly(values: Any) -> np.ndarray:
    """An object array of exact numbers."""
    found = np.array(values, dtype=object)
    return np.array([exact_number(x) for x in found.flat], dtype=object).reshape(found.shape)


def made(values: Any) -> Exact:
    """Numbers or expressions as a tensor."""
    return Exact(exactly(values))


def entries_of(tensor: Any) -> Any:
    """The exact entries of a tensor."""
    return tensor.values if isinstance(tensor, Exact) else plain(tensor)
