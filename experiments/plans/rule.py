"""One rule of the catalogue on a whole network, wherever its domain lets it; what each layer got is written down."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from dtd.affine import AffineMap
from dtd.domain import Box, NonNegative
from dtd.errors import InputError
from dtd.estimate.patterns import estimate_patterns
from dtd.network import Network
from dtd.network.activations import activations
from dtd.network.graph import Graph
from dtd.plans.entry import Entry
from dtd.plans.plan import Plan
from dtd.plans.rules import catalogue, choose
from dtd.plans.where import Weighted, every
from dtd.propagation import Layer
from experiments.configs.base import ConfigError, require

FROM_DATA = {"zbox", "pattern"}  # rules that take something from data: ranges of layers without a box, patterns
MARGIN = 0.01  # a measured range is widened by this share of itself, so that rounding cannot leave it


@dataclass(frozen=True)
class Signed(Weighted):
    """Layers with weights whose inputs may be negative."""

    def holds(self, layer: Layer, network: Network | Graph) -> bool:
        return not layer.domain.within(NonNegative())


@dataclass(frozen=True, eq=False)
class Measured:
    """What rules take from data, by layer.

    # shape: patterns as the layer's weight
    """

    ranges: Mapping[str, tuple[float, float]]
    patterns: Mapping[str, Tensor]

    def to(self, dtype: torch.dtype) -> "Measured":
        """What was measured, with patterns in another precision."""
        return Measured(self.ranges, {name: pattern.to(dtype) for name, pattern in self.patterns.items()})


NOTHING = Measured({}, {})


def check_rule(rule: str, key: str) -> None:
    """Raises :class:`ConfigError` for a rule that the catalogue lacks."""
    require(rule in catalogue, key, f"a rule of the catalogue ({', '.join(catalogue)})", rule)


def check_parameters(rule: str, parameters: Mapping[str, Any], key: str) -> None:
    """Raises :class:`ConfigError` for parameters that a rule does not take."""
    valid = catalogue[rule].parameters
    for name in parameters:
        require(name in valid, key, f"parameters of '{rule}' ({', '.join(valid) or 'none'})", name)
    numbers = {name: value for name, value in parameters.items() if not isinstance(value, Mapping)}  # others go by layer
    if rule not in FROM_DATA:
        try:
            catalogue[rule].derived(**numbers)
        except InputError as error:
            raise ConfigError(f"'{key}' do not fit '{rule}': {error}") from error


def measure(network: Network, train: Tensor, explained: Tensor) -> Measured:
    """Patterns from the training data; ranges of the layers' inputs from all data."""
    return Measured(input_ranges(network, [train, explained]), estimate_patterns(network, [train]))


def input_ranges(network: Network, batches: Iterable[Tensor]) -> dict[str, tuple[float, float]]:
    """Lowest and highest value that each layer with weights receives, with a margin; not below 0 on ``a ≥ 0``."""
    seen: dict[str, tuple[float, float]] = {}
    for batch in batches:
        for layer, a, _ in activations(network, batch):
            if layer.weighted:
                low, high = seen.get(layer.name, (float("inf"), -float("inf")))
                seen[layer.name] = min(low, a.min().item()), max(high, a.max().item())
    margins = {name: MARGIN * (high - low) for name, (low, high) in seen.items()}
    floors = {layer.name: 0.0 if layer.domain.nonnegative else -float("inf") for layer in network.weighted}
    return {name: (max(low - margins[name], floors[name]), high + margins[name]) for name, (low, high) in seen.items()}


@dataclass(frozen=True, eq=False)
class Assigned:
    """A plan, and in words what each affine layer got."""

    plan: Plan
    used: Mapping[str, str]


@dataclass(frozen=True)
class Request:
    """A rule of the catalogue, its bias mode and its numbers."""

    rule: str
    bias: str
    parameters: Mapping[str, float] = field(default_factory=dict)

    def assign(self, network: Network, measured: Measured) -> Assigned:
        """The rule for every layer with weights, as far as its domain condition goes.

        Where inputs may be negative, z⁺ gives way to its signed form. z^B takes each layer's inferred box, or where
        that is none the range measured on the data. Patterns are those of the data.
        """
        used = {layer.name: self.rule for layer in network.weighted} | defaults(network)
        entries, given = [], dict(self.parameters)
        if self.rule == "zplus":
            entries = [Entry(Signed(), choose("zplus_signed", self.bias), optional=True)]
            negative = [layer for layer in network.weighted if Signed().matches(layer, network)]
            used |= {layer.name: f"zplus_signed (receives {layer.domain})" for layer in negative}
        elif self.rule == "zbox":
            given |= bounds_of(network, measured)
            boxless = [layer.name for layer in network.weighted if not isinstance(layer.domain, Box)]
            used |= {name: "zbox [{:.3g}, {:.3g}] (range of the data)".format(*measured.ranges[name]) for name in boxless}
        elif self.rule == "pattern":
            given["pattern"] = measured.patterns
        return Assigned(Plan([*entries, Entry(every, choose(self.rule, self.bias, **given))]), used)


def bounds_of(network: Network, measured: Measured) -> dict[str, Any]:
    """Bounds for z^B by layer; None leaves the layer its inferred box."""
    boxes = {layer.name for layer in network.weighted if isinstance(layer.domain, Box)}
    pairs = {layer.name: (None, None) if layer.name in boxes else measured.ranges[layer.name] for layer in network.weighted}
    return {side: {name: pair[i] for name, pair in pairs.items()} for i, side in enumerate(("low", "high"))}


def defaults(network: Network) -> dict[str, str]:
    """What affine layers without weights get."""
    free = (layer for layer in network.layers if isinstance(layer.op, AffineMap) and not layer.weighted)
    return {layer.name: f"lrp0 (default of {layer.kind})" for layer in free}
