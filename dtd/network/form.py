"""What of a model a trace depends on beside the values of its tensors, and in which words it changed."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.modules import module as everywhere

from dtd.errors import StaleError
from dtd.network.frozen import Same, frozen, mentioned
from dtd.network.precision import HALF, floating

OWN = frozenset(vars(nn.Module()))  # attributes that every module has


class Key(NamedTuple):
    """One thing about a model: of a module (by path) or of the model as a whole."""

    kind: str
    path: str
    name: str = ""


def is_users_kind(kind: type) -> bool:
    """Whether a class is none of torch's own layers."""
    return not kind.__module__.startswith("torch.nn")


def global_hooks() -> tuple[Any, ...]:
    """Hooks on the forward pass of all modules."""
    return (*everywhere._global_forward_pre_hooks.values(), *everywhere._global_forward_hooks.values())


def attributes(module: nn.Module) -> Iterator[tuple[str, Any]]:
    """A module's attributes beside those that every module has."""
    return ((name, value) for name, value in vars(module).items() if name not in OWN)


def hooks(module: nn.Module) -> tuple[Any, ...]:
    """The hooks on a module's forward pass."""
    return (*module._forward_pre_hooks.values(), *module._forward_hooks.values())


def foreign_bases(kind: type) -> list[type]:
    """A class and its bases, as far as they are not torch's."""
    return [base for base in kind.__mro__ if is_users_kind(base) and base is not object]


def class_values(kind: type) -> dict[str, Any]:
    """What a class that is not torch's, and its bases, define."""
    bases = reversed(foreign_bases(kind))
    return {name: value for base in bases for name, value in vars(base).items() if not name.startswith("__")}


def parts_of(model: nn.Module) -> Iterator[tuple[Key, Any]]:
    """Everything that a trace depends on, but for tensors' values."""
    modules = list(model.named_modules())
    kinds = {type(module) for _, module in modules}
    names = {kind: mentioned(kind) for kind in kinds}
    asked = any("training" in names[kind] for kind in kinds if is_users_kind(kind))
    yield Key("all modules", ""), frozen(global_hooks())
    for path, module in modules:
        yield Key("class", path), type(module)
        yield Key("children", path), tuple(module._modules)
        yield Key("hooks", path), frozen(hooks(module))
        if asked or "training" in names[type(module)]:
            yield Key("training", path), module.training
        for name, value in attributes(module):
            yield Key("attribute", path, name), frozen(value)
        for name, value in class_values(type(module)).items():
            yield Key("class attribute", path, name), frozen(value)
    yield from tensor_parts(model)


def tensor_parts(model: nn.Module) -> Iterator[tuple[Key, Any]]:
    """Of parameters and buffers: shapes, which are tied, and dtypes and devices that differ from the first one's."""
    first: dict[int, str] = {}
    like: Tensor | None = None
    parameters = model.named_parameters(remove_duplicate=False)
    for name, tensor in (*parameters, *model.named_buffers(remove_duplicate=False)):
        path, _, own = name.rpartition(".")
        yield Key("shape", path, own), tuple(tensor.shape)
        tied = first.setdefault(id(tensor), name)
        if tied != name:
            yield Key("tied", path, own), tied
        if tensor.is_floating_point():
            like = tensor if like is None else like
            if (tensor.dtype, tensor.device) != (like.dtype, like.device):
                yield Key("dtype", path, own), "another dtype or device than the model's first"
        if tensor.is_meta:
            yield Key("dtype", path, own), "no values (device meta)"


@dataclass(frozen=True, eq=False)
class Form:
    """A model's classes, hooks, modes, attributes and tensors' shapes at one moment.

    ``written`` are those that the model's own forward pass writes; they may differ. ``names`` are what its classes have
    or their code mentions: a new attribute counts where it is among them.
    """

    parts: Mapping[Key, Any]
    names: frozenset[str]
    written: frozenset[Key] = frozenset()
    constants: bool = False

    @classmethod
    def of(cls, model: nn.Module) -> "Form":
        """The model as it is now."""
        kinds = {type(module) for module in model.modules()}
        names = set().union(*(mentioned(kind) | set(dir(kind)) for kind in kinds))
        return cls(dict(parts_of(model)), frozenset(names))

    def settled(self, run: nn.Module, live: nn.Module, constants: bool, between: Mapping[Key, Any]) -> "Form":
        """The form of the ``live`` model after it, or a copy of it, has ``run``.

        The forward pass writes what is different now, or was ``between`` two runs.
        ``constants``: the trace holds numbers that were made in the model's dtype on its device, which then must not change.
        """
        now = self.now(run, constants)
        keys = {key for key in (*self.parts, *between, *now) if key.kind in ("attribute", "shape")}
        written = frozenset(k for k in keys for parts in (self.parts, between) if (parts.get(k),) != (now.get(k),))
        return replace(self, parts=self.now(live, constants), written=written, constants=constants)

    def now(self, model: nn.Module, constants: bool) -> dict[Key, Any]:
        """Everything as it is now."""
        found = dict(parts_of(model))
        first = next(floating(model), None) if constants else None
        if first is None:
            return found
        return found | {Key("number", ""): (torch.float32 if first.dtype in HALF else first.dtype, first.device)}

    def check(self, model: nn.Module) -> None:
        """Raise :class:`StaleError` where the model is another one than was traced, but for the values of its tensors."""
        changed = self.change(model)
        if changed:
            raise StaleError(
                f"The model changed after it was traced: {changed}. Trace it as it is now, network = "
                "network.retrace(network.model), or change it back."
            )

    def change(self, model: nn.Module) -> str:
        """What is different, in words; empty where nothing is."""
        now = self.now(model, self.constants)
        for key in (*self.parts, *(key for key in now if key not in self.parts)):
            if key in self.written or (key in self.parts and key in now and (self.parts[key],) == (now[key],)):
                continue
            if key in self.parts or key.kind not in ("attribute", "shape") or key.name in self.names:
                return said(key, self.parts, now)
        return ""


def said(key: Key, before: Mapping[Key, Any], now: Mapping[Key, Any]) -> str:
    """One difference in words."""
    kind, path, name = key
    module = f"module '{path}'" if path else "the model itself"
    full = f"'{path}.{name}'" if path else f"'{name}'"
    was, found = (short(parts.get(key, "missing")) for parts in (before, now))
    said_of = {
        "all modules": "the hooks on all modules changed",
        "hooks": f"the forward hooks of {module} changed",
        "training": f"{module} was in {mode(was)} and is in {mode(found)}",
        "children": f"the children of {module} were {was} and are {found}",
        "shape": f"the shape of {full} was {was} and is {found}",
        "number": f"its numbers were {was} and are {found}, and its code makes others of its own in the first of these",
        "tied": f"{full} was one tensor with {was}, and is {'with ' + found if key in now else 'a tensor of its own'}",
        "dtype": f"{full} has {found}" if key in now else f"{full} had another dtype or device than the model's first",
    }
    return said_of.get(kind, f"the {kind}{f' {name!r}' if name else ''} of {module} was {was} and is {found}")


def mode(training: str) -> str:
    """A mode's name."""
    return {"True": "training mode", "False": "evaluation mode"}.get(training, training)


def short(value: Any) -> str:
    """A value in a message, short."""
    if isinstance(value, tuple) and value and isinstance(value[0], Same) and isinstance(value[0].held, Tensor):
        return f"a tensor of shape {tuple(value[0].held.shape)}"
    text = value.__name__ if isinstance(value, type) else re.sub(r" at 0x[0-9a-f]+", "", str(value))
    return text if len(text) < 80 else text[:77] + "…"
