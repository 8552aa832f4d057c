"""Plans: which relevance model speaks for which layer."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from dtd.affine import AffineMap, Diagonal
from dtd.callers.drawing import Drawn
from dtd.callers.printing import columns, shown
from dtd.errors import InputError, PlanError
from dtd.lrp import LRPRule, LRPWSquare, LRPZero
from dtd.network.graph import Graph
from dtd.network.network import Network
from dtd.plans.entry import Entry, Model, as_entry, line
from dtd.plans.follow import bias_of, follow_bias
from dtd.plans.pooling import MaxAsAverage
from dtd.plans.rules import Choice, choose
from dtd.plans.where import Where, every, kind
from dtd.propagation import Layer, Propagation
from dtd.relevance import Linear, RelevanceModel, TrainingFree, default
from dtd.relevance.formulas import ALIKE
from dtd.root import Bias, RootStrategy

MAX_POOL = kind("max_pool")

FORMS = "a list of entries (where, model), or a choice of the catalogue for all layers with weights: Plan.uniform('gamma')"


@dataclass(frozen=True, init=False, repr=False)
class Plan(Drawn):
    """Entries ``(where, model)``; for each layer the first entry that matches it speaks.

    ``where`` is a selector of :mod:`dtd.where` or a glob over layer names. ``model`` is a relevance model, a root
    strategy (completed to :class:`TrainingFree` where a ReLU follows and :class:`Linear` elsewhere), a choice of the
    catalogue (``dtd.rules.choose``), an explicit LRP rule, :class:`Generic` for any layer, or what a kind of layer has
    beside its default (:class:`MaxAsAverage`, :class:`ProductShares`, :class:`MatMulShares`, :class:`Identity`). Layers
    without weights that no entry names keep their defaults (:func:`dtd.relevance.default.default`): LRP-0 for sums and
    averages, the winner for max pooling, halves for products (at a gate the signal takes all), softmax at the data point,
    norms with their scale held; what has one input (pointwise functions, products with constants) passes its relevance.
    Norms and sums with constants are under the bias mode of the next layer with weights.

    :meth:`bind` raises :class:`PlanError` for a layer with weights that no entry matches, and for an entry that speaks for
    no layer, because it matches none or because earlier entries match all that it matches (unless it is optional).
    ``print(plan)`` shows the entries, ``print(plan.table(network))`` what each layer gets.

    z⁺ for the first layer with weights, LRP-0 with a bias neuron for the others.

    >>> import dtd
    >>> dtd.Plan([(dtd.where.first, dtd.rules.choose("zplus")), ("*", dtd.rules.choose("lrp0", bias="neuron"))])
    Plan (derived)
      first      rule('zplus', bias='fixed')
      name('*')  rule('lrp0', bias='neuron')
    """

    entries: tuple[Entry, ...]
    formulas: bool = False
    note: str = ""  # where it comes from, or why it was chosen

    def __init__(self, entries: Sequence[Entry | tuple[str | Where, Model]], formulas: bool = False, note: str = ""):
        if isinstance(entries, (str, Mapping)) or not isinstance(entries, Iterable):
            raise PlanError(f"A plan is made of {FORMS}; found {type(entries).__name__}.")
        object.__setattr__(self, "entries", tuple(as_entry(each) for each in entries))
        object.__setattr__(self, "formulas", formulas)
        object.__setattr__(self, "note", note)

    def __repr__(self) -> str:
        width = max((len(repr(each.where)) for each in self.entries), default=0)
        return "\n".join([self._title(), *(f"  {line(each, width)}" for each in self.entries)])

    def _title(self) -> str:
        kind = "explicit rules" if self.formulas else "derived"
        return f"Plan ({kind}{f'; {self.note}' if self.note else ''})"

    def _facts(self) -> tuple[str, list[tuple[str, ...]]]:
        entries = ((repr(each.where), f"{each.model!r}{' (optional)' if each.optional else ''}") for each in self.entries)
        return self._title(), [("where", "model"), *entries]

    @classmethod
    def uniform(cls, rule: str, bias: Bias = "fixed", **parameters: Any) -> "Plan":
        """One rule of the catalogue for every layer with weights.

        At ``a = (1, 1)`` the unit ``3 a_1 − 2 a_2`` is worth 1; with γ = 1 its terms are ``(6, −2) / 4``:

        >>> import dtd, torch
        >>> unit, a = torch.nn.Linear(2, 1, bias=False).double(), torch.ones(1, 2).double()
        >>> unit.weight.data[:] = torch.tensor([3.0, -2.0])
        >>> dtd.explain(dtd.trace(unit, a), a, 0, dtd.Plan.uniform("gamma", gamma=1.0)).relevance.tolist()
        [[1.5, -0.5]]
        """
        return cls([Entry(every, choose(rule, bias, **parameters))])

    def explicit(self) -> "Plan":
        """The same plan by the explicit LRP rules; for choices of the catalogue, explicit rules and those of curved layers.

        A choice is checked when it is made, on both sides alike: what the derived plan refuses the explicit one refuses too.
        """
        for entry in self.entries:
            if not isinstance(entry.model, (Choice, MaxAsAverage, LRPRule, *ALIKE)):
                raise PlanError(
                    f"Only rules of the catalogue have an explicit form; {entry.model!r} has none. Use dtd.rules.choose."
                )
        return Plan(self.entries, formulas=True, note=self.note)

    def average_pooling(self) -> "Plan":
        """The same plan with max pooling as average pooling, :class:`MaxAsAverage`.

        Each is under the rule that speaks for layers with weights at its depth if that is LRP-0 or LRP-ε, and under LRP-0
        otherwise, which is what LRP-γ, z⁺ and αβ are where all weights are equal and inputs are ≥ 0.
        """
        made = []
        for entry in self.entries:
            rule = entry.model
            same = isinstance(rule, Choice) and rule.rule.name in ("lrp0", "epsilon")
            average = MaxAsAverage(rule) if same and isinstance(rule, Choice) else MaxAsAverage()
            made.append(Entry(MAX_POOL & entry.where, average, optional=True))
        return Plan([*made, Entry(MAX_POOL, MaxAsAverage(), optional=True), *self.entries], self.formulas)

    def bind(self, network: Network | Graph) -> tuple[Propagation, ...]:
        """The propagation of every layer of a network, in order; found once for the same parameters."""
        graph = network.graph if isinstance(network, Network) else network
        return graph.plans.get((self,), lambda: self._bind(graph))

    def table(self, network: Network | Graph) -> str:
        """What each layer of a network gets, as text: one line for each, with its kind and its propagation.

        Raises what :meth:`bind` raises.
        """
        rows = [("layer", "kind", "rule", "bias")]
        for layer, chosen, model in self.speakers(network):
            rule = f"{model!r} (default)" if chosen is None else repr(chosen)
            rows.append((layer.name, layer.kind, rule, bias_of(model)))
        return columns(rows)

    def speakers(self, network: Network | Graph) -> list[tuple[Layer, Model | None, Propagation]]:
        """Each layer, what the entry that speaks for it chose (None: the layer's default), and what that was bound to.

        Raises what :meth:`bind` raises.
        """
        graph = network.graph if isinstance(network, Network) else network
        found: list[tuple[Layer, Model | None, Propagation]] = []
        for layer, model in zip(graph.layers, self.bind(graph), strict=True):
            taken = self._matching(layer, graph)
            found.append((layer, self.entries[taken[0]].model if taken else None, model))
        return found

    def _matching(self, layer: Layer, network: Graph) -> list[int]:
        return [i for i, each in enumerate(self.entries) if each.where.matches(layer, network)]

    def _bind(self, network: Graph) -> tuple[Propagation, ...]:
        bound, missing, matched, used, unnamed = [], [], set(), set(), []
        for layer in network.layers:
            matching = self._matching(layer, network)
            matched.update(matching)
            used.update(matching[:1])
            if matching:
                bound.append(self._model(self.entries[matching[0]].model, layer))
            elif layer.weighted:
                missing.append(f"{layer.name} ({layer.kind}, receives {layer.domain})")
            else:
                unnamed.append(len(bound))
                bound.append(self._default(layer))
        if missing:
            raise PlanError(f"No entry of the plan speaks for {'; '.join(missing)}. Add one, or a last entry for 'every'.")
        self._check_idle(network, matched, used)
        return tuple(follow_bias(bound, unnamed, network, self.formulas))

    def _check_idle(self, network: Graph, matched: set[int], used: set[int]) -> None:
        """Raise :class:`PlanError` for entries that speak for no layer, unless they are optional."""
        idle = [i for i, each in enumerate(self.entries) if i not in used and not each.optional]
        nothing = [repr(self.entries[i].where) for i in idle if i not in matched]
        behind = [repr(self.entries[i].where) for i in idle if i in matched]
        if nothing:
            raise PlanError(
                f"These entries match no layer: {', '.join(nothing)}. The layers with weights are "
                f"{', '.join(layer.name for layer in network.weighted)}; others are selected by dtd.where.kind."
            )
        if behind:
            raise PlanError(
                f"These entries speak for no layer, since earlier entries match every layer that they match: "
                f"{', '.join(behind)}. Put them before those, leave them out, or make them Entry(..., optional=True)."
            )

    def _model(self, model: Model, layer: Layer) -> Propagation:
        if isinstance(model, (Choice, MaxAsAverage)):
            model = model.explicit(layer) if self.formulas else model.derived(layer)
        if isinstance(model, RootStrategy):
            model = (TrainingFree if layer.rectified else Linear)(model)
        if isinstance(model, RelevanceModel):
            model = replace(model, root=model.root.placed(layer.name))
        if not model.accepts(layer):
            raise PlanError(f"{shown(model)} is not defined for layer '{layer.name}' ({layer.kind}). Select other layers.")
        return model

    def _default(self, layer: Layer) -> Propagation:
        if self.formulas and isinstance(layer.op, AffineMap):
            return LRPWSquare() if isinstance(layer.op, Diagonal) else LRPZero()
        return default(layer.op)


def check_asked(network: Network, plan: Plan) -> None:
    """Raises :class:`InputError` for a network that was not traced, :class:`PlanError` for what is no plan."""
    if not isinstance(network, Network):
        raise InputError(f"'network' must come from dtd.trace(model, example_inputs); found {type(network).__name__}.")
    if not isinstance(plan, Plan):
        raise PlanError(f"'plan' must be a dtd.Plan (presets are functions: call them); found {type(plan).__name__}.")
