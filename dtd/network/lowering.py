"""From an exported graph to layers: walks the nodes and keeps track of what each one is."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor
from torch.fx import Node

from dtd.domain import Domain
from dtd.errors import DTDError, UnsupportedOp
from dtd.op import Op
from dtd.propagation import Layer

Handler = Callable[..., "Ref | tuple[Ref, ...]"]


@dataclass(frozen=True)
class Ref:
    """A value of the graph that depends on the input: the output of layer ``index`` (−1: the input itself)."""

    index: int
    shape: tuple[int, ...]
    domain: Domain


@dataclass(frozen=True)
class Symbolic:
    """A number that depends on the batch size."""


@dataclass
class Lowering:
    """Layers so far, and what the handlers of ops need to add one."""

    handlers: dict[Any, Handler]
    advice: Callable[[str], str]
    modules: frozenset[str]  # paths of torch's own layers, which lend their path as a name
    owners: dict[int, str]  # id of a parameter -> path of its module
    like: Tensor  # dtype and device of the network
    layers: list[Layer] = field(default_factory=list)
    uses: dict[str, int] = field(default_factory=dict)

    def run(self, node: Node, env: dict[Node, Any]) -> Any:
        """The value of one call: a constant, a :class:`Ref`, or a tuple of them."""
        args, kwargs = torch.fx.node.map_arg((node.args, dict(node.kwargs)), lambda n: env[n])
        values = list(flatten([args, kwargs]))
        if node.target is torch.ops.aten.sym_size.int:
            return Symbolic()
        if any(isinstance(v, Ref) for v in values):
            handler = self.handlers.get(node.target)
            if handler is None:
                raise UnsupportedOp(str(node.target), self.path(node), self.advice(str(node.target)))
            try:
                return handler(self, node, *args, **kwargs)
            except DTDError:
                raise
            except Exception as error:
                raise self.unsupported(node, f"Its arguments have no reading here ({error}).") from error
        if torch.Tag.nondeterministic_seeded in getattr(node.target, "tags", ()):
            raise self.unsupported(node, "It draws random numbers; make them a buffer of the model.")
        if any(isinstance(v, Symbolic) for v in values):
            if isinstance(node.meta.get("val"), Tensor):
                raise UnsupportedOp(str(node.target), self.path(node), "It makes a constant that depends on the batch size.")
            return Symbolic()
        return node.target(*args, **kwargs)

    def unsupported(self, node: Node, advice: str) -> UnsupportedOp:
        """The error for an op that is known, used in a way that is not."""
        return UnsupportedOp(str(node.target), self.path(node), advice)

    def path(self, node: Node) -> str:
        """The module path of a node."""
        stack = [path for path, _ in (node.meta.get("nn_module_stack") or {}).values() if isinstance(path, str)]
        return stack[-1].split("@")[0] if stack and not stack[-1].startswith("_empty_") else ""

    def shape(self, node: Node, value: Any = None) -> tuple[int, ...]:
        """Shape of one sample of a node's output, batch axis dropped."""
        value = node.meta["val"] if value is None else value
        batch, *shape = value.shape
        if not all(isinstance(n, int) for n in shape) or isinstance(batch, int) or not is_plain_symbol(batch):
            raise self.unsupported(
                node,
                f"Its output has shape {tuple(value.shape)}: the first axis must be the batch, and no other may "
                "depend on it. Keep samples apart along the first axis, or keep the module that does this in one piece: "
                "trace(…, opaque=[TheModule]) and dtd.Generic for it (docs/generic.md).",
            )
        return tuple(shape)

    def emit(
        self,
        node: Node,
        kind: str,
        op: Op,
        inputs: tuple[Ref, ...],
        *,
        image: Domain | None = None,
        domain: Domain | None = None,
        weight: Tensor | None = None,
        shape: tuple[int, ...] | None = None,
        path: str | None = None,
    ) -> Ref:
        """Add a layer and return its output; ``weight`` marks a layer whose weights a plan must speak for.

        ``path`` is the module's, where the node's own is another.
        """
        domain = domain or inputs[0].domain
        if image is None:
            image = op.image(domain)
        path = (self.owners.get(id(weight)) or self.path(node)) if path is None else path
        whole = bool(path) and path in self.modules and kind not in ("pad", "expand")
        shape = self.shape(node) if shape is None else shape
        self.layers.append(
            Layer(
                name=self.unique(path if whole else ".".join(filter(None, (path, kind)))),
                path=path,
                kind=kind,
                op=op,
                inputs=tuple(ref.index for ref in inputs),
                shape=shape,
                domain=domain,
                image=image,
                weighted=weight is not None or kind in ("batch_norm", "opaque"),
            )
        )
        return Ref(len(self.layers) - 1, shape, image)

    def unique(self, name: str) -> str:
        """The name itself at its first use, ``name@2`` at the second."""
        self.uses[name] = self.uses.get(name, 0) + 1
        return name if self.uses[name] == 1 else f"{name}@{self.uses[name]}"


def is_plain_symbol(size: Any) -> bool:
    """Whether a symbolic size is the batch size itself."""
    return isinstance(size, torch.SymInt) and size.node.expr.is_symbol


def flatten(value: Any):
    """The leaves of nested lists, tuples and dicts."""
    if isinstance(value, (list, tuple)):
        for v in value:
            yield from flatten(v)
    elif isinstance(value, dict):
        yield from flatten(list(value.values()))
    else:
        yield value
