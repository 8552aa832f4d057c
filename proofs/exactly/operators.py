"""Torch's operators on arrays of exact entries, by their definitions.

``x / 0`` of numbers is no number and stays none, so that shipped code has to mask it; of symbols it is the reciprocal
that is 0 at 0 (:mod:`proofs.symbols`), which a condition on the denominator turns into an ordinary one.
"""

from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import partial
from itertools import product
from typing import Any

import numpy as np
import sympy

from dtd import algebra
from proofs.symbols import Reciprocal

NONE = float("nan")


def each(function: Callable, inputs: int = 1) -> Callable:
    """A function of entries as one of arrays."""
    lifted = np.frompyfunc(function, inputs, 1)
    return lambda *args, **_: np.asarray(lifted(*args), dtype=object)


def is_none(x: Any) -> bool:
    """Whether an entry is no number."""
    return isinstance(x, float) and x != x


def quotient(x: Any, y: Any) -> Any:
    if is_none(x) or is_none(y):
        return NONE
    if isinstance(y, sympy.Expr) and not y.is_number:
        return x * Reciprocal(y)
    if y == 0:
        return NONE
    return x / y if isinstance(x, sympy.Expr) or isinstance(y, sympy.Expr) else Fraction(x) / Fraction(y)


def where(condition: Any, x: Any, y: Any) -> Any:
    """``x`` or ``y``; with symbols in the condition, which is 0 or 1, the sum of both."""
    if isinstance(condition, sympy.Expr) and not condition.is_number:
        return condition * x + (1 - condition) * y
    return x if condition else y


def above(x: Any, y: Any) -> Any:
    """``1[x > y]``."""
    if np.inf in (x, -y) or -np.inf in (x, -y):
        return int(x == np.inf or y == -np.inf)
    return 0 if is_none(x) or is_none(y) else algebra.step(x - y)


def differs(x: Any, y: Any) -> Any:
    return algebra.nonzero(x - y)


def clamp(x: Any, low: Any = None, high: Any = None) -> Any:
    """Between bounds that are 0 or left out."""
    x = x if low is None else low + algebra.positive(x - low)
    return x if high is None else high + algebra.negative(x - high)


def summed(a: np.ndarray, axes: Any = None, keepdim: bool = False, **_: Any) -> np.ndarray:
    axes = None if axes is None or (isinstance(axes, Sequence) and not len(axes)) else axes
    axis: Any = tuple(axes) if isinstance(axes, Sequence) else axes
    return np.asarray(a.sum(axis=axis, keepdims=keepdim), dtype=object) if a.size else np.zeros(a.shape[:1], int)


def scaled(function: Callable) -> Callable:
    """``x ± α y``."""
    return lambda x, y, alpha=1, **_: np.asarray(function(x, y * alpha), dtype=object)


