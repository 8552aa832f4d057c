"""Explanations: one forward sweep, one relevance pass."""

from collections.abc import Iterator, Mapping, Sequence
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
from dtd.reference import Record, Reference, check_models
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
    reference: Reference = field(repr=False)

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


def explain(network: Network, x: Tensor, target: Target, plan: Plan, *, reduced: torch.dtype | None = None) -> Explanation:
    """Decompose the network's output layer by layer: ``R_j = Σ_k R_{j←k}`` at the roots that ``plan`` chooses.

    Args:
        network: from :func:`dtd.trace`.
        x: inputs ``(B, *in)``, finite, in the network's domain. B may be 0.
        target: what is explained. A class for all samples (int) or for each (integer tensor ``(B,)``): the initial relevance
            is that output. A function of the output, or a floating-point tensor: the initial relevance ``(B, *out)``
            itself.
        plan: a :class:`dtd.Plan`, derived or ``.explicit()``.
        reduced: a dtype, ``torch.bfloat16``, for the passes with modified weights (γ, z⁺, αβ, …) of convolutions and small
            dense layers; the others and all sums stay in the network's. Faster where the processor has that arithmetic,
            with an error below 1e-2 of the largest relevance for z⁺, and without a bound where a rule's denominators cancel
            (docs/speed.md); balances are those of the full precision.

    Raises:
        InputError, DomainError: an input or target that does not fit.
        PlanError: the plan does not cover the network.
        NonFiniteError: activations or relevance overflow, naming the layer.
        BudgetError: a relevance model that would cost more than it was given.
    """
    with torch.no_grad():
        return SharedSweep.of(network, x, plan, reduced).explanation(target, last=True)


def explain_each(
    network: Network, x: Tensor, targets: Sequence[Target], plan: Plan, *, reduced: torch.dtype | None = None
) -> Iterator[Explanation]:
    """One explanation for each target, in their order: the forward sweep is run once, each target costs a relevance pass.

    Arguments and errors are those of :func:`explain`. Relevance of one target is computed when it is asked for, so that
    a loop over many targets holds what it keeps.
    """
    with torch.no_grad():
        sweep = SharedSweep.of(network, x, plan, reduced)
    for number, target in enumerate(targets, 1):
        with torch.no_grad():
            found = sweep.explanation(target, last=number == len(targets))
        yield found


class SharedSweep(NamedTuple):
    """One forward sweep, from which every target's relevance is handed down."""

    network: Network
    graph: Graph
    models: tuple[Propagation, ...]
    x: Tensor
    program: Program | None  # None for plans that recompute what is above a layer: they have sweeps of their own
    state: State | None

    @classmethod
    def of(cls, network: Network, x: Tensor, plan: Plan, reduced: torch.dtype | None) -> "SharedSweep":
        """The sweep of checked inputs."""
        check_asked(network, plan)
        graph = network.graph
        graph.check_input(x, network.shape)
        models = plan.bind(graph)
        if reduced not in (None, torch.bfloat16):
            raise InputError(f"'reduced' must be torch.bfloat16 or None; found {reduced}.")
        program = prepared(graph, models, reduced)
        if program is None:
            check_models(graph.layers, models, x.shape[0])
            return cls(network, graph, models, x, None, None)
        return cls(network, graph, models, x, program, program.forward(x))

    def explanation(self, target: Target, last: bool) -> Explanation:
        """One target's; after the ``last`` one nothing of the sweep is left."""
        if self.program is None:
            return recomputed(self.network, self.models, self.x, target)
        output = self.state.output
        initial = initial_relevance(output, target)
        reference = Reference(self.network, self.graph, self.models, self.x, version(self.x), initial, target)
        relevance = self.program.backward(self.state, initial, self.x, release=last)
        if not self.state.holds(relevance):
            relevance, _ = reference.run()  # says what is wrong, or finds that nothing is
        return Explanation(relevance, output, initial, reference)


@torch.no_grad()
def recomputed(network: Network, models: tuple[Propagation, ...], x: Tensor, target: Target) -> Explanation:
    """The explanation by a plan with propagations that look beyond their layer: one pass, which finds the balances too."""
    graph = network.graph
    swept = adding_sweep(graph, models, x, target)
    reference = Reference(network, graph, models, x, version(x), initial_relevance(swept.output, target), target)
    finished = reference._replace(done=reference.descend(swept))
    return Explanation(finished.done[0], swept.output, reference.initial, finished)
