"""Ops of an exported graph that torch writes as simpler ones."""

from collections.abc import Callable, Container, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from torch.export import ExportedProgram
from torch.fx import Node
from torch.nn.modules import transformer

from dtd.network.aten import aten
from dtd.network.kinds import is_floating

HARMLESS = frozenset((aten.detach_.default,))  # writes to no entry


@contextmanager
def masks_as_given() -> Iterator[None]:
    """While a graph is captured, ``nn.Transformer*`` do not look at a mask's entries for a faster way to the same result."""
    own = transformer._detect_is_causal_mask
    transformer._detect_is_causal_mask = lambda mask, is_causal=None, size=None: bool(is_causal)
    try:
        yield
    finally:
        transformer._detect_is_causal_mask = own


def one_bag(weight: Tensor, ids: Tensor, offsets: Tensor, scale=False, mode=0, *rest):
    """``embedding_bag`` of one sample as a look-up and a sum, mean or maximum over its rows."""
    optional: tuple[Any, ...] = (False, None, False, -1)
    _, weights, _, padding = rest + optional[len(rest) :]
    if offsets.shape[0] != 1 or (padding is not None and padding >= 0):
        raise NotImplementedError("EmbeddingBag is supported with one bag for each sample and without padding_idx.")
    rows = aten.embedding.default(weight, ids)
    rows = rows if weights is None else rows * weights[:, None]
    joined = (rows.sum, rows.mean, rows.amax)[mode](0, keepdim=True)
    return joined, offsets, offsets, offsets


def counted(x: Tensor, bins: int = 100, low: float = 0, high: float = 0) -> Tensor:
    """``histc``: how many entries lie in each of some intervals of one length."""
    x = x.flatten()
    limits = x.aminmax() if low == high else (x.new_full((), float(low)), x.new_full((), float(high)))
    alike = (limits[0] == limits[1]).to(x.dtype)
    first, last = limits[0] - alike, limits[1] + alike
    place = ((x - first) / (last - first) * bins).floor().clamp(max=bins - 1)
    members = (place == torch.arange(bins, dtype=x.dtype, device=x.device)[:, None]) & (x >= first) & (x <= last)
    return members.sum(1).to(x.dtype)


def simpler() -> dict[Any, Callable]:
    """Ops that the export writes as simpler ones: recurrent modules as their cells, einsum as matrix products."""
    recurrent = [aten.lstm.input, aten.gru.input, aten.rnn_tanh.input, aten.rnn_relu.input]
    cells = (aten.lstm_cell.default, aten.gru_cell.default, aten.rnn_tanh_cell.default, aten.rnn_relu_cell.default)
    known = torch.export.default_decompositions()
    composed = {op: known[op] for op in (aten.einsum.default, *cells)}
    own: dict[Any, Callable] = {aten.embedding_bag.padding_idx: one_bag, aten.histc.default: counted}
    return {**torch._decomp.get_decompositions(recurrent), **composed, **own}


def in_simple_ops(program: ExportedProgram, known: Container[Any]) -> ExportedProgram:
    """The graph without writes to its values, in ``known`` ops as far as torch can write it in them."""
    table = torch.export.default_decompositions()
    unknown, written = unknown_ops(program, known), writes(program)
    while unknown or written:
        composed = {op: table[op] for op in unknown if op in table}
        program = program.run_decompositions({**composed, **simpler()})
        left, written = unknown_ops(program, known), False
        unknown = left - unknown if any(op in table for op in left - unknown) else set()
    return program


def writes(program: ExportedProgram) -> bool:
    """Whether a graph writes to a value."""
    calls = (node for node in program.graph.nodes if node.op == "call_function" and node.target not in HARMLESS)
    return any(getattr(getattr(node.target, "_schema", None), "is_mutable", False) for node in calls)


def unknown_ops(program: ExportedProgram, known: Container[Any]) -> set[Any]:
    """Ops other than the ``known`` ones that compute numbers from the inputs."""
    inputs = set(program.graph_signature.user_inputs)
    depends: set[Node] = set()
    found = set()
    for node in program.graph.nodes:
        if node.op == "placeholder" and node.name in inputs:
            depends.add(node)
        elif node.op == "call_function" and any(n in depends for n in node.all_input_nodes):
            depends.add(node)
            if node.target not in known and is_floating(node.meta.get("val")):
                found.add(node.target)
    return found
