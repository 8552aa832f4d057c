"""What an explanation is, and how one forward sweep gives it for each target."""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

import torch
from torch import Tensor

from dtd.callers.arithmetic import own_arithmetic
from dtd.callers.printing import shown
from dtd.errors import InputError
from dtd.explaining.balances import Kept, Record, Records, Replay, versions
from dtd.explaining.growth import GrowthWarning, UnderflowWarning, growth, message, outgrows, too_small, underflows
from dtd.explaining.shapes import check_shapes
from dtd.explaining.sweep import check_models, sweep
from dtd.explaining.target import Target, initial_relevance
from dtd.fast import Program, Swept, prepared
from dtd.network.graph import Graph, Reading, Values
from dtd.network.leaves import Inputs
from dtd.network.network import Network
from dtd.plans.attention import recommended
from dtd.plans.plan import Plan, check_asked
from dtd.propagation import Propagation


@dataclass(frozen=True, eq=False, repr=False)
class Explanation:
    """Relevance of the inputs, and each layer's balance.

    ``relevance`` is a tensor where the network was traced with one tensor, and otherwise a mapping by the inputs' names.

    # shape: relevance (B, *in) of each explained input, output (B, *out), initial (B, *out)

    A unit with weights (3, −1) at a = (1, 1), so that z = 2.

    >>> import dtd, torch
    >>> unit = torch.nn.Linear(2, 1)
    >>> _ = unit.load_state_dict({"weight": torch.tensor([[3.0, -1.0]]), "bias": torch.tensor([0.0])})
    >>> net = dtd.trace(unit, torch.ones(1, 2))
    >>> plan = dtd.Plan([("*", dtd.rules.choose("lrp0"))])
    >>> dtd.explain(net, torch.ones(1, 2), 0, plan)
    Explanation(relevance=tensor(1, 2), output=tensor(1, 1), conservation Σ R(inputs) / Σ R(output) = 1)
    """

    relevance: Tensor | Mapping[str, Tensor]
    output: Tensor
    initial: Tensor
    source: Records = field(repr=False)

    @cached_property
    def layers(self) -> Mapping[str, Record]:
        """What happened at each layer, by name: found when first asked for, by a second pass that adds everything up.

        Until then the explanation holds its input and no activations. Raises :class:`StaleError` when the input or the
        model's parameters have changed since.
        """
        return self.source.records()

    def __reduce__(self):
        """Copies and pickles hold what was found at each layer, and neither the network nor the input."""
        return Explanation, (self.relevance, self.output, self.initial, Kept.of(self.source))

    def __repr__(self) -> str:
        conserved = self.conservation()
        ends = (conserved.min().item(), conserved.max().item()) if len(conserved) else (1.0, 1.0)
        kept = f"{ends[0]:.4g}" if ends[0] == ends[1] else f"{ends[0]:.4g} to {ends[1]:.4g}"
        large = ", relevance outgrows what is explained: see growth" if outgrows(self.parts, self.initial) else ""
        return (
            f"Explanation(relevance={shown(self.relevance)}, output={shown(self.output)}, "
            f"conservation Σ R(inputs) / Σ R(output) = {kept}{large})"
        )

    @property
    def parts(self) -> tuple[Tensor, ...]:
        """Relevance of each explained input. # shape: (B, *in) each"""
        return (self.relevance,) if isinstance(self.relevance, Tensor) else tuple(self.relevance.values())

    @cached_property
    def growth(self) -> dict[str, float]:
        """``Σ|R| / Σ|R_initial|`` at each layer's output, from the output down, and at last of all inputs, ``"(inputs)"``.

        Each is that of the sample where it is largest. An explanation whose entry of the inputs exceeds 1000 warns
        (:class:`GrowthWarning`) with that number, the layer where relevance grows most, and the reason.
        """
        return growth(self.layers, self.parts, self.initial)

    def conservation(self) -> Tensor:
        """``Σ R_input / Σ R_initial``; where the initial relevance sums to 0, 1 if the input's does and else infinity.

        # shape: (B,)
        """
        given, arrived = self.initial.flatten(1).sum(1), torch.stack([p.flatten(1).sum(1) for p in self.parts]).sum(0)
        undefined = torch.where(arrived == 0, 1.0, torch.inf).to(given)
        return torch.where(given == 0, undefined, arrived / torch.where(given == 0, 1.0, given))


