"""Contrasts explained from one sweep: the last layer holds the outputs of all of them."""

import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from itertools import accumulate

import torch
from torch import Tensor

from dtd.affine import AffineMap, Dense
from dtd.callers.printing import Printed
from dtd.errors import InputError
from dtd.explaining.starts.contrast import Contrast
from dtd.explaining.starts.initial import OfEachSample
from dtd.network.below import Below
from dtd.network.graph import Graph
from dtd.primitive import Reshape


@dataclass(frozen=True)
class Contrasts(Printed):
    """The different contrasts of some targets, each the same for all samples."""

    members: tuple[Contrast, ...]

    @classmethod
    def of(cls, targets: Iterable[Contrast]) -> "Contrasts":
        """Those of targets that may have one for each sample."""
        return cls(tuple(dict.fromkeys(member for target in targets for member in target.cases()[0])))

    def restructured(self, graph: Graph) -> Below | None:
        """The network with the contrasts as its output, made once for equal ones; None where its top is not affine."""
        base, top = graph.base, affine_top(graph)
        last, shape = graph.layers[graph.output], graph.layers[graph.output].shape
        for member in self.members:
            if member.needs_logits and last.kind in ("softmax", "sigmoid"):
                raise InputError(
                    f"{member!r} needs logits; the network ends with a {last.kind}. Trace it without (output=...)."
                )
            if top is None:
                member.rewritten_or_refused(None, shape)
        if top is None:
            return None
        described = [(type(each).__name__, *vars(each).items()) for each in self.members]
        key = sys.intern(repr(described))  # equal contrasts are one object here
        return base.parts.get((base.layers[top], key), lambda: self._made(base, top))

    def initial(self, target: Contrast, rewritten: bool, shape: tuple[int, ...]) -> Callable[[Tensor], Tensor]:
        """The initial relevance of one target, as a function of the rewritten output, or else of the network's."""
        cases, numbers = target.cases()
        functions = [case.initial(rewritten, shape) for case in cases]
        if len(self.members) == 1 and numbers is None:
            return functions[0]
        if not rewritten:
            return OfEachSample(functions, [slice(None)] * len(cases), numbers)
        ends = list(accumulate(member.outputs(shape) for member in self.members))
        slices = {m: slice(end - m.outputs(shape), end) for m, end in zip(self.members, ends, strict=True)}
        return OfEachSample(functions, [slices[case] for case in cases], numbers)

    def _made(self, base: Graph, top: int) -> Below | None:
        ops = [member.rewritten_or_refused(base.layers[top].op, base.layers[base.output].shape) for member in self.members]
        op = one_above_another([each for each in ops if each is not None], self)
        if op is None:
            return None
        layer = replace(base.layers[top], op=op, shape=op.out_shape, image=op.image(base.layers[top].domain))
        reshaped = op.out_shape != base.layers[top].shape
        layers, output = (base.layers[:top], top) if reshaped else (base.layers, base.output)
        layers = (*layers[:top], layer, *layers[top + 1 :])
        graph = Graph(layers, output, base.inputs, base.like, part_of=base)
        return Below(graph, graph, tuple(range(len(layers))))


def one_above_another(ops: list[AffineMap], contrasts: Contrasts) -> AffineMap | None:
    """One layer with the outputs of all; None where there are none.

    Raises :class:`InputError` for several layers that are not dense, or of which some have no output of their own.
    """
    if len(ops) == len(contrasts.members) == 1 or not ops:
        return ops[0] if ops else None
    dense = [op for op in ops if isinstance(op, Dense) and len(op.out_shape) == 1]
    if len(dense) < len(contrasts.members):
        raise InputError(
            f"Several contrasts from one sweep need a network that ends with a dense layer; found {contrasts.members}. Call "
            "dtd.explain for each."
        )
    some = any(op.bias is not None for op in dense)
    biases = [op.weight.new_zeros(op.out_shape) if op.bias is None else op.bias for op in dense]
    weight = torch.cat([op.weight for op in dense])
    return replace(dense[0], weight=weight, bias=torch.cat(biases) if some else None, out_shape=(len(weight),))


def affine_top(graph: Graph) -> int | None:
    """The affine layer whose output, reshaped or not, is the network's; None where there is none with its own weights."""
    i = graph.output
    while i >= 0 and isinstance(graph.layers[i].op, Reshape):
        i = graph.layers[i].inputs[0]
    found = i >= 0 and isinstance(graph.layers[i].op, AffineMap) and not graph.layers[i].sides
    alone = found and sum(layer.inputs.count(i) for layer in graph.layers) <= 1
    return i if alone else None
