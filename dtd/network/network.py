"""A traced network: layers over the model's own parameters."""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from threading import RLock
from typing import Any

from torch import Tensor, nn

from dtd.callers.arithmetic import own_arithmetic
from dtd.callers.drawing import Drawn
from dtd.domain import Domain
from dtd.errors import DTDError, InputError
from dtd.network.build import Builder, Built
from dtd.network.form import Form
from dtd.network.graph import Graph, Reading
from dtd.network.leaves import Inputs, Signature
from dtd.network.lengths import at_length_one
from dtd.network.precision import current
from dtd.network.reader import Axes, check_ids, check_leaves
from dtd.network.state import Snapshot
from dtd.network.table import shown_shape, table, table_rows
from dtd.propagation import Layer

SIZES = 4  # how many sizes layers are kept for


@dataclass(eq=False, repr=False)
class Network(Drawn):
    """The layers of a model, in an order in which each comes after its inputs.

    The network reads the model's live parameters: when one changes (in place, by assignment, ``load_state_dict`` or
    ``to``), the layers are built anew at the next use. Writing through ``tensor.data`` is the one change that torch does
    not count; call :meth:`refresh` after it. Any other change of the model (a module of another class, a hook, training
    mode where a module asks for it, an attribute such as ``eps``, another shape) is a :class:`StaleError` at the next use:
    ``network.retrace(network.model)`` traces the model as it is now, in the same way. The model is never written to.
    Threads may use one network at once. Where an axis of an input varies, layers are kept for the last few sizes; the
    properties below have the example's.

    >>> import dtd, torch
    >>> net = dtd.trace(torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.ReLU()), torch.ones(1, 2))
    >>> [(layer.name, layer.kind, layer.image) for layer in net.layers]
    [('0', 'dense', Real()), ('1', 'relu', NonNegative())]
    """

    model: nn.Module
    builder: Builder
    signature: Signature
    axes: Axes
    example: tuple[Tensor, ...]  # one sample of each tensor among the inputs, as exported
    domains: tuple[Domain, ...]  # of the explained inputs
    retrace: partial  # of the model: traces it as this one was
    gradients: bool = False  # whether layers are differentiable functions of the parameters
    form: Form | None = None  # the rest of the model as it was traced; None while it is being traced
    _state: Snapshot | None = field(default=None, init=False, repr=False)
    _tensors: dict[str, Tensor] | None = field(default=None, init=False, repr=False)  # of the model in the state
    _built: OrderedDict[tuple, Built] = field(default_factory=OrderedDict, init=False, repr=False)
    _checked: set[str] = field(default_factory=set, init=False, repr=False)  # names of tensors that were found finite
    _short: dict[tuple, "Network"] = field(default_factory=dict, init=False, repr=False)  # by the axes that are 1 long
    _lock: Any = field(default_factory=RLock, init=False, repr=False)  # of the five above

    def built(self, leaves: tuple[Tensor, ...]) -> Built:
        """The layers over the parameters as they are now, at the sizes of one sample.

        Raises :class:`StaleError` where more of the model changed than the values of its tensors.
        """
        with self._lock:
            if self._state is None or not self._state.holds():
                if self.form is not None:
                    self.form.check(self.model)
                self._state = Snapshot.of(self.model, self.form.written if self.form else ())
                self._tensors, self._built, self._checked = None, OrderedDict(), set()
            key = self.axes.sizes(leaves)
            if key not in self._built:
                with own_arithmetic(self.gradients):
                    self._tensors = self.tensors if self._tensors is None else self._tensors
                    self._built[key] = self.builder(self.domains, self._tensors, list(leaves), self._checked)
                while len(self._built) > SIZES:
                    self._built.popitem(last=False)
            elif len(self._built) > 1:
                self._built.move_to_end(key)
            return self._built[key]

    @property
    def graph(self) -> Graph:
        """The layers over the parameters as they are now, at the example's sizes."""
        return self.built(self.example).graph

    def read(self, inputs: Inputs) -> Reading:
        """The layers at the sizes and side values of inputs, and the values of those that are explained.

        Raises :class:`InputError`, :class:`DomainError` or :class:`NonFiniteError` for inputs that do not fit: of another
        structure, shape, dtype or device than traced, outside of a domain, with ids out of range.
        """
        leaves = self.signature.tensors(inputs)
        if self.axes.simple:
            graph = self.graph
            graph.inputs[0].check(leaves[0], graph.like)
            return Reading(graph, {-1: leaves[0]})
        short = self.axes.short(leaves)
        if short:
            return self.shorter(short, leaves).read(inputs)
        batch = check_leaves(self.axes, leaves, self.example)
        check_ids(self.axes, leaves)
        try:
            built, results = self.evaluated(leaves, batch)
        except DTDError:
            raise
        except Exception as error:
            raise InputError(f"The model does not take inputs of these sizes and values together: {error}.") from error
        graph, sides = built.graph, built.sides
        values = {}
        for k, (given, source) in enumerate(zip(graph.inputs, built.sources, strict=True)):
            value = leaves[source] if source < sides.leaves else results[source]
            value = value if value.shape[1:] == given.shape else value.reshape(len(value), *given.shape)
            values[-1 - k] = value.expand(batch, *given.shape) if len(value) != batch else value
            given.check(values[-1 - k], graph.like, self.axes.called(given.name))
        return Reading(graph.at(results), values)

    def evaluated(self, leaves: list[Tensor], batch: int) -> tuple[Built, dict[int, Tensor]]:
        """The layers at the sizes of checked inputs, and the side values that they and the look-ups need."""
        axes = self.axes
        first = [leaf[:1] if batch else leaf.new_zeros(1, *leaf.shape[1:]) for leaf in leaves]
        one = [each if b else leaf for leaf, each, b in zip(leaves, first, axes.batched, strict=True)]
        built = self.built(tuple(leaf[0] if k in axes.wide else leaf for k, leaf in enumerate(one)))
        looked_up = tuple(source for source in built.sources if source >= built.sides.leaves)
        wanted = tuple(dict.fromkeys((*looked_up, *built.graph.sides)))
        with own_arithmetic(self.gradients):
            return built, built.sides.run(leaves, list(axes.batched), wanted)

    def shorter(self, short: tuple[tuple[int, int], ...], leaves: list[Tensor]) -> "Network":
        """The model traced where some axes are 1 long: such an axis broadcasts, so that the graph is another one."""
        with self._lock:
            if short not in self._short:
                self._short[short] = at_length_one(self.retrace, self.model, self.signature, short, leaves)
            return self._short[short]

    @property
    def tensors(self) -> dict[str, Tensor]:
        """The model's parameters and buffers as they are now, by name, those in half precision as float32."""
        return current(self.model)

    def refresh(self) -> None:
        """Build the layers anew at the next use, whatever torch says about the parameters."""
        self._state = None

    def within(self, *domains: Domain) -> "Network":
        """The same network with other domains of its explained inputs."""
        if len(domains) != len(self.domains):
            raise InputError(f"The network has {len(self.domains)} explained inputs; found {len(domains)} domains.")
        by_name = {each.name: domain for each, domain in zip(self.builder.explained, domains, strict=True)}
        return replace(self, domains=domains, retrace=partial(self.retrace, domain=by_name))

    @property
    def layers(self) -> tuple[Layer, ...]:
        """The layers, lowest first."""
        return self.graph.layers

    @property
    def output(self) -> int:
        """Index of the layer whose output is the network's."""
        return self.graph.output

    @property
    def domain(self) -> Domain:
        """Of the first explained input."""
        return self.domains[0]

    @property
    def shape(self) -> tuple[int, ...]:
        """Of one sample of the first explained input."""
        return self.graph.inputs[0].shape

    def __getitem__(self, name: str) -> Layer:
        """The layer with that name."""
        for layer in self.layers:
            if layer.name == name:
                return layer
        raise KeyError(f"No layer '{name}'; the layers are {', '.join(each.name for each in self.layers)}.")

    @property
    def weighted(self) -> tuple[Layer, ...]:
        """The layers with weights, lowest first: those a plan must speak for."""
        return self.graph.weighted

    def take(self, inputs: Inputs, rows: slice) -> Inputs:
        """Some of the samples."""
        leaves = self.signature.tensors(inputs)
        taken = [leaf[rows] if b else leaf for leaf, b in zip(leaves, self.axes.batched, strict=True)]
        return self.signature.structured(taken)

    def named(self, values: Mapping[int, Tensor]) -> Tensor | dict[str, Tensor]:
        """Values of the explained inputs: a tensor where the input is one, else by name."""
        if self.signature.alone and len(values) == 1:
            return values[-1]
        return {each.name: values[-1 - k] for k, each in enumerate(self.builder.explained)}

    def is_current(self, graph: Graph) -> bool:
        """Whether layers are still those of the model."""
        whole = graph.base.part_of or graph.base
        with self._lock:
            holds = self._state is not None and self._state.holds()
            mine = holds and any(built.graph is whole for built in self._built.values())
            return mine or any(each.is_current(graph) for each in self._short.values())

    def __reduce__(self):
        """A copy traces the copy of the model anew, in the same way."""
        return self.retrace, (self.model,)

    def __repr__(self) -> str:
        inputs = ", ".join(f"{each.name} {shown_shape(each.shape)}" for each in self.graph.inputs)
        return f"Network({type(self.model).__name__}, {len(self.layers)} layers, explained at {inputs})"

    def __str__(self) -> str:
        return table(self.graph)

    def _facts(self) -> tuple[str, list[tuple[str, ...]]]:
        return repr(self), table_rows(self.graph)
