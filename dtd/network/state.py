"""Whether a model is still the one that was looked at."""

from dataclasses import dataclass

from torch import Tensor, nn


def version(tensor: Tensor) -> int:
    """How often a tensor was written to, as far as torch counts it."""
    return 0 if tensor.is_inference() else tensor._version


@dataclass(frozen=True, eq=False)
class Snapshot:
    """A model's modules, parameters and buffers at one moment; asking whether they still hold costs a few look-ups each."""

    modules: tuple[tuple[dict, str, nn.Module | None], ...]  # where each is found
    tensors: tuple[tuple[dict, str, Tensor | None, int, int], ...]  # and its place in memory and version
    sizes: tuple[tuple[dict, int], ...]

    @classmethod
    def of(cls, model: nn.Module) -> "Snapshot":
        """The model as it is now."""
        tables = [(m._modules, m._parameters, m._buffers) for m in model.modules()]
        modules = [(children, name, child) for children, _, _ in tables for name, child in children.items()]
        found = [(own, name, t) for _, *both in tables for own in both for name, t in own.items()]
        tensors = [(own, name, t, *((0, 0) if t is None else (t.data_ptr(), version(t)))) for own, name, t in found]
        return cls(tuple(modules), tuple(tensors), tuple((own, len(own)) for table in tables for own in table))

    def holds(self) -> bool:
        """Whether nothing was replaced, added, moved or written to."""
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
