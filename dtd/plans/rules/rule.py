"""A rule of the literature, and the choice of one with its parameters."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from inspect import Parameter, signature
from typing import Any

from dtd.callers.printing import shown
from dtd.direction import Direction
from dtd.errors import InputError
from dtd.lrp import LRPRule
from dtd.plans.rules.conditions import Condition
from dtd.propagation import Layer
from dtd.root import Bias, Ray, RootStrategy, check_bias

SYMBOLS = {"alpha": "α", "beta": "β", "gamma": "γ", "epsilon": "ε"}
REQUIRED = Parameter.empty


@dataclass(frozen=True)
class Rule:
    """One rule of the literature: the root whose first-order terms it is, and the papers' formula of the same relevance.

    ``roots`` is the class of the search direction, for a rule with one root on a ray, or else a function of ``bias`` and the
    parameters that returns the root strategy. ``formula`` is the explicit rule's class. Both take the same parameters with
    the same defaults, which is asserted for the whole catalogue when it is imported.
    """

    name: str
    alias: str  # in print
    roots: type[Direction] | Callable[..., RootStrategy]
    formula: Callable[..., LRPRule]
    along: str  # the direction v_j, in print
    condition: Condition
    reference: str

    @property
    def parameters(self) -> dict[str, Any]:
        """The rule's parameters and their defaults; ``REQUIRED`` for one that has to be given."""
        return parameters_of(self.formula)

    def derived(self, bias: Bias = "fixed", **parameters: Any) -> RootStrategy:
        """The root strategy; raises :class:`InputError` for a parameter that the rule's family does not have."""
        if isinstance(self.roots, type):
            return Ray(self.roots(**parameters), bias)
        return self.roots(bias=bias, **parameters)

    def explicit(self, bias: Bias = "fixed", **parameters: Any) -> LRPRule:
        """The explicit rule; raises :class:`InputError` for the same parameters."""
        return self.formula(bias=bias, **parameters)

    def __repr__(self) -> str:
        return f"rule({', '.join([repr(self.name), *named(self.parameters)])})"


@dataclass(frozen=True)
class Choice:
    """A rule of the catalogue with its bias mode and parameters, before it is known which layer it is for.

    A parameter that is a mapping is looked up by layer name (patterns, one γ for each layer). Raises :class:`InputError`,
    when it is made, for a parameter that the rule does not have, that it lacks, or whose value its family does not have,
    those of a mapping included; and for a layer that a mapping leaves out, when that layer is bound.
    """

    rule: Rule
    bias: Bias
    parameters: tuple[tuple[str, Any], ...]

    def __post_init__(self):
        check_bias(self.bias)
        name, known, given = self.rule.name, self.rule.parameters, dict(self.parameters)
        for parameter in given:
            if parameter not in known:
                raise InputError(
                    f"Rule '{name}' has no parameter '{parameter}'; it has {', '.join(known) or 'none but bias'}."
                )
        for parameter, default in known.items():
            if default is REQUIRED and parameter not in given:
                raise InputError(f"Rule '{name}' needs '{parameter}': give choose('{name}', {parameter}=…).")
        for layer in self._layers():
            try:
                values = self._of(layer)
                self.rule.derived(self.bias, **values), self.rule.explicit(self.bias, **values)
            except InputError as error:
                of = "" if layer is None else f" of layer '{layer}'"
                raise InputError(f"Rule '{name}' cannot take its parameters{of}: {error}") from error

    def _layers(self) -> Iterator[str | None]:
        """The layers for which all parameters are known; None alone where they are the same for every layer."""
        mappings = [value for _, value in self.parameters if isinstance(value, Mapping)]
        if not mappings:
            yield None
        else:
            yield from (layer for layer in mappings[0] if all(layer in mapping for mapping in mappings))

    def _of(self, layer: str | None) -> dict[str, Any]:
        values = {}
        for name, value in self.parameters:
            if isinstance(value, Mapping):
                if layer not in value:
                    raise InputError(f"'{name}' of rule '{self.rule.name}' has no entry for layer '{layer}'.")
                value = value[layer]
            values[name] = value
        return values

    def derived(self, layer: Layer) -> RootStrategy:
        """The root strategy for a layer."""
        return self.rule.derived(self.bias, **self._of(layer.name))

    def explicit(self, layer: Layer) -> LRPRule:
        """The explicit rule for a layer."""
        return self.rule.explicit(self.bias, **self._of(layer.name))

    def __repr__(self) -> str:
        values = named(self.rule.parameters | dict(self.parameters))
        return f"rule({', '.join([repr(self.rule.name), *values, f'bias={self.bias!r}'])})"


def parameters_of(made: Callable[..., Any]) -> dict[str, Any]:
    """The parameters of a direction, a root strategy or an explicit rule, but for the bias mode, and their defaults."""
    return {name: parameter.default for name, parameter in signature(made).parameters.items() if name != "bias"}


def named(parameters: Mapping[str, Any]) -> list[str]:
    """Parameters in print; those that are left out or have no default are not shown."""
    given = {name: value for name, value in parameters.items() if value is not None and value is not REQUIRED}
    return [f"{SYMBOLS.get(name, name)}={shown(value)}" for name, value in given.items()]