def convolution(
    a: np.ndarray,
    w: np.ndarray,
    bias: Any,
    stride: Any,
    padding: Any,
    dilation: Any,
    transposed: bool,
    more: Any,
    groups: int,
) -> np.ndarray:
    """Convolution, or its adjoint, summed over places and offsets one by one."""
    outputs, inputs = (w.shape[1] * groups, w.shape[0]) if transposed else (w.shape[0], w.shape[1] * groups)
    sizes = zip(a.shape[2:], w.shape[2:], stride, padding, dilation, more, strict=True)
    if transposed:
        shape = [(n - 1) * s - 2 * p + d * (k - 1) + m + 1 for n, k, s, p, d, m in sizes]
    else:
        shape = [(n + 2 * p - d * (k - 1) - 1) // s + 1 for n, k, s, p, d, _ in sizes]
    found = np.full((a.shape[0], outputs, *shape), 0, dtype=object)
    upper = a.shape[2:] if transposed else shape
    lower = shape if transposed else a.shape[2:]
    for place, offset in product(product(*map(range, upper)), product(*map(range, w.shape[2:]))):
        read = tuple(x * s - p + o * d for x, s, p, o, d in zip(place, stride, padding, offset, dilation, strict=True))
        if not all(0 <= x < n for x, n in zip(read, lower, strict=True)):
            continue
        source, target = (place, read) if transposed else (read, place)
        for group in range(groups):
            ins, outs = (slice(group * n // groups, (group + 1) * n // groups) for n in (inputs, outputs))
            weights: tuple[Any, ...] = (ins if transposed else outs, slice(None), *offset)
            kernel = w[weights]
            taken: tuple[Any, ...] = (slice(None), ins, *source)
            part = a[taken] @ (kernel if transposed else kernel.T)
            handed: tuple[Any, ...] = (slice(None), outs, *target)
            found[handed] += part
    return found if bias is None else found + bias.reshape(-1, *[1] * len(shape))


def slice_(a: np.ndarray, axis: int = 0, start: Any = None, end: Any = None, step: int = 1) -> np.ndarray:
    index = [slice(None)] * a.ndim
    index[axis] = slice(start, end, step)
    return a[tuple(index)]


def pad(a: np.ndarray, widths: Sequence[int], value: Any = 0) -> np.ndarray:
    """Zeros around the last axes; negative widths cut."""
    pairs = [(widths[i], widths[i + 1]) for i in range(0, len(widths), 2)][::-1]
    index: list[Any] = [
        slice(max(-lo, 0), n - max(-hi, 0)) for n, (lo, hi) in zip(a.shape[-len(pairs) :], pairs, strict=True)
    ]
    kept = a[(..., *index)]
    around = [(0, 0)] * (a.ndim - len(pairs)) + [(max(lo, 0), max(hi, 0)) for lo, hi in pairs]
    return np.pad(kept, around, constant_values=value or 0)


def scatter_add(a: np.ndarray, axis: int, index: np.ndarray, source: np.ndarray) -> np.ndarray:
    found = a.copy()
    for place in np.ndindex(*index.shape):
        target = list(place)
        target[axis] = index[place]
        found[tuple(target)] = found[tuple(target)] + source[place]
    return found


def reshaped(a: np.ndarray, shape: Sequence[int], *_: Any, **__: Any) -> np.ndarray:
    return a.reshape(shape)


def expanded(a: np.ndarray, shape: Sequence[int], **_: Any) -> np.ndarray:
    wide = [a.shape[i - len(shape)] if n == -1 else n for i, n in enumerate(shape)]
    return np.broadcast_to(a, wide)


def filled(value: Any) -> Callable:
    return lambda a, *shape, **_: np.full(shape[0] if shape else a.shape, value, dtype=object)


def chosen(a: np.ndarray, index: Sequence[Any]) -> np.ndarray:
    return a[tuple(slice(None) if i is None else i for i in index)]


def truth(x: np.ndarray) -> Any:
    """A number or a truth value for the code's own conditionals: False where symbols leave it open."""
    value = x.item()
    if isinstance(value, sympy.Expr) and not value.is_number:
        return False
    return value if isinstance(value, (int, bool)) else float(value)


def keep(a: np.ndarray, *_: Any, **__: Any) -> np.ndarray:
    return a.copy()


multiply, masked = each(lambda x, y: x * y, 2), each(lambda x, mask, value: where(mask, value, x), 3)
kept_where = each(lambda g, x, _: where(algebra.nonzero(x), g, 0), 3)
OPERATORS: dict[str, Callable] = {
    "add": scaled(np.add), "sub": scaled(np.subtract), "rsub": lambda x, y, alpha=1: np.asarray(y - alpha * x, dtype=object),
    "mul": multiply, "div": each(quotient, 2), "reciprocal": each(lambda x: quotient(1, x)), "neg": each(lambda x: -x),
    "abs": each(abs), "pow": lambda a, n: np.asarray(a**n, dtype=object), "square": each(lambda x: x * x),
    "gt": each(above, 2), "lt": each(lambda x, y: above(y, x), 2), "ge": each(lambda x, y: 1 - above(y, x), 2),
    "le": each(lambda x, y: 1 - above(x, y), 2), "ne": each(differs, 2), "eq": each(lambda x, y: 1 - differs(x, y), 2),
    "bitwise_and": multiply, "logical_and": multiply, "bitwise_not": each(lambda x: 1 - x),
    "logical_not": each(lambda x: 1 - x), "isfinite": each(lambda x: int(not is_none(x) and abs(x) != np.inf)),
    "all": lambda a, *axis, **_: np.asarray(np.multiply.reduce(a, axis=axis[0] if axis else None), dtype=object),
    "where": each(where, 3), "masked_fill": masked,
    "clamp": lambda a, low=None, high=None: each(clamp, 3)(a, low, high), "clamp_min": each(clamp, 2),
    "clamp_max": each(lambda x, high: clamp(x, None, high), 2), "relu": each(algebra.positive),
    "leaky_relu": each(lambda x, slope: algebra.positive(x) + slope * algebra.negative(x), 2),
    "threshold_backward": each(lambda g, x, t: where(above(x, t), g, 0), 3), "hardshrink_backward": kept_where,
    "copysign": each(lambda x, y: abs(x) * algebra.sign(y), 2), "sign": each(lambda x: algebra.step(x) - algebra.step(-x)),
    "sum": summed, "mm": lambda a, b: a @ b, "bmm": lambda a, b: a @ b, "addmm": lambda c, a, b: c + a @ b,
    "baddbmm": lambda c, a, b: c + a @ b, "mv": lambda a, b: a @ b,
    "t": lambda a: a.T, "transpose": lambda a, i, j: np.swapaxes(a, i, j), "permute": lambda a, axes: a.transpose(axes),
    "view": reshaped, "_unsafe_view": reshaped, "reshape": reshaped, "expand": expanded,
    "unsqueeze": lambda a, axis: np.expand_dims(a, axis if axis >= 0 else axis + a.ndim + 1),
    "squeeze": lambda a, axis=None: np.squeeze(a, axis), "slice": slice_, "flip": lambda a, axes: np.flip(a, axes),
    "select": lambda a, axis, i: np.asarray(np.take(a, i, axis), dtype=object), "index": chosen,
    "unbind": lambda a, axis=0: [np.asarray(np.take(a, i, axis), dtype=object) for i in range(a.shape[axis])],
    "split": lambda a, size, axis=0: np.split(a, range(size, a.shape[axis], size), axis),
    "cat": lambda parts, axis=0: np.concatenate(parts, axis), "stack": lambda parts, axis=0: np.stack(parts, axis),
    "constant_pad_nd": pad, "scatter_add": scatter_add, "convolution": convolution,
    "clone": keep, "detach": keep, "_to_copy": keep, "alias": keep, "contiguous": keep, "copy_": lambda a, b, *_: b,
    "new_zeros": filled(0), "new_ones": filled(1), "zeros_like": filled(0), "ones_like": filled(1), "zero_": filled(0),
    "new_empty": filled(NONE), "empty_like": filled(NONE), "fill_": lambda a, x: x,
    "new_full": lambda a, shape, value, **_: np.full(shape, value, dtype=object),
    "_local_scalar_dense": truth, "is_nonzero": truth, "item": truth, "lift_fresh": keep,
}  # fmt: skip
OPERATORS |= {
    f"{name}_": OPERATORS[name] for name in ("add", "sub", "mul", "div", "neg", "relu", "masked_fill", "scatter_add")
}
OPERATORS |= {"baddbmm_": OPERATORS["baddbmm"], "clamp.Tensor": partial(OPERATORS["clamp"])}
