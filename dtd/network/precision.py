"""Half precision: a model's bfloat16 and float16 numbers, read as the float32 numbers that they are.

Denominators that nearly cancel lose all digits in half precision, so relevance is computed in float32 throughout. The
conversion is exact, since float32 holds every bfloat16 and every float16 number.
"""

import copy
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from dtd.errors import TraceError, UnsupportedOp

HALF = (torch.bfloat16, torch.float16)


def wide(tensor: Tensor) -> Tensor:
    """A tensor in half precision as float32; any other as it is."""
    return tensor.float() if tensor.dtype in HALF else tensor


def floating(model: nn.Module) -> Iterator[Tensor]:
    """The floating-point parameters and buffers of a model."""
    return (t for t in (*model.parameters(), *model.buffers()) if t.is_floating_point())


def half_of(model: nn.Module) -> torch.dtype | None:
    """The coarsest dtype in half precision among a model's parameters and buffers; None where there is none."""
    found = {t.dtype for t in floating(model)}
    return next((dtype for dtype in HALF if dtype in found), None)


def in_float32(model: nn.Module) -> nn.Module:
    """A copy of a model whose half-precision tensors are float32; the model itself where no parameter or buffer is one."""
    if half_of(model) is None:
        return model
    try:
        made = copy.deepcopy(model)._apply(wide)
    except Exception as error:
        raise TraceError(
            f"A model in half precision is traced from a float32 copy, and {type(model).__name__} cannot be copied: "
            f"{error}. Trace model.float(), which changes the model, or make it copyable (copy.deepcopy)."
        ) from error
    for module in made.modules():
        vars(module).update({name: wide(value) for name, value in vars(module).items() if isinstance(value, Tensor)})
    return made


@contextmanager
def said_of(made: nn.Module, model: nn.Module) -> Iterator[None]:
    """Errors of the trace of a copy that was ``made`` of a model in half precision say that it is one."""
    try:
        yield
    except TraceError as error:
        if made is model or isinstance(error, UnsupportedOp):
            raise
        raise TraceError(
            f"{error} This was found on the float32 copy that a model in half precision is traced from: code that makes "
            f"{half_of(model)} numbers by itself does not fit there. Take the dtype from a weight (x.to(self.weight.dtype))."
        ) from error


def current(model: nn.Module) -> dict[str, Tensor]:
    """A model's parameters and buffers by name, those in half precision as float32.

    Tied ones stand under each of their names and are converted once; converted ones are ordinary tensors in
    ``torch.inference_mode`` too.
    """
    parameters = model.named_parameters(remove_duplicate=False)
    named = {**dict(parameters), **dict(model.named_buffers(remove_duplicate=False))}
    gradients = torch.is_grad_enabled()
    with torch.inference_mode(False), torch.set_grad_enabled(gradients):
        found = {id(tensor): wide(tensor) for tensor in named.values()}
    return {name: found[id(tensor)] for name, tensor in named.items()}


def as_taken(model: nn.Module, leaves: Iterable[Tensor]) -> list[Tensor]:
    """Inputs in the precision that a model takes them in: that of its first parameter, where it is in half precision."""
    first = next(floating(model), None)
    if first is None or first.dtype not in HALF:
        return list(leaves)
    return [leaf.to(first.dtype) if leaf.is_floating_point() else leaf for leaf in leaves]
