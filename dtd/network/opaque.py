"""Modules kept in one piece: the part of the exported graph that a module's call made, as one function."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.fx import Node

from dtd.domain import Real, hull
from dtd.errors import InputError
from dtd.network.calls import callee, with_values
from dtd.network.images import stacked
from dtd.network.kinds import is_random
from dtd.network.lowering import Lowering, Ref
from dtd.network.sides import Side, SideStep, replaced
from dtd.network.sizes import Shape, stored
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


def calls(nodes: Iterable[Node], paths: frozenset[str], prefix: str) -> dict[Node, Call]:
    """The calls of the chosen modules (of the outermost one, where they nest), each at its last node."""
    members: dict[tuple[str, str], list[Node]] = {}  # by call (a module's second one has a key of its own) and path
    for node in nodes if paths else ():
        if node.op == "call_function":
            stack = [(key, entry[0]) for key, entry in (node.meta.get("nn_module_stack") or {}).items()]
            inside = [(key, "" if path == prefix else path.removeprefix(prefix + ".")) for key, path in stack if path]
            outermost = next(((key, path) for key, path in inside if path in paths), None)
            if outermost is not None:
                members.setdefault(outermost, []).append(node)
    return {made[-1]: (path, tuple(made)) for (_, path), made in members.items()}


class Place(NamedTuple):
    """The value with that number among those that a part of a graph computes; it stands in the arguments of its calls."""

    number: int


@dataclass(frozen=True, eq=False)
class Part:
    """A part of a graph as a function of the activations that enter it, sample by sample; constants are the moment's.

    # shape: (B, *shape) each -> (B, *shape)
    """

    steps: tuple[SideStep, ...]  # their results are numbered behind the inputs and the constants
    shapes: tuple[Shape, ...]  # of the inputs, as exported
    constants: tuple[Any, ...]
    shape: Shape  # of one sample of the output, which is the last step's

    @classmethod
    def of(
        cls, nodes: tuple[Node, ...], inputs: Mapping[Node, Shape], constants: Mapping[Node, Any], shape: Shape
    ) -> "Part":
        """The part that some nodes make, in their order; the last one gives the output."""
        number = {node: Place(i) for i, node in enumerate((*inputs, *constants, *nodes))}
        steps = []
        for node in nodes:
            args, kwargs = with_values(node, number.__getitem__)
            steps.append(SideStep(callee(node), args, kwargs))
        return cls(tuple(steps), tuple(inputs.values()), tuple(constants.values()), shape)

    def __call__(self, *activations: Tensor) -> Tensor:
        return torch.vmap(self.one)(*activations)

    def one(self, *activations: Tensor) -> Tensor:
        """One sample. # shape: *shape each -> *shape"""
        wide = (a.reshape(shape) for a, shape in zip(activations, self.shapes, strict=True))
        values: list[Any] = [*wide, *self.constants]
        for step in self.steps:
            args, kwargs = replaced((step.args, step.kwargs), Place, lambda place: values[place.number])
            values.append(step.function(*args, **kwargs))
        return values[-1].reshape(self.shape)


def lower(low: Lowering, call: Call, env: dict[Node, Any]) -> None:
    """Add one call as a layer of kind ``opaque``; a call without activations is a constant."""
    path, nodes = call
    inside = set(nodes)
    outputs = [n for n in nodes if any(user not in inside for user in n.users)]
    if any(is_random(n) for n in nodes):
        raise low.unsupported(nodes[-1], "It draws random numbers; make them a buffer of the model.")
    if len(outputs) != 1 or not isinstance(outputs[0].meta.get("val"), Tensor):
        raise low.unsupported(nodes[-1], f"An opaque module must return one tensor; '{path}' returns {len(outputs)} values.")
    outside = list(dict.fromkeys(n for node in nodes for n in node.all_input_nodes if n not in inside))
    if any(isinstance(env[n], Side) for n in outside):
        raise low.unsupported(nodes[-1], f"The opaque module '{path}' depends on an input that is not explained.")
    refs = tuple(n for n in outside if isinstance(env[n], Ref))
    inputs = tuple(env[n] for n in refs)
    constants = {n: env[n] for n in outside if n not in refs}
    full = low.full(outputs[0])
    if not refs:
        for node in nodes:
            env[node] = low.run(node, env)
        return
    made = nodes[: nodes.index(outputs[0]) + 1]
    part = Part.of(made, {n: env[n].full for n in refs}, constants, stored(full))
    shapes = {ref.shape for ref in inputs}
    domains = [ref.domain for ref in inputs]
    alone = len(inputs) == 1
    domain = domains[0] if alone else stacked(domains, inputs[0].shape, low.like) if len(shapes) == 1 else hull(*domains)
    env[outputs[0]] = low.emit(outputs[0], "opaque", Opaque(part), inputs, domain=domain, image=Real(), path=path)
