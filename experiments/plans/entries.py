"""A plan entry by entry: selectors, and for each a rule of the catalogue or an object by ``_target_``."""

from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor

from dtd.errors import DTDError
from dtd.plans.entry import Entry, Model
from dtd.plans.plan import Plan
from dtd.plans.rules import choose
from experiments.configs.base import Bias, ConfigError, require
from experiments.configs.plans import EntriesConfig, EntryConfig
from experiments.configs.targets import TARGET, build
from experiments.plans.rule import check_parameters, check_rule
from experiments.plans.selectors import selector


def plan(config: EntriesConfig, patterns: Mapping[str, Tensor], bias: Bias | None, trusted: Sequence[str], key: str) -> Plan:
    """The plan; ``bias`` takes the place of every rule's own. Raises :class:`ConfigError`, naming the key."""
    require(bool(config.entries), f"{key}.entries", "a list with at least one entry", "an empty list")
    made = []
    for i, entry in enumerate(config.entries):
        here = f"{key}.entries[{i}]"
        require((entry.rule is None) != (entry.model is None), here, "given either 'rule' or 'model'", shown(entry))
        if entry.rule is None:
            model = target(entry, bias, trusted, here)
        else:
            model = rule(entry, (bias or entry.bias or config.bias).value, patterns, trusted, here)
        made.append(Entry(selector(entry.where, f"{here}.where"), model, entry.optional))
    return Plan(made)


def shown(entry: EntryConfig) -> str:
    """What an entry is given."""
    return " and ".join(f"'{name}'" for name in ("rule", "model") if getattr(entry, name) is not None) or "neither"


def rule(entry: EntryConfig, bias: str, patterns: Mapping[str, Tensor], trusted: Sequence[str], key: str) -> Model:
    """A choice of the catalogue; the pattern rule takes the data's patterns."""
    check_rule(entry.rule, f"{key}.rule")
    given: dict[str, Any] = build(entry.parameters, trusted, f"{key}.parameters")
    check_parameters(entry.rule, given, f"{key}.parameters")
    return choose(entry.rule, bias, **({"pattern": patterns} | given if entry.rule == "pattern" else given))


def target(entry: EntryConfig, bias: Bias | None, trusted: Sequence[str], key: str) -> Model:
    """The object that a node names."""
    require(entry.bias is None and not entry.parameters, key, "without bias and parameters beside 'model'", "them")
    require(
        isinstance(entry.model, Mapping) and TARGET in entry.model, f"{key}.model", f"a mapping with '{TARGET}'", entry.model
    )
    require(bias is None, "bias", f"left out, or given in the arguments of {key}.model, which is no rule", bias)
    model = build(entry.model, trusted, f"{key}.model")
    try:
        Plan([("*", model)])
    except DTDError as error:
        raise ConfigError(f"'{key}.model': {error}") from error
    return model
