"""From an exported graph and the current tensors of its model to layers."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor
from torch.export import ExportedProgram
from torch.export.graph_signature import OutputKind
from torch.fx import GraphModule, Node

from dtd.domain import Domain
from dtd.errors import NonFiniteError, TraceError
from dtd.network.calls import arguments, callee, with_values
from dtd.network.capture import PREFIX
from dtd.network.fold import fold, mark_rectified
from dtd.network.graph import Graph, Input
from dtd.network.lookups import Lookup
from dtd.network.lowering import Lowering
from dtd.network.norms import lower_norm, needless, norms
from dtd.network.opaque import calls, lower
from dtd.network.ops import HANDLERS, advice
from dtd.network.refs import Ref
from dtd.network.sides import Side, SideProgram
from dtd.network.sizes import CallSizes, stored
from dtd.propagation import Layer

INLINED = ("wrap_with_set_grad_enabled", "wrap_with_autocast")  # regions that change nothing of what is computed
IGNORED = (
    "_assert_tensor_metadata",
    "_assert_scalar",
    "sym_constrain_range",
    "sym_constrain_range_for_size",
    "_assert_async",
)


@dataclass(frozen=True, eq=False)
class Built:
    """The layers at some sizes, and how the values that they need come from the inputs."""

    graph: Graph
    sides: SideProgram
    sources: tuple[int, ...]  # for each explained input, its number among the side program's results
    suspects: tuple[tuple[str, str], ...]  # ops that may mix samples, with their modules
    epsilon: float  # of the coarsest numbers that the model computes with


@dataclass(frozen=True, eq=False)
class Explained:
    """An explained input of the exported graph: a leaf, or a look-up at one."""

    name: str
    leaf: int
    lookup: Lookup | None


@dataclass(frozen=True, eq=False)
class Builder:
    """Lowers the exported graph over the current values of the model's tensors."""

    program: ExportedProgram
    explained: tuple[Explained, ...]
    modules: frozenset[str]
    opaque: frozenset[str]
    like: Tensor
    fold_batch_norm: bool

    @property
    def placeholders(self) -> list[Node]:
        """The leaves of the inputs, in order."""
        by_name = {node.name: node for node in self.program.graph.nodes if node.op == "placeholder"}
        return [by_name[name] for name in self.program.graph_signature.user_inputs]

    def constant(self, name: str, tensors: Mapping[str, Tensor], checked: set[str]) -> Tensor:
        """The current value of a tensor of the graph; ``checked`` ones are known to be finite."""
        signature = self.program.graph_signature
        for table in (signature.inputs_to_parameters, signature.inputs_to_buffers):
            if name in table:
                target = table[name].removeprefix(PREFIX + ".")
                if target in tensors and target not in checked:
                    check_weights(target, tensors[target])
                    checked.add(target)
                return tensors[target] if target in tensors else self.program.constants[table[name]]
        if name not in signature.inputs_to_lifted_tensor_constants:
            raise TraceError(f"The model makes an object in forward that is no tensor ({name}).")
        return self.program.constants[signature.inputs_to_lifted_tensor_constants[name]]

    def __call__(
        self, domains: tuple[Domain, ...], tensors: Mapping[str, Tensor], leaves: list[Tensor], checked: set[str]
    ) -> Built:
        """The layers at the sizes and side values of one sample (``leaves``, as exported)."""
        owners = {id(t): name.rpartition(".")[0] for name, t in tensors.items()}
        like = next((t for t in tensors.values() if t.is_floating_point()), self.like)
        sizes = CallSizes.of([node.meta["val"].shape for node in self.placeholders], [tuple(leaf.shape) for leaf in leaves])
        sides = SideProgram(len(leaves))
        lowering = Lowering(HANDLERS, advice, self.modules, owners, like, sizes, sides, self.learned(), PREFIX)
        signature = self.program.graph_signature
        env: dict[Node, Any] = {}
        given = {name: leaf for leaf, name in enumerate(signature.user_inputs)}
        reads = {each.leaf: k for k, each in enumerate(self.explained) if each.lookup is None}
        for node in self.program.graph.nodes:
            if node.op != "placeholder":
                break
            if node.name not in given:
                env[node] = self.constant(node.name, tensors, checked)
            elif (leaf := given[node.name]) in reads:
                k = reads[leaf]
                env[node] = Ref(-1 - k, tuple(leaves[leaf].shape), domains[k])
            else:
                env[node] = Side(leaf, leaves[leaf], leaf)
        returned = self.walk(lowering, self.program.graph_module, env, domains)
        kinds = [spec.kind for spec in signature.output_specs]  # inputs that the model writes to come first
        output = returned[kinds.index(OutputKind.USER_OUTPUT)]
        return self.finish(lowering, output, domains)

    def learned(self) -> frozenset[Node]:
        """Nodes that depend on parameters, and on nothing else that varies."""
        found: set[Node] = set()
        parameters = self.program.graph_signature.inputs_to_parameters
        for node in self.program.graph.nodes:
            before = node.all_input_nodes
            if node.name in parameters or (before and all(n in found for n in before)):
                found.add(node)
        return frozenset(found)

    def walk(self, low: Lowering, module: GraphModule, env: dict[Node, Any], domains: tuple[Domain, ...]) -> list[Any]:
        """The values that a graph returns; ``env`` holds those of its placeholders."""
        pieces = calls(module.graph.nodes, self.opaque, PREFIX)
        within = {node for _, nodes in pieces.values() for node in nodes}
        looked_up = {each.lookup.node: k for k, each in enumerate(self.explained) if each.lookup is not None}
        active = depending(module.graph.nodes, env, set(looked_up))
        by_hand = norms(module.graph.nodes, active)
        by_hand = {node: norm for node, norm in by_hand.items() if node not in within}
        skipped = needless(by_hand)
        for node in module.graph.nodes:
            if node.op == "placeholder" or node in skipped:
                continue
            if node.op == "output":
                returned = node.args[0]
                return [
                    env[n] if isinstance(n, Node) else n
                    for n in (returned if isinstance(returned, (tuple, list)) else [returned])
                ]
            name = getattr(node.target, "__name__", str(node.target)).split(".")[0]
            if node.op == "get_attr":
                env[node] = getattr(module, node.target)
            elif node in looked_up:
                env[node] = self.look_up(low, node, env, looked_up[node], domains)
            elif name in INLINED:
                env[node] = self.inline(low, node, env, domains)
            elif node in by_hand:
                env[node] = lower_norm(low, by_hand[node], env)
            elif node in pieces:
                lower(low, pieces[node], env)
            elif node not in within and name not in IGNORED:
                env[node] = low.run(node, env)
        raise TraceError("The exported graph has no output.")

    def inline(self, low: Lowering, node: Node, env: dict[Node, Any], domains: tuple[Domain, ...]) -> Any:
        """A region of its own, as part of the whole."""
        given = [env[a] if isinstance(a, Node) else a for a in arguments(node)]
        place = next(i for i, value in enumerate(given) if isinstance(value, GraphModule))
        module, values = given[place], given[place + 1 :]
        inner = [n for n in module.graph.nodes if n.op == "placeholder"]
        return tuple(self.walk(low, module, dict(zip(inner, values, strict=True)), domains))

    def look_up(self, low: Lowering, node: Node, env: dict[Node, Any], k: int, domains: tuple[Domain, ...]) -> Ref:
        """Explained input k: what a table holds at an integer input."""
        args, kwargs = with_values(node, env.__getitem__)
        low.looked_up[k] = low.sides.add(callee(node), *args, **kwargs)
        return Ref(-1 - k, low.full(node), domains[k])

    def finish(self, low: Lowering, output: Any, domains: tuple[Domain, ...]) -> Built:
        """Check the output, drop what it does not need, fold, and mark rectified layers."""
        if not isinstance(output, Ref):
            raise TraceError("The model must return a tensor that is computed from an explained input; this one is not.")
        layers, index = needed(low.layers, output.index)
        folded, index = fold(layers, index, self.fold_batch_norm)
        inputs, sources = [], []
        for k, (each, domain) in enumerate(zip(self.explained, domains, strict=True)):
            side = low.looked_up.get(k)
            full = low.full(self.placeholders[each.leaf]) if side is None else tuple(side.value.shape)
            inputs.append(Input(each.name, stored(full), domain))
            sources.append(each.leaf if side is None else side.index)
        graph = Graph(tuple(mark_rectified(folded, index)), index, tuple(inputs), low.like)
        return Built(graph, low.sides, tuple(sources), tuple(dict.fromkeys(low.suspects)), low.epsilon)


