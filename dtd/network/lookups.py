"""Where integer inputs index tables: there they are explained, at the vectors that they look up."""

from collections.abc import Iterable
from typing import NamedTuple

import torch
from torch.export import ExportedProgram
from torch.fx import Node

from dtd.network.aten import aten
from dtd.network.calls import arguments


class Lookup(NamedTuple):
    """Rows of a table, read at the entries of an input."""

    node: Node
    leaf: int


MOVES = frozenset(
    (
        aten.view.default,
        aten.reshape.default,
        aten.expand.default,
        aten.clone.default,
        aten.alias.default,
        aten.contiguous.default,
        aten.unsqueeze.default,
        aten.squeeze.dim,
        aten.squeeze.default,
        aten.slice.Tensor,
        aten.select.int,
        aten.permute.default,
        aten.transpose.int,
        aten._to_copy.default,
        aten.to.dtype,
        aten.flatten.using_ints,
    )
)


def table_and_index(node: Node) -> tuple[Node, Node] | None:
    """The table and the index of a call that reads rows of one."""
    args = arguments(node)
    if node.target is aten.embedding.default:
        return args[0], args[1]
    if node.target is aten.index_select.default and args[1] == 0:
        return args[0], args[2]
    if node.target is aten.index.Tensor and len(args[1]) == 1 and isinstance(args[1][0], Node):
        return args[0], args[1][0]
    return None


def keeps_entries(node: Node, own: dict[Node, int]) -> bool:
    """Whether a call moves an input's integers, or adds a constant to them."""
    return moves_entries(node, own) or (
        node.target in (aten.add.Tensor, aten.sub.Tensor)
        and node.args[0] in own
        and not any(n in own for n in node.all_input_nodes[1:])
    )


def moves_entries(node: Node, own: dict[Node, int]) -> bool:
    """Whether a call moves an input's integers."""
    val = node.meta.get("val")
    if not node.args or node.args[0] not in own or not isinstance(val, torch.Tensor) or val.is_floating_point():
        return False
    return node.target in MOVES


def rows(program: ExportedProgram) -> dict[int, int]:
    """How many rows the smallest table has that each integer input indexes, by input."""
    leaves = {name: k for k, name in enumerate(program.graph_signature.user_inputs)}
    own: dict[Node, int] = {}
    found: dict[int, int] = {}
    for node in program.graph.nodes:
        if node.op == "placeholder" and node.name in leaves:
            own[node] = leaves[node.name]
        elif moves_entries(node, own):
            own[node] = own[arguments(node)[0]]
        elif node.target is aten.embedding.default and node.args[1] in own:
            size = node.args[0].meta["val"].shape[0]
            if isinstance(size, int):
                leaf = own[node.args[1]]
                found[leaf] = min(size, found.get(leaf, size))
    return found


def lookups(program: ExportedProgram, explained: Iterable[int], asked: bool) -> list[Lookup]:
    """The look-ups at integer inputs among ``explained``, by input.

    The index is the input itself, moved or with a constant added; where an input was ``asked`` for and has no such
    look-up, anything that depends on no other input.
    """
    wanted, leaves = set(explained), {}
    own: dict[Node, int] = {}  # nodes that hold an input's entries
    origin: dict[Node, frozenset[int]] = {}  # the inputs that a node depends on
    pure: dict[int, list[Lookup]] = {}
    other: dict[int, list[Lookup]] = {}
    user_inputs = {name: k for k, name in enumerate(program.graph_signature.user_inputs)}
    for node in program.graph.nodes:
        if node.op == "placeholder":
            leaf = user_inputs.get(node.name)
            origin[node] = frozenset() if leaf is None else frozenset((leaf,))
            if leaf is not None:
                own[node], leaves[leaf] = leaf, node
            continue
        if not isinstance(node.meta.get("val"), (torch.Tensor, tuple, list)):
            origin[node] = frozenset()  # sizes are not values
            continue
        origin[node] = frozenset().union(*(origin.get(n, frozenset()) for n in node.all_input_nodes))
        if keeps_entries(node, own):
            own[node] = own[arguments(node)[0]]
        read = table_and_index(node)
        if read is None or read[0] not in origin or origin[read[0]] or not read[0].meta["val"].is_floating_point():
            continue
        if read[1].meta["val"].dtype not in (torch.int64, torch.int32):
            continue
        if own.get(read[1]) in wanted:
            pure.setdefault(own[read[1]], []).append(Lookup(node, own[read[1]]))
        elif len(origin[read[1]]) == 1 and origin[read[1]] <= wanted:
            (leaf,) = origin[read[1]]
            other.setdefault(leaf, []).append(Lookup(node, leaf))
    computed = {leaf: found[:1] for leaf, found in other.items() if asked}
    return [found for leaf in sorted(wanted) for found in pure.get(leaf) or computed.get(leaf, [])]
