"""Selectors of layers, written in YAML.

A selector is one of the names of ``dtd.where`` (``every``, ``first``, ``last``, ``dense``, ``convolutions``), or a mapping
with one key: ``name: "features.*"``, ``index: 0``, ``depth: [0, 3]``, ``fraction: [0, 0.5]``, ``kind: sum``,
``kind: [sum, average_pool]``, ``domain: Box``, ``not: …``, ``all: […, …]``, ``any: […, …]``.
"""

from collections.abc import Callable, Mapping
from functools import reduce
from operator import and_, or_
from typing import Any

from dtd import where
from dtd.domain import Box, NonNegative, Real
from dtd.plans.where import Where
from experiments.configs.base import require

DOMAINS = {each.__name__: each for each in (Box, NonNegative, Real)}
NAMED: Mapping[str, Where] = {name: each for name, each in vars(where).items() if isinstance(each, Where)}


def selector(node: Any, key: str) -> Where:
    """The selector that a node describes; raises :class:`ConfigError`, naming the key and what is valid."""
    forms = f"one of {', '.join(NAMED)}, or a mapping with one of {', '.join(FORMS)}"
    if isinstance(node, str):
        require(node in NAMED, key, f"{forms} (a layer by its name: {{name: {node}}})", node)
        return NAMED[node]
    valid = isinstance(node, Mapping) and len(node) == 1 and next(iter(node)) in FORMS
    require(valid, key, forms, node)
    ((form, value),) = node.items()
    return FORMS[form](value, f"{key}.{form}")


def by_name(value: Any, key: str) -> Where:
    require(isinstance(value, str), key, "a glob over layer names, in quotes", value)
    return where.name(value)


def by_index(value: Any, key: str) -> Where:
    require(is_integer(value), key, "a position, from 0 at the input or from -1 at the output", value)
    return where.index(value)


def by_depth(value: Any, key: str) -> Where:
    pair = (
        isinstance(value, list) and len(value) == 2 and is_integer(value[0]) and (value[1] is None or is_integer(value[1]))
    )
    require(pair, key, "[start, stop], two positions (stop: null for the end)", value)
    return where.depth(*value)


def by_fraction(value: Any, key: str) -> Where:
    pair = isinstance(value, list) and len(value) == 2 and all(isinstance(v, (int, float)) for v in value)
    require(pair and 0 <= value[0] < value[1] <= 1, key, "[start, stop], two shares of the depth from 0 to 1", value)
    return where.fraction(*value)


def by_kind(value: Any, key: str) -> Where:
    kinds = value if isinstance(value, list) else [value]
    require(bool(kinds) and all(isinstance(each, str) for each in kinds), key, "a kind of layer, or a list of them", value)
    return where.kind(*kinds)


def by_domain(value: Any, key: str) -> Where:
    require(isinstance(value, str) and value in DOMAINS, key, f"one of {', '.join(DOMAINS)}", value)
    return where.domain(DOMAINS[value])


def negated(value: Any, key: str) -> Where:
    return ~selector(value, key)


def combined(by: Callable[[Where, Where], Where]) -> Callable[[Any, str], Where]:
    """Several selectors in one."""

    def made(value: Any, key: str) -> Where:
        require(isinstance(value, list) and bool(value), key, "a list of selectors", value)
        return reduce(by, [selector(each, f"{key}[{i}]") for i, each in enumerate(value)])

    return made


def is_integer(value: Any) -> bool:
    """Whether a value is a whole number."""
    return isinstance(value, int) and not isinstance(value, bool)


FORMS: Mapping[str, Callable[[Any, str], Where]] = {
    "name": by_name,
    "index": by_index,
    "depth": by_depth,
    "fraction": by_fraction,
    "kind": by_kind,
    "domain": by_domain,
    "not": negated,
    "all": combined(and_),
    "any": combined(or_),
}
