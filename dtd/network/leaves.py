"""Inputs of a model: their tensors, what they are called, and which of them are explained."""

import inspect
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils import _pytree as pytree

from dtd.errors import InputError
from dtd.network.precision import wide

Inputs = Tensor | tuple | list | Mapping[str, Any]


@dataclass(frozen=True)
class Signature:
    """How inputs are given: one tensor, a tuple of arguments, or a mapping of keyword arguments.

    ``names`` are those of the tensors among them (``states.0`` inside an argument ``states``), in order.
    """

    names: tuple[str, ...]
    spec: Any  # of (args, kwargs)
    fixed: tuple[tuple[int, Any], ...]  # leaves that are no tensors, with their places
    alone: bool  # one tensor, not in a tuple
    keywords: tuple[str, ...] | None  # of a mapping

    @classmethod
    def of(cls, model: nn.Module, inputs: Inputs) -> tuple["Signature", list[Tensor]]:
        """The signature of example inputs, and their tensors."""
        if isinstance(inputs, (tuple, list)) and len(inputs) == 1 and isinstance(inputs[0], Tensor):
            (inputs,) = inputs
        alone = isinstance(inputs, Tensor)
        mapping = isinstance(inputs, Mapping)
        if not alone and not mapping and not isinstance(inputs, (tuple, list)):
            raise InputError(
                "'inputs' must be a tensor, a tuple of the model's arguments, or a mapping of its keyword arguments; found "
                f"{type(inputs).__name__}."
            )
        call = ((), dict(inputs)) if mapping else (((inputs,) if alone else tuple(inputs)), {})
        leaves, spec = pytree.tree_flatten_with_path(call)
        parameters = parameter_names(model, len(call[0]))
        tensors, names, fixed = [], [], []
        for place, (path, leaf) in enumerate(leaves):
            if isinstance(leaf, Tensor):
                names.append("input" if alone else leaf_name(path, parameters))
                tensors.append(plain(names[-1], leaf))
            else:
                fixed.append((place, leaf))
        if not tensors:
            raise InputError("'inputs' must hold at least one tensor; found none.")
        return cls(tuple(names), spec, tuple(fixed), alone, tuple(inputs) if mapping else None), tensors

    def call(self, tensors: Collection[Tensor]) -> tuple[tuple, dict]:
        """Positional and keyword arguments of the model."""
        fixed, following = dict(self.fixed), iter(tensors)
        count = len(fixed) + len(self.names)
        leaves = [fixed[place] if place in fixed else next(following) for place in range(count)]
        return pytree.tree_unflatten(leaves, self.spec)

    def structured(self, tensors: Collection[Tensor]) -> Inputs:
        """Inputs with these tensors, as they are given."""
        args, kwargs = self.call(tensors)
        return kwargs if self.keywords is not None else args[0] if self.alone else args

    def tensors(self, inputs: Inputs) -> list[Tensor]:
        """The tensors of inputs of the same structure; raises :class:`InputError` for inputs of another."""
        if self.alone:
            if isinstance(inputs, (tuple, list)) and len(inputs) == 1:
                (inputs,) = inputs
            if isinstance(inputs, Mapping) and tuple(inputs) == self.names:
                inputs = inputs[self.names[0]]
            return [plain("input", inputs)]
        if self.keywords is not None:
            if not isinstance(inputs, Mapping):
                given = type(inputs).__name__
                raise InputError(
                    f"The inputs must be a mapping with {', '.join(self.keywords)}, as traced; found a {given}."
                )
            missing = [name for name in self.keywords if name not in inputs]
            unknown = [name for name in inputs if name not in self.keywords]
            if missing or unknown:
                found = "; ".join(
                    f"{what}: {', '.join(map(str, names))}"
                    for what, names in (("missing", missing), ("unknown", unknown))
                    if names
                )
                raise InputError(f"The inputs must be {', '.join(self.keywords)}, as traced ({found}).")
            call = ((), {name: inputs[name] for name in self.keywords})
        else:
            if not isinstance(inputs, (tuple, list)):
                raise InputError(
                    f"The inputs must be a tuple with {', '.join(self.names)}, as traced; found a {type(inputs).__name__}."
                )
            call = (tuple(inputs), {})
        leaves, spec = pytree.tree_flatten(call)
        if spec != self.spec:
            raise InputError(f"The inputs must have the structure that was traced ({', '.join(self.names)}); found another.")
        fixed = dict(self.fixed)
        for place, value in fixed.items():
            if isinstance(leaves[place], Tensor) or leaves[place] != value:
                raise InputError(
                    f"The inputs were traced with {value!r} in place {place}, which is fixed; found another value."
                )
        left = (leaf for place, leaf in enumerate(leaves) if place not in fixed)
        tensors = [plain(name, leaf) for name, leaf in zip(self.names, left, strict=True)]
        for name, tensor in zip(self.names, tensors, strict=True):
            if not isinstance(tensor, Tensor):
                raise InputError(f"'{name}' must be a tensor; found {type(tensor).__name__}.")
        return tensors


