"""Other roots for a whole plan."""

from dataclasses import dataclass, replace

from dtd.network import Network
from dtd.network.graph import Graph
from dtd.plans.entry import Entry
from dtd.plans.plan import Plan
from dtd.plans.where import Where, every
from dtd.propagation import Layer
from dtd.relevance import RelevanceModel
from dtd.root import Mix, Nearest, Ray, RootStrategy
from experiments.configs.base import Bias, Root


@dataclass(frozen=True)
class Only(Where):
    """One layer."""

    layer: str

    def holds(self, layer: Layer, network: Network | Graph) -> bool:
        return layer.name == self.layer

    def matches(self, layer: Layer, network: Network | Graph) -> bool:
        return self.holds(layer, network)


def rooted(plan: Plan, root: Root | None, bias: Bias | None, network: Network) -> Plan:
    """The plan with its own roots, with roots anywhere on the same lines, or with the nearest roots in their place."""
    if root is None:
        return plan
    if root is Root.nearest:
        return Plan([Entry(every, Nearest(bias=(bias or Bias.fixed).value))])
    models = zip(network.layers, plan.bind(network), strict=True)
    return Plan([Entry(Only(layer.name), on_line(layer, model)) for layer, model in models])


def on_line(layer: Layer, model):
    """A relevance model whose searches accept roots behind the data point; anything else as it is."""
    return replace(model, root=unbounded(model.root)) if isinstance(model, RelevanceModel) else model


def unbounded(strategy: RootStrategy) -> RootStrategy:
    """The same search, which accepts roots on the whole line."""
    if isinstance(strategy, Mix):
        return Mix(tuple((weight, unbounded(part)) for weight, part in strategy.parts))
    return replace(strategy, line=True) if isinstance(strategy, Ray) else strategy
