"""The catalogue: every LRP rule as a root strategy and as an explicit formula, with its domain condition and its source."""

from dtd.plans.rules.catalogue import catalogue, choose
from dtd.plans.rules.conditions import Condition
from dtd.plans.rules.looks import LOOKS, RuleLook
from dtd.plans.rules.rule import SYMBOLS, Choice, Rule

__all__ = ["LOOKS", "SYMBOLS", "Choice", "Condition", "Rule", "RuleLook", "catalogue", "choose"]