def plain(name: str, tensor: Any) -> Any:
    """A tensor as an ordinary one: of a subclass that only wears a name, its values; in half precision, as float32.

    Anything but a tensor is left as it is.

    Raises :class:`InputError` for a tensor whose numbers are not there one by one: sparse, nested, quantised or masked, on
    ``meta``, or inside a transform of ``torch.func``.
    """
    kind = type(tensor)
    if not isinstance(tensor, Tensor):
        return tensor
    if kind is not Tensor and kind is not nn.Parameter:
        if kind.__torch_dispatch__ is not Tensor.__torch_dispatch__:
            raise not_plain(name, f"a {kind.__name__}")
        with torch._C.DisableTorchFunctionSubclass():
            tensor = tensor.as_subclass(Tensor)
    if torch._C._functorch.is_functorch_wrapped_tensor(tensor):
        raise not_plain(name, "one inside a transform of torch.func, which an explanation cannot be a part of")
    if tensor.layout != torch.strided or tensor.is_nested or tensor.is_quantized or tensor.is_meta:
        what = "on the device meta" if tensor.is_meta else "nested" if tensor.is_nested else f"{tensor.layout}"
        raise not_plain(name, "quantised" if tensor.is_quantized else what)
    return wide(tensor)


def not_plain(name: str, found: str) -> InputError:
    """The error for a tensor that is not an ordinary one."""
    called = "The input" if name == "input" else f"'{name}'"
    return InputError(
        f"{called} must be an ordinary dense tensor with values; found {found}. "
        "Give its numbers as one: x.to_dense(), for example."
    )


def parameter_names(model: nn.Module, count: int) -> list[str]:
    """Names of the first ``count`` positional parameters of ``forward``."""
    names: list[str] = []
    for parameter in inspect.signature(model.forward).parameters.values():
        if parameter.kind is parameter.VAR_POSITIONAL:
            names += [f"{parameter.name}.{i}" for i in range(count - len(names))]
        elif parameter.kind is not parameter.VAR_KEYWORD and parameter.kind is not parameter.KEYWORD_ONLY:
            names.append(parameter.name)
    return names + [f"argument.{i}" for i in range(len(names), count)]


def leaf_name(path: tuple, parameters: list[str]) -> str:
    """The name of a leaf of ``(args, kwargs)``."""
    kind, first, *rest = (getattr(key, "idx", getattr(key, "key", getattr(key, "name", key))) for key in path)
    return ".".join([parameters[first] if kind == 0 else str(first), *map(str, rest)])


def check_names(what: str, names: Collection[str], known: Collection[str]) -> None:
    """Raise for a name that no input has."""
    unknown = [name for name in names if name not in known]
    if unknown:
        raise InputError(f"'{what}' names {', '.join(map(str, unknown))}; the inputs are {', '.join(known)}.")


def single(name: str, tensor: Tensor, batched: bool) -> Tensor:
    """The first sample of an example input, with its batch axis of 1."""
    if not batched:
        return tensor.detach().clone()
    if tensor.ndim < 1 or not len(tensor):
        raise InputError(
            f"The example input '{name}' must have a batch axis and at least one sample; found shape {tuple(tensor.shape)}. "
            f"For an input without one, name it: trace(…, unbatched=('{name}',))."
        )
    return tensor[:1].detach().clone()


def is_explainable(tensor: Tensor) -> bool:
    """Whether a tensor holds floating-point numbers."""
    return tensor.dtype in (torch.float32, torch.float64)
