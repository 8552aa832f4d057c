"""What is drawn: relevance and inputs as arrays, from explanations, tensors and arrays alike."""

from collections.abc import Mapping, Sequence
from numbers import Integral
from typing import Any, Literal

import numpy as np
from torch import Tensor

from dtd.errors import InputError, check_parameter

Channels = Literal["sum", "apart"]
Scale = Literal["each", "shared"]
MOST = 64  # samples of one figure
COLOURED = 3  # channels of a picture in colours


def relevance_of(out: Any, of: str | None = None, samples: Sequence[int] | None = None) -> np.ndarray:
    """Relevance as numbers: of an explanation, a tensor or an array. # shape: (B, *in)

    ``of`` names the input, where there are several. Raises :class:`InputError` for what is no relevance of at least one
    sample, is not finite, or has more samples than a figure can hold.
    """
    found = getattr(out, "relevance", out)
    if isinstance(found, Mapping):
        if of is None and len(found) > 1:
            raise InputError(f"'of' must name one of the explained inputs {', '.join(found)}; found none.")
        check_parameter(of is None or of in found, "of", f"one of {', '.join(found)}", repr(of))
        found = found[of] if of is not None else next(iter(found.values()))
    values = numbers("out", found)
    check_parameter(values.ndim >= 2 and len(values) > 0, "out", "relevance (B, …) of samples", shown_shape_of(values))
    if samples is not None:
        inside = all(isinstance(i, Integral) and 0 <= i < len(values) for i in samples) and len(samples) > 0
        check_parameter(inside, "samples", f"numbers of samples from 0 to {len(values) - 1}", samples)
        values = values[list(samples)]
    advice = f"at most {MOST} samples in one figure: choose some, samples=range({MOST})"
    check_parameter(len(values) <= MOST, "out", advice, f"{len(values)} samples")
    return values


def numbers(name: str, values: Any) -> np.ndarray:
    """A tensor or an array as finite numbers in double precision."""
    if isinstance(values, Tensor):
        values = values.detach().cpu().double()
    try:
        found = np.asarray(values, dtype=float)
    except (TypeError, ValueError) as error:
        raise InputError(f"'{name}' must be an explanation or numbers; found {type(values).__name__}.") from error
    check_parameter(bool(np.isfinite(found).all()), name, "finite", "NaN or infinity")
    return found


def shown_shape_of(values: np.ndarray) -> str:
    """A shape in a message."""
    return f"an array of shape {values.shape}"


def images_of(values: np.ndarray, shape: Sequence[int] | None, channels: Channels) -> np.ndarray:
    """Relevance as images. # shape: (B, H, W), (B, C, H, W), or (B, *) with the ``shape`` of a sample -> (B, K, H, W)"""
    check_parameter(channels in ("sum", "apart"), "channels", "'sum' or 'apart'", repr(channels))
    values = in_shape(values, shape)
    fits = values.ndim in (3, 4)
    required = "relevance (B, H, W) or (B, C, H, W); give another sample's shape=(C, H, W), or choose another kind"
    check_parameter(fits, "out", required, shown_shape_of(values))
    values = values[:, None] if values.ndim == 3 else values
    return values.sum(1, keepdims=True) if channels == "sum" else values


def pictures_of(picture: Any, shape: Sequence[int] | None, images: np.ndarray, samples: Sequence[int] | None) -> np.ndarray:
    """Inputs to be seen, between 0 and 1: three channels in colours, else the mean. # shape: (B, H, W) or (B, H, W, 3)"""
    found = in_shape(numbers("picture", picture), shape)
    found = found[list(samples)] if samples is not None and found.ndim > 1 else found
    found = found[:, None] if found.ndim == 3 else found
    fits = found.ndim == 4 and len(found) == len(images) and found.shape[2:] == images.shape[2:]
    expected = f"the {len(images)} inputs as images of {' × '.join(map(str, images.shape[2:]))} pixels"
    check_parameter(fits, "picture", expected, shown_shape_of(found))
    coloured = found.shape[1] == COLOURED
    return np.stack([in_range(np.moveaxis(one, 0, -1) if coloured else one.mean(0)) for one in found])


def in_shape(values: np.ndarray, shape: Sequence[int] | None) -> np.ndarray:
    """Samples in a shape of their own."""
    if shape is None:
        return values
    size = int(np.prod(values.shape[1:]))
    check_parameter(int(np.prod(shape)) == size, "shape", f"a shape of {size} entries", tuple(shape))
    return values.reshape(len(values), *shape)


def in_range(image: np.ndarray) -> np.ndarray:
    """An image as it is where it lies between 0 and 1; a wider range is made that."""
    low, high = min(image.min(), 0.0), max(image.max(), 1.0)
    return (image - low) / (high - low)


def limit_of(values: np.ndarray, scale: Scale | float) -> float | None:
    """Where a colour scale that is shared ends; None where each sample has its own."""
    if scale == "each":
        return None
    if scale == "shared":
        return float(np.abs(values).max()) or 1.0
    number = isinstance(scale, (int, float)) and not isinstance(scale, bool) and 0 < scale < float("inf")
    check_parameter(number, "scale", "'each', 'shared' or a positive number", repr(scale))
    return float(scale)


def check_level(level: Any) -> None:
    """Raise :class:`InputError` for a level that is not a positive number."""
    holds = isinstance(level, (int, float)) and not isinstance(level, bool) and 0 < level < float("inf")
    check_parameter(holds, "level", "a positive number", repr(level))


def given_names(names: Sequence[str] | None, count: int, what: str = "names") -> list[str]:
    """Names of samples; numbers where none are given, and nothing where there is one."""
    if names is None:
        return [""] if count == 1 else [str(i) for i in range(count)]
    fits = not isinstance(names, str) and len(names) == count
    check_parameter(fits, what, f"{count} names", repr(names) if isinstance(names, str) else len(names))
    return [str(name) for name in names]
