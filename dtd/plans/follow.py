"""Layers without weights that hold a bias: they follow the bias mode of the layers around them."""

from collections.abc import Sequence
from typing import Any

from dtd.affine import Diagonal
from dtd.direction import Activations
from dtd.lrp import LRPZero
from dtd.network.graph import Graph
from dtd.propagation import Propagation
from dtd.relevance import HeldScale, Linear, RelevanceModel
from dtd.root import Bias, Ray


def bias_of(model: Propagation) -> Any:
    """The bias mode of a bound propagation; empty where it has none."""
    searched: Any = model.root if isinstance(model, RelevanceModel) else model
    while getattr(searched, "inner", ()):  # of a mix or an average, which share it
        searched = searched.inner[0]
    return getattr(searched, "bias", "")


def follow_bias(bound: Sequence[Propagation], unnamed: Sequence[int], graph: Graph, formulas: bool) -> list[Propagation]:
    """The propagations; those of norms and of sums with constants that no entry names get a bias mode.

    It is that of the next layer with weights above, or else below. With a moving bias LRP-0 speaks for a sum with a
    constant (a class token, positions, a bias written by hand): the constant takes its share. With a fixed one all
    relevance goes to the one input.
    """
    modes: list[Any] = [bias_of(model) if layer.weighted else "" for layer, model in zip(graph.layers, bound, strict=True)]
    found = list(bound)
    for i in unnamed:
        mode: Bias = next(filter(None, (*modes[i:], *modes[:i][::-1])), "fixed")
        op = graph.layers[i].op
        if isinstance(bound[i], HeldScale):
            found[i] = HeldScale(mode)
        elif isinstance(op, Diagonal) and op.bias is not None and mode != "fixed":
            found[i] = LRPZero(mode) if formulas else Linear(Ray(Activations(), mode))
    return found
