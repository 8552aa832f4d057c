"""What is asked of a network at some inputs, and how one forward sweep gives the explanation of each target."""

import sys
import warnings
from typing import NamedTuple

import torch
from torch import Tensor

from dtd.errors import InputError
from dtd.explaining.balances import Replay, versions
from dtd.explaining.explanation import Explanation
from dtd.explaining.growth import Ends, GrowthWarning, UnderflowWarning, lost_at, message, too_small, vanishes
from dtd.explaining.hidden import Places, Start
from dtd.explaining.shapes import check_shapes, written
from dtd.explaining.starts.contrast import Contrast
from dtd.explaining.starts.unit import Unit
from dtd.explaining.sweep import check_models, sweep
from dtd.explaining.target import Target, initial_relevance
from dtd.fast import Program, Swept, prepared
from dtd.network.below import Below
from dtd.network.frozen import version
from dtd.network.graph import Graph, Reading, Values
from dtd.network.leaves import Inputs
from dtd.network.network import Network
from dtd.plans.plan import Plan, check_asked
from dtd.plans.recommended import recommended
from dtd.propagation import Propagation
from dtd.relevance.passage import NOWHERE, Passage, Watch

Asked = Target | Start


class Request(NamedTuple):
    """A plan on a network at some inputs, all checked, and what runs it."""

    network: Network
    reading: Reading
    models: tuple[Propagation, ...]
    program: Program | None  # None where the pass goes by definition
    pass_dtype: torch.dtype | None
    passage: Passage = NOWHERE
    start: Start | None = None  # what is explained in place of the output
    part: Below | None = None  # the layers that it makes of the network's

    @classmethod
    def of(
        cls,
        network: Network,
        inputs: Inputs,
        plan: Plan | None,
        pass_dtype: torch.dtype | None,
        fast: bool,
        places: Places = Places(),
    ) -> "Request":
        """What is asked of some inputs; raises where something does not fit."""
        plan = chosen_plan(network, plan)
        reading = network.read(inputs)
        part = None if places.start is None else places.start.restructured(reading.graph)
        models = plan.bind(reading.graph if part is None else part.whole)
        if part is not None:
            reading, models = part.read(reading), part.models(models)
        check_shapes(reading.graph, models, reading.batch)
        if pass_dtype not in (None, torch.bfloat16):
            raise InputError(f"'pass_dtype' must be torch.bfloat16 or None; found {pass_dtype}.")
        passage = places.passage(reading.graph, reading.batch)
        held = reading.graph.base.plans.get((models, written), lambda: written(models))
        state = sys.intern(str([version(tensor) for tensor in held])) if held else ""
        program = prepared(reading.graph, models, pass_dtype, passage, state) if fast else None
        if program is None:
            check_models(reading.graph.layers, models, reading.batch)
        return cls(network, reading, models, program, pass_dtype, passage, places.start, part)

    def of_rows(self, inputs: Inputs, rows: slice) -> "Request":
        """The same asked of some of the samples."""
        reading = self.network.read(self.network.take(inputs, rows))
        if self.part is not None:
            reading = self.part.read(reading)
        program = self.program and self.program.at(reading.graph.layers)
        return self._replace(reading=reading, program=program, passage=self.passage.of_rows(rows))

    def target(self, target: Asked) -> Target:
        """What is explained as a function of the output: of a hidden unit or a contrast that of its own."""
        return as_function(target, self.reading.graph, self.part, self.network)

    def sweep(self) -> "ForwardSweep":
        """The forward sweep, from which every target's relevance is handed down."""
        return ForwardSweep(self, None if self.program is None else self.program.forward(self.reading.values))


def as_function(target: Asked, graph: Graph, part: Below | None, network: Network) -> Target:
    """A target as one of the output of ``graph``: the network's layers, or the ``part`` that a unit or a contrast makes."""
    if isinstance(target, Unit):
        return target.at(graph, graph.output)
    if isinstance(target, Contrast):
        return target.initial(part is not None, network.graph.layers[network.output].shape)
    return target


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

    def explanation(self, target: Asked, last: bool, frames: int = 4) -> Explanation:
        """One target's; after the ``last`` one nothing of the sweep is left. ``frames`` away is the caller's line."""
        network, (graph, values), models, program, _, passage, *_ = self.request
        target = self.request.target(target)
        if program is None or self.swept is None:
            return by_definition(self.request, target, frames + 1)
        initial = initial_relevance(self.swept.output, target)
        values = {j: x.clone() if x.is_inference() else x for j, x in values.items()}  # torch counts no change of these
        replay = Replay(network, graph, models, values, versions(values, initial), initial, target, passage)
        watch = Watch(passage) if passage else None
        relevance = program.backward(self.swept, initial, values, last, watch)
        parts = tuple(relevance.values())
        ends = Ends.of(parts, initial)
        if (ends.gone and vanishes(parts, initial, tuple(values.values()))) or not self.swept.holds(relevance):
            done = replay.run()  # says what is wrong, or finds that nothing is
            relevance, watch, replay = done.relevance, done.watch, replay._replace(done=done)
        hidden = watch.hidden(graph.layers) if watch else {}
        found = Explanation(network.named(apart(relevance, initial)), self.swept.output.clone(), initial, replay, hidden)
        return checked(found, ends, replay, frames)


def by_definition(request: Request, target: Target, frames: int = 5) -> Explanation:
    """The explanation by one pass that finds the balances too."""
    network, (graph, values), models, _, _, passage, *_ = request
    swept = sweep(graph, models, values, target, passage=passage)
    initial = initial_relevance(swept.output, target)
    replay = Replay(network, graph, models, values, versions(values, initial), initial, target, passage)
    done = replay.descend(swept)
    finished, hidden = replay._replace(done=done), done.watch.hidden(graph.layers)
    found = Explanation(network.named(apart(done.relevance, initial)), swept.output.clone(), initial, finished, hidden)
    return checked(found, Ends.of(found.parts, initial), finished, frames)


def apart(relevance: Values, initial: Tensor) -> dict[int, Tensor]:
    """Relevance in memory of its own, where it is the initial relevance handed down as it was."""
    place = initial.untyped_storage().data_ptr()
    return {j: r.clone() if r.untyped_storage().data_ptr() == place else r for j, r in relevance.items()}


def checked(found: Explanation, ends: Ends, replay: Replay, frames: int) -> Explanation:
    """The explanation, with a warning where its relevance outgrows what is explained (once for a plan on a network) or is
    too small for its dtype; the caller's line is so many frames away."""
    if ends.small or replay.done is not None:  # worth a pass, or found already
        where = lost_at(replay.records(), found.parts)
        if where:
            warnings.warn(too_small(found.initial, where), UnderflowWarning, stacklevel=frames)
    if ends.grown:
        replay.graph.base.warned.get(
            (replay.models,),
            lambda: warnings.warn(message(found.layers, found.growth), GrowthWarning, stacklevel=frames + 2),
        )
    return found