def depending(nodes: Iterable[Node], env: Mapping[Node, Any], looked_up: set[Node]) -> set[Node]:
    """The nodes of a graph that depend on an explained input; ``env`` holds its placeholders."""
    found: set[Node] = set()
    for node in nodes:
        if node in looked_up or isinstance(env.get(node), Ref):
            found.add(node)
        elif node.op == "call_function" and any(n in found for n in node.all_input_nodes):
            if isinstance(node.meta.get("val"), (Tensor, tuple, list)):
                found.add(node)
    return found


def check_weights(name: str, tensor: Tensor) -> None:
    """Raise for a tensor that the graph uses and that is not finite, −∞ (which hides entries in a mask) aside."""
    if not tensor.is_floating_point() or bool(tensor.sum().isfinite()):  # a sum that overflows is looked at closely
        return
    if not bool(tensor.masked_fill(tensor == -torch.inf, 0.0).isfinite().all()):
        raise NonFiniteError(f"Weights must be finite; '{name}' holds NaN or infinity. Check the model.")


def needed(layers: list[Layer], output: int) -> tuple[list[Layer], int]:
    """The layers that the output depends on, renumbered."""
    used = {output}
    for index in range(output, -1, -1):
        if index in used:
            used.update(layers[index].inputs)
    kept = sorted(i for i in used if i >= 0)
    position = {**{i: i for i in used if i < 0}, **{old: new for new, old in enumerate(kept)}}
    return [replace(layers[i], inputs=tuple(position[j] for j in layers[i].inputs)) for i in kept], position[output]
