"""Ops of an exported graph that torch writes as simpler ones."""

from collections.abc import Callable, Container
from typing import Any

import torch
from torch import Tensor
from torch.export import ExportedProgram
from torch.fx import Node

from dtd.network.aten import aten
from dtd.network.kinds import is_floating

HARMLESS = frozenset((aten.detach_.default,))  # writes to no entry


def one_bag(weight: Tensor, ids: Tensor, offsets: Tensor, scale=False, mode=0, *rest):
    """``embedding_bag`` of one sample as a look-up and a sum, mean or maximum over its rows."""
    _, weights, _, padding = (*rest, *(False, None, False, -1)[len(rest) :])
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
    own = {aten.embedding_bag.padding_idx: one_bag, aten.histc.default: counted}
    return {**torch._decomp.get_decompositions(recurrent), **composed, **own}


def is_plain(program: ExportedProgram, known: Container[Any]) -> bool:
    """Whether a graph writes to no value, and computes with the inputs' numbers in known ops alone: nothing to rewrite."""
    inputs = set(program.graph_signature.user_inputs)
    depends: set[Node] = set()
    for node in program.graph.nodes:
        if node.op == "placeholder" and node.name in inputs:
            depends.add(node)
        elif node.op == "call_function" and any(n in depends for n in node.all_input_nodes):
            depends.add(node)
            if getattr(getattr(node.target, "_schema", None), "is_mutable", False):
                return False
            if node.target not in known and is_floating(node.meta.get("val")):
                return False
        elif node.op == "call_function" and node.target not in HARMLESS:
            if getattr(getattr(node.target, "_schema", None), "is_mutable", False):
                return False
    return True
