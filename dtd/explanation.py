"""What an explanation is, and how one forward sweep gives it for each target."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

import torch
from torch import Tensor

from dtd.errors import InputError
from dtd.network.graph import Graph
from dtd.network.network import Network
from dtd.network.state import version
from dtd.plan import Plan, check_asked
from dtd.program import Program, State, prepared
from dtd.propagation import Propagation
from dtd.reference import Record, Records, Reference, check_models
from dtd.reference import sweep as adding_sweep
from dtd.target import Target, initial_relevance


@dataclass(frozen=True, eq=False)
class Explanation:
    """Relevance of the input, and each layer's balance.

    # shape: relevance (B, *in), output (B, *out), initial (B, *out)
    """

    relevance: Tensor
    output: Tensor
    initial: Tensor
    reference: Records = field(repr=False)

    @cached_property
    def layers(self) -> Mapping[str, Record]:
        """What happened at each layer, by name: found when first asked for, by a second pass that adds everything up.

        Until then the explanation holds its input and no activations. Raises :class:`StaleError` when the input or the
        model's parameters have changed since.
        """
        return self.reference.records()

    def conservation(self) -> Tensor:
        """``Σ R_input / Σ R_initial``; where the initial relevance sums to 0, 1 if the input's does and else infinity.

        # shape: (B,)
        """
        given, arrived = self.initial.flatten(1).sum(1), self.relevance.flatten(1).sum(1)
        undefined = torch.where(arrived == 0, 1.0, torch.inf).to(given)
        return torch.where(given == 0, undefined, arrived / torch.where(given == 0, 1.0, given))


class Asked(NamedTuple):
    """A plan on a network as it is now, both checked, and what runs it."""

    network: Network
    graph: Graph
    models: tuple[Propagation, ...]
    program: Program | None  # None for plans that recompute what is above a layer: they have sweeps of their own

    @classmethod
    def of(cls, network: Network, x: Tensor, plan: Plan, reduced: torch.dtype | None) -> "Asked":
        """What is asked of an input; raises where one of them does not fit."""
        check_asked(network, plan)
        graph = network.graph
        graph.check_input(x, network.shape)
        models = plan.bind(graph)
        if reduced not in (None, torch.bfloat16):
            raise InputError(f"'reduced' must be torch.bfloat16 or None; found {reduced}.")
        program = prepared(graph, models, reduced)
        if program is None:
            check_models(graph.layers, models, x.shape[0])
        return cls(network, graph, models, program)

    def sweep(self, x: Tensor) -> "SharedSweep":
        """The forward sweep of the input, or of some of its samples."""
        return SharedSweep(self, x, self.program and self.program.forward(x))


class SharedSweep(NamedTuple):
    """One forward sweep, from which every target's relevance is handed down."""

    asked: Asked
    x: Tensor
    state: State | None

    def explanation(self, target: Target, last: bool) -> Explanation:
        """One target's; after the ``last`` one nothing of the sweep is left."""
        (network, graph, models, program), x, state = self
        if program is None:
            return recomputed(network, models, x, target)
        initial = initial_relevance(state.output, target)
        reference = Reference(network, graph, models, x, version(x), initial, target)
        relevance = program.backward(state, initial, x, release=last)
        if not state.holds(relevance):
            relevance, _ = reference.run()  # says what is wrong, or finds that nothing is
        return Explanation(relevance, state.output, initial, reference)


@torch.no_grad()
def recomputed(network: Network, models: tuple[Propagation, ...], x: Tensor, target: Target) -> Explanation:
    """The explanation by a plan with propagations that look beyond their layer: one pass, which finds the balances too."""
    graph = network.graph
    swept = adding_sweep(graph, models, x, target)
    reference = Reference(network, graph, models, x, version(x), initial_relevance(swept.output, target), target)
    finished = reference._replace(done=reference.descend(swept))
    return Explanation(finished.done[0], swept.output, reference.initial, finished)
