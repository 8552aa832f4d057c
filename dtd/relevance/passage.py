"""Relevance on its way down: where it is read, and what of it goes on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from dtd.callers.printing import Printed
from dtd.propagation import Balance, Layer, per_sample
from dtd.relevance.gate import Gate


@dataclass(frozen=True, eq=False)
class HiddenRelevance(Printed):
    """Relevance of a hidden layer: of its output, and what it handed to each of its inputs.

    ``passed`` is what of the output's relevance went on: all of it, but where ``through=`` stops some. ``modules`` are those
    that the layer stands for: its own, and what was folded into it (a batch norm), whose output is then the layer's.

    >>> import dtd
    >>> model = torch.nn.Sequential(torch.nn.Linear(2, 2, bias=False), torch.nn.Linear(2, 1, bias=False))
    >>> _ = model[0].weight.data.copy_(torch.tensor([[1.0, 2.0], [0.0, 1.0]])), model[1].weight.data.fill_(1.0)
    >>> net, x = dtd.trace(model, torch.ones(1, 2)), torch.tensor([[3.0, 1.0]])
    >>> hidden = dtd.explain(net, x, 0, dtd.Plan.uniform("lrp0"), at=["0"]).at["0"]
    >>> hidden.output, hidden.inputs
    (tensor([[5., 1.]]), (tensor([[3., 3.]]),))

    # shape: output, passed (B, *out); inputs (B, *in) each

    Two units read a = (1, 1) by (1, 2) and (0, 1), and a sum reads them: they have 3 and 1.

    >>> import dtd, torch
    >>> model = torch.nn.Sequential(torch.nn.Linear(2, 2, bias=False), torch.nn.ReLU(), torch.nn.Linear(2, 1, bias=False))
    >>> for layer, weight in ((model[0], [[1.0, 2.0], [0.0, 1.0]]), (model[2], [[1.0, 1.0]])):
    ...     _ = layer.weight.data.copy_(torch.tensor(weight))
    >>> net, plan = dtd.trace(model, torch.ones(1, 2)), dtd.Plan.uniform("lrp0")
    >>> dtd.explain(net, torch.ones(1, 2), 0, plan, at=["1"]).at["1"].output
    tensor([[3., 1.]])
    """

    modules: tuple[str, ...]
    output: Tensor
    passed: Tensor
    inputs: tuple[Tensor, ...]

    def detached(self) -> "HiddenRelevance":
        """The same numbers, not a part of any computation."""
        inputs = tuple(part.detach() for part in self.inputs)
        return HiddenRelevance(self.modules, self.output.detach(), self.passed.detach(), inputs)


@dataclass(frozen=True, eq=False)
class Passage:
    """Layers, by index, whose relevance is read, and gates at the output of some; gates' values are those of the batch."""

    read: frozenset[int] = frozenset()
    gates: Mapping[int, Gate] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.read or self.gates)

    def of_rows(self, rows: slice | Tensor) -> "Passage":
        """The same for some of the samples."""
        return Passage(self.read, {i: gate.of_rows(rows) for i, gate in self.gates.items()})

    @property
    def apart(self) -> frozenset[int]:
        """Layers whose own output a gate reads, so that no function may be merged into them."""
        return frozenset(i for i, gate in self.gates.items() if gate.reads_values)

    def key(self, layers: Sequence[Layer]) -> tuple[object, ...]:
        """Objects that stand for it."""
        return (*(layers[i] for i in sorted(self.read)), None, *self.gates.values())


NOWHERE = Passage()


class Watch:
    """What one relevance pass leaves at a passage: tensors in memory of their own, by layer index."""

    def __init__(self, passage: Passage, balances: bool = False):
        self.passage, self.balances = passage, balances
        self.output: dict[int, Tensor] = {}
        self.passed: dict[int, Tensor] = {}
        self.inputs: dict[int, tuple[Tensor, ...]] = {}
        self.stopped: dict[int, tuple[Balance, Tensor]] = {}  # balance and Σ |R| at each gate

    def arrive(self, i: int, relevance: Tensor, value: Any, coefficients: bool = False) -> Tensor:
        """What goes on of the relevance of output i, or of its coefficients; ``value`` is that output where it is needed."""
        gate = self.passage.gates.get(i)
        if i in self.passage.read:
            self.output[i] = relevance * value if coefficients else relevance.clone()
            self.passed[i] = self.output[i]
        if gate is None:
            return relevance
        after = gate.coefficients(relevance, value) if coefficients else gate.passed(relevance, value)
        if not coefficients and self.balances:
            self.stopped[i] = gate.balance_of(relevance, after), per_sample(relevance.abs())
        if i in self.passage.read:
            self.passed[i] = after * value if coefficients else after.clone()
        return after

    def hidden(self, layers: Sequence[Layer]) -> dict[str, HiddenRelevance]:
        """Relevance of the layers that are read, by name, lowest first."""
        return {
            layers[i].name: HiddenRelevance(
                (layers[i].name, *layers[i].folded), self.output[i], self.passed[i], self.inputs[i]
            )
            for i in sorted(self.passage.read)
        }

    def join(self, parts: Sequence["Watch"]) -> None:
        """Take over what passes on parts of the batch left."""
        for i in parts[0].output:
            self.output[i], self.passed[i] = (torch.cat([getattr(p, n)[i] for p in parts]) for n in ("output", "passed"))
        for i in parts[0].inputs:
            self.inputs[i] = tuple(map(torch.cat, zip(*(p.inputs[i] for p in parts), strict=True)))


def joined_hidden(parts: Sequence[Mapping[str, HiddenRelevance]]) -> dict[str, HiddenRelevance]:
    """Hidden relevance of all parts' samples."""
    found = {}
    for name, first in parts[0].items():
        each = [part[name] for part in parts]
        inputs = tuple(map(torch.cat, zip(*(one.inputs for one in each), strict=True)))
        outputs, passed = torch.cat([one.output for one in each]), torch.cat([one.passed for one in each])
        found[name] = HiddenRelevance(first.modules, outputs, passed, inputs)
    return found