class Request(NamedTuple):
    """A plan on a network at some inputs, all checked, and what runs it."""

    network: Network
    reading: Reading
    models: tuple[Propagation, ...]
    program: Program | None  # None where the pass goes by definition
    pass_dtype: torch.dtype | None

    @classmethod
    def of(
        cls, network: Network, inputs: Inputs, plan: Plan | None, pass_dtype: torch.dtype | None, fast: bool
    ) -> "Request":
        """What is asked of some inputs; raises where something does not fit."""
        plan = chosen_plan(network, plan)
        reading = network.read(inputs)
        models = plan.bind(reading.graph)
        check_shapes(reading.graph, models, reading.batch)
        if pass_dtype not in (None, torch.bfloat16):
            raise InputError(f"'pass_dtype' must be torch.bfloat16 or None; found {pass_dtype}.")
        program = prepared(reading.graph, models, pass_dtype) if fast else None
        if program is None:
            check_models(reading.graph.layers, models, reading.batch)
        return cls(network, reading, models, program, pass_dtype)

    def of_rows(self, inputs: Inputs, rows: slice) -> "Request":
        """The same asked of some of the samples."""
        reading = self.network.read(self.network.take(inputs, rows))
        return self._replace(reading=reading, program=self.program and self.program.at(reading.graph.layers))

    def sweep(self) -> "ForwardSweep":
        """The forward sweep, from which every target's relevance is handed down."""
        return ForwardSweep(self, None if self.program is None else self.program.forward(self.reading.values))


def chosen_plan(network: Network, plan: Plan | None) -> Plan:
    """The plan, checked; the recommended one where none is given, made once for a graph."""
    if plan is None and isinstance(network, Network):
        return network.graph.plans.get((recommended, network.graph), lambda: recommended(network))
    check_asked(network, plan)
    return plan


class ForwardSweep(NamedTuple):
    """One forward sweep, from which every target's relevance is handed down."""

    request: Request
    swept: Swept | None

    def explanation(self, target: Target, last: bool) -> Explanation:
        """One target's; after the ``last`` one nothing of the sweep is left."""
        network, (graph, values), models, program, _ = self.request
        if program is None or self.swept is None:
            return by_definition(self.request, target)
        initial = initial_relevance(self.swept.output, target)
        values = {j: x.clone() if x.is_inference() else x for j, x in values.items()}  # torch counts no change of these
        replay = Replay(network, graph, models, values, versions(values, initial), initial, target)
        relevance = program.backward(self.swept, initial, values, release=last)
        if not self.swept.holds(relevance):
            relevance, *_ = replay.run()  # says what is wrong, or finds that nothing is
        found = Explanation(network.named(apart(relevance, initial)), self.swept.output.clone(), initial, replay)
        return checked(found, graph.base, models)


@own_arithmetic()
def by_definition(request: Request, target: Target) -> Explanation:
    """The explanation by one pass that finds the balances too."""
    network, (graph, values), models, _, _ = request
    swept = sweep(graph, models, values, target)
    initial = initial_relevance(swept.output, target)
    replay = Replay(network, graph, models, values, versions(values, initial), initial, target)
    done = replay.descend(swept)
    finished = replay._replace(done=done)
    found = Explanation(network.named(apart(done[0], initial)), swept.output.clone(), initial, finished)
    return checked(found, graph.base, models)


def apart(relevance: Values, initial: Tensor) -> dict[int, Tensor]:
    """Relevance in memory of its own, where it is the initial relevance handed down as it was."""
    place = initial.untyped_storage().data_ptr()
    return {j: r.clone() if r.untyped_storage().data_ptr() == place else r for j, r in relevance.items()}


def checked(found: Explanation, graph: Graph, models: tuple[Propagation, ...]) -> Explanation:
    """The explanation, with a warning where its relevance outgrows what is explained (once for a plan on a network) or is
    too small for its dtype."""
    if underflows(found.parts, found.initial):
        warnings.warn(too_small(found.initial), UnderflowWarning, stacklevel=4)
    if outgrows(found.parts, found.initial):
        graph.warned.get(
            (models,), lambda: warnings.warn(message(found.layers, found.parts, found.initial), GrowthWarning, stacklevel=6)
        )
    return found
