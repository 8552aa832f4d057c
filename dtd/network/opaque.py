"""Modules kept in one piece: the part of the exported graph that a module's call made, as one function."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

import torch
from torch import Tensor, nn
from torch.fx import Node

from dtd.domain import Real, hull
from dtd.errors import InputError
from dtd.network.images import stacked
from dtd.network.lowering import Lowering, Ref, Symbolic
from dtd.primitive import Opaque

Chosen = Sequence[type[nn.Module] | str]
Call = tuple[str, tuple[Node, ...]]  # a module's path and the nodes that one call of it made


def chosen_paths(model: nn.Module, opaque: Chosen) -> frozenset[str]:
    """Paths of the modules of the given types, or with a path that matches a glob."""
    paths = set()
    for wanted in opaque:
        found = {
            path
            for path, module in model.named_modules()
            if (fnmatchcase(path, wanted) if isinstance(wanted, str) else isinstance(module, wanted))
        }
        if not found:
            name = wanted if isinstance(wanted, str) else wanted.__name__
            raise InputError(f"'opaque' must name modules of the model, by type or path; it has none like '{name}'.")
        paths |= found
    return frozenset(paths)


def calls(nodes: Iterable[Node], paths: frozenset[str]) -> dict[Node, Call]:
    """The calls of the chosen modules (of the outermost one, where they nest), each at its last node."""
    members: dict[tuple[str, str], list[Node]] = {}  # by call (a module's second one has a key of its own) and path
    for node in nodes:
        if node.op == "call_function":
            stack = [(key, entry[0]) for key, entry in (node.meta.get("nn_module_stack") or {}).items()]
            outermost = next(((key, path) for key, path in stack if path in paths), None)
            if outermost is not None:
                members.setdefault(outermost, []).append(node)
    return {made[-1]: (path, tuple(made)) for (_, path), made in members.items()}


@dataclass(frozen=True, eq=False)
class Part:
    """A part of a graph as a function of the activations that enter it; constants are those of the moment."""

    nodes: tuple[Node, ...]
    inputs: tuple[Node, ...]
    sizes: tuple[Node, ...]  # the batch size, taken outside
    constants: Mapping[Node, Any]
    output: Node

    def __call__(self, *activations: Tensor) -> Tensor:
        env = {**self.constants, **dict(zip(self.inputs, activations, strict=True))}
        env.update(dict.fromkeys(self.sizes, activations[0].shape[0]))
        for node in self.nodes:
            args, kwargs = torch.fx.node.map_arg((node.args, dict(node.kwargs)), env.__getitem__)
            env[node] = node.target(*args, **kwargs)
        return env[self.output]


def lower(low: Lowering, call: Call, env: dict[Node, Any]) -> None:
    """Add one call as a layer of kind ``opaque``; a call without activations is a constant."""
    path, nodes = call
    inside = set(nodes)
    outputs = [n for n in nodes if any(user not in inside for user in n.users)]
    if any(torch.Tag.nondeterministic_seeded in getattr(n.target, "tags", ()) for n in nodes):
        raise low.unsupported(nodes[-1], "It draws random numbers; make them a buffer of the model.")
    if len(outputs) != 1 or not isinstance(outputs[0].meta.get("val"), Tensor):
        raise low.unsupported(nodes[-1], f"An opaque module must return one tensor; '{path}' returns {len(outputs)} values.")
    outside = list(dict.fromkeys(n for node in nodes for n in node.all_input_nodes if n not in inside))
    refs = tuple(n for n in outside if isinstance(env[n], Ref))
    sizes = tuple(n for n in outside if isinstance(env[n], Symbolic))
    if any(n.target is not torch.ops.aten.sym_size.int for n in sizes):
        raise low.unsupported(nodes[-1], f"The opaque module '{path}' computes with the batch size; keep samples apart.")
    constants = {n: env[n] for n in outside if n not in refs and n not in sizes}
    part = Part(nodes, refs, sizes, constants, outputs[0])
    if not refs:
        env[outputs[0]] = part()
        return
    inputs = tuple(env[n] for n in refs)
    shapes = {ref.shape for ref in inputs}
    domains = [ref.domain for ref in inputs]
    alone = len(inputs) == 1
    domain = domains[0] if alone else stacked(domains, inputs[0].shape, low.like) if len(shapes) == 1 else hull(*domains)
    env[outputs[0]] = low.emit(outputs[0], "opaque", Opaque(part), inputs, domain=domain, image=Real(), path=path)
