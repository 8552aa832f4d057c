"""The catalogue: every LRP rule as a root strategy and as an explicit formula, with its domain condition and its source."""

from dtd.rules.catalogue import catalogue, choose
from dtd.rules.conditions import Condition
from dtd.rules.rule import SYMBOLS, Choice, Rule

__all__ = ["SYMBOLS", "Choice", "Condition", "Rule", "catalogue", "choose"]
