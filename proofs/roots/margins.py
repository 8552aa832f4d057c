"""The margins of a rule's condition, as numbers or symbols."""

from typing import Any

from dtd.plans.rules import Rule


def margins_of(rule: Rule, units: Any, *parameters: Any, **named: Any) -> tuple[Any, ...]:
    """What has to be ≤ 0 for the root to lie in the domain; only for a rule whose condition is stated in margins."""
    if rule.condition.margins is None:
        raise ValueError(f"'{rule.name}' must have a condition with margins for this proof; found: {rule.condition.text}.")
    return rule.condition.margins(units, *parameters, **named)
