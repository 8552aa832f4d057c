"""Whether a model is still the one that was looked at."""

from collections.abc import Collection
from dataclasses import dataclass
from operator import is_
from typing import Any

from torch import Tensor, nn

from dtd.errors import TraceError
from dtd.network.capture import WRITES
from dtd.network.form import Key, attributes, foreign_bases, global_hooks, hooks
from dtd.network.frozen import PLAIN, frozen, version

MISSING = object()


@dataclass(frozen=True, eq=False)
class Snapshot:
    """A model's modules, parameters, buffers, hooks, modes and attributes at one moment.

    Asking whether they still hold costs a few look-ups each; no tensor is read.
    """

    modules: tuple[tuple[dict, str, nn.Module | None], ...]  # where each is found
    tensors: tuple[tuple[dict, str, Tensor | None, int, int], ...]  # and its place in memory and version
    sizes: tuple[tuple[dict, int], ...]
    kinds: tuple[tuple[nn.Module, type, bool, tuple[Any, ...]], ...]  # class, mode and hooks of each module
    named: tuple[tuple[dict, tuple[str, ...], tuple[Any, ...]], ...]  # attributes, the very objects
    mutable: tuple[tuple[Any, Any], ...]  # attributes that may change inside, and what they were
    classes: tuple[tuple[type, tuple[Any, ...]], ...]  # what classes define
    everywhere: tuple[Any, ...]  # hooks of all modules

    @classmethod
    def of(cls, model: nn.Module, written: Collection[Key] = ()) -> "Snapshot":
        """The model as it is now; attributes that its forward pass has ``written`` may change."""
        paths = {module: path for path, module in model.named_modules()}
        tables = [(m._modules, m._parameters, m._buffers) for m in paths]
        modules = [(children, name, child) for children, _, _ in tables for name, child in children.items()]
        found = [(own, name, t) for _, *both in tables for own in both for name, t in own.items()]
        tensors = [(own, name, t, *((0, 0) if t is None else (t.data_ptr(), version(t)))) for own, name, t in found]
        sizes = [(own, len(own)) for table in tables for own in table] + [(vars(m), len(vars(m))) for m in paths]
        kinds = [(m, type(m), m.training, hooks(m)) for m in paths]
        held = [
            (vars(m), {n: v for n, v in attributes(m) if Key("attribute", path, n) not in written})
            for m, path in paths.items()
        ]
        inside = {id(v): v for _, own in held for v in own.values() if not isinstance(v, PLAIN)}
        classes = {base: tuple(vars(base).values()) for kind in {type(m) for m in paths} for base in foreign_bases(kind)}
        return cls(
            tuple(modules),
            tuple(tensors),
            tuple(sizes),
            tuple(kinds),
            tuple((own, tuple(values), tuple(values.values())) for own, values in held if values),
            tuple((value, frozen(value)) for value in inside.values() if not is_settled(value)),
            tuple(classes.items()),
            global_hooks(),
        )

    def holds(self) -> bool:
        """Whether nothing was replaced, added, moved or written to."""
        return self.tensors_hold() and self.modules_hold()

    def tensors_hold(self) -> bool:
        """Whether the modules and their parameters and buffers are the same, in place and version."""
        for own, size in self.sizes:
            if len(own) != size:
                return False
        for children, name, child in self.modules:
            if children.get(name) is not child:
                return False
        for own, name, tensor, pointer, count in self.tensors:
            if own.get(name) is not tensor:
                return False
            if tensor is not None and (tensor.data_ptr() != pointer or version(tensor) != count):
                return False
        return True

    def modules_hold(self) -> bool:
        """Whether classes, modes, hooks and attributes are the same."""
        for module, kind, training, hooked in self.kinds:
            if type(module) is not kind or module.training != training:
                return False
            if (hooked or module._forward_hooks or module._forward_pre_hooks) and not are_same(hooks(module), hooked):
                return False
        for own, names, values in self.named:
            for name, value in zip(names, values, strict=True):
                found = own.get(name, MISSING)  # torch.export puts equal values in place of some
                if found is not value and (frozen(found),) != (frozen(value),):
                    return False
        if not all(are_same(tuple(vars(kind).values()), values) for kind, values in self.classes):
            return False
        return are_same(global_hooks(), self.everywhere) and all((frozen(value),) == (was,) for value, was in self.mutable)


def are_same(found: tuple[Any, ...], expected: tuple[Any, ...]) -> bool:
    """Whether these are the very same objects."""
    return len(found) == len(expected) and all(map(is_, found, expected))


def is_settled(value: Any) -> bool:
    """Whether a value can never change inside."""
    return isinstance(value, PLAIN) or (isinstance(value, tuple) and all(map(is_settled, value)))


def check_unwritten(before: Snapshot) -> None:
    """Raise :class:`TraceError` where a model's parameters or buffers changed while it was run."""
    if not before.tensors_hold():
        raise TraceError(WRITES.format(""))
