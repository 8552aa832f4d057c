"""Plans: which relevance model speaks for which layer."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from dtd.affine import AffineMap, Diagonal
from dtd.errors import InputError, PlanError
from dtd.lrp import LRPEpsilon, LRPRule, LRPWSquare
from dtd.network.graph import Graph
from dtd.network.network import Network
from dtd.plans.pooling import MaxAsAverage
from dtd.plans.rules import Choice, choose
from dtd.plans.where import Where, every, kind, selector
from dtd.propagation import Layer, Propagation
from dtd.relevance import Linear, TrainingFree, default
from dtd.root import RootStrategy

MAX_POOL = kind("max_pool")
Model = Propagation | RootStrategy | Choice | MaxAsAverage


@dataclass(frozen=True)
class Entry:
    """Layers and what they get; an ``optional`` entry may match nothing."""

    where: Where
    model: Model
    optional: bool = False


@dataclass(frozen=True, init=False)
class Plan:
    """Entries ``(where, model)``; for each layer the first entry that matches it speaks.

    ``where`` is a selector of :mod:`dtd.where` or a glob over layer names. ``model`` is a relevance model, a root
    strategy (completed to :class:`TrainingFree` where a ReLU follows and :class:`Linear` elsewhere), a choice of the
    catalogue (``dtd.rules.choose``), an explicit LRP rule, :class:`Generic` for any layer, or what a kind of layer has
    beside its default (:class:`MaxAsAverage`, :class:`ProductShares`, :class:`MatMulShares`, :class:`Identity`). Layers
    without weights that no entry names keep their defaults (:func:`dtd.relevance.default.default`): LRP-0 for sums and
    averages, the winner for max pooling, halves for products, softmax at the data point, LayerNorm with its scale held;
    what has one input (pointwise functions, products and sums with constants) passes its relevance.

    :meth:`bind` raises :class:`PlanError` for a layer with weights that no entry matches, and for an entry that matches
    nothing (unless it is optional).
    """

    entries: tuple[Entry, ...]
    formulas: bool = False

    def __init__(self, entries: Sequence[Entry | tuple[str | Where, Model]], formulas: bool = False):
        made = tuple(e if isinstance(e, Entry) else Entry(selector(e[0]), e[1]) for e in entries)
        for entry in made:
            if not isinstance(entry.model, Model):
                raise PlanError(
                    f"An entry's model must be a relevance model, a root strategy, a choice of the catalogue or an "
                    f"explicit rule; found {entry.model!r}."
                )
        object.__setattr__(self, "entries", made)
        object.__setattr__(self, "formulas", formulas)

    @classmethod
    def uniform(cls, rule: str, bias: str = "fixed", **parameters: Any) -> "Plan":
        """One rule of the catalogue for every layer with weights."""
        return cls([Entry(every, choose(rule, bias, **parameters))])

    def explicit(self) -> "Plan":
        """The same plan by the explicit LRP rules; defined for choices of the catalogue."""
        for entry in self.entries:
            if not isinstance(entry.model, (Choice, MaxAsAverage, LRPRule)):
                raise PlanError(
                    f"Only rules of the catalogue have an explicit form; {entry.model} has none. Use dtd.rules.choose."
                )
        return Plan(self.entries, formulas=True)

    def average_pooling(self) -> "Plan":
        """The same plan with max pooling as average pooling, :class:`MaxAsAverage`.

        Each is under the rule that speaks for layers with weights at its depth if that is LRP-0 or LRP-ε, and under LRP-0
        otherwise, which is what LRP-γ, z⁺ and αβ are where all weights are equal and inputs are ≥ 0.
        """
        made = []
        for entry in self.entries:
            same = isinstance(entry.model, Choice) and entry.model.rule.name in ("lrp0", "epsilon")
            average = MaxAsAverage(entry.model) if same else MaxAsAverage()
            made.append(Entry(MAX_POOL & entry.where, average, optional=True))
        return Plan([*made, Entry(MAX_POOL, MaxAsAverage(), optional=True), *self.entries], self.formulas)

    def bind(self, network: Network | Graph) -> tuple[Propagation, ...]:
        """The propagation of every layer of a network, in order; found once for the same parameters."""
        graph = network.graph if isinstance(network, Network) else network
        return graph.plans.get((self,), lambda: self._bind(graph))

    def _bind(self, network: Graph) -> tuple[Propagation, ...]:
        bound, missing, used = [], [], set()
        for layer in network.layers:
            matching = [i for i, entry in enumerate(self.entries) if entry.where.matches(layer, network)]
            used.update(matching)
            if matching:
                bound.append(self._model(self.entries[matching[0]].model, layer))
            elif layer.weighted:
                missing.append(f"{layer.name} ({layer.kind}, receives {layer.domain})")
            else:
                bound.append(self._default(layer))
        idle = [entry for i, entry in enumerate(self.entries) if i not in used and not entry.optional]
        if missing:
            raise PlanError(f"No entry of the plan speaks for {'; '.join(missing)}. Add one, or a last entry for 'every'.")
        if idle:
            raise PlanError(
                f"These entries match no layer: {', '.join(str(e.where) for e in idle)}. The layers with weights are "
                f"{', '.join(layer.name for layer in network.weighted)}; others are selected by dtd.where.kind."
            )
        return tuple(bound)

    def _model(self, model: Model, layer: Layer) -> Propagation:
        if isinstance(model, (Choice, MaxAsAverage)):
            model = model.explicit(layer) if self.formulas else model.derived(layer)
        if isinstance(model, RootStrategy):
            model = (TrainingFree if layer.rectified else Linear)(model)
        if not model.accepts(layer):
            raise PlanError(f"{model} is not defined for layer '{layer.name}' ({layer.kind}). Select other layers.")
        return model

    def _default(self, layer: Layer) -> Propagation:
        if self.formulas and isinstance(layer.op, AffineMap):
            return LRPWSquare() if isinstance(layer.op, Diagonal) else LRPEpsilon()
        return default(layer.op)


def check_asked(network: Network, plan: Plan) -> None:
    """Raises :class:`InputError` for a network that was not traced, :class:`PlanError` for what is no plan."""
    if not isinstance(network, Network):
        raise InputError(f"'network' must come from dtd.trace(model, example_inputs); found {type(network).__name__}.")
    if not isinstance(plan, Plan):
        raise PlanError(f"'plan' must be a dtd.Plan (presets are functions: call them); found {type(plan).__name__}.")
