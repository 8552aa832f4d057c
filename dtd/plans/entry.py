"""An entry of a plan: some layers and what they get."""

from dataclasses import dataclass
from typing import Any

from dtd.callers.printing import Printed, shown
from dtd.errors import PlanError
from dtd.plans.pooling import MaxAsAverage
from dtd.plans.rules import Choice
from dtd.plans.where import Where, selector
from dtd.propagation import Propagation
from dtd.root import RootStrategy

Model = Propagation | RootStrategy | Choice | MaxAsAverage
NO_MODEL = (
    "An entry's model must be a relevance model, a root strategy, a choice of the catalogue or an explicit rule; found {}."
)


@dataclass(frozen=True)
class Entry(Printed):
    """Layers and what they get; an ``optional`` entry may match nothing, or only layers that an earlier entry has taken.

    A rule for pooling, where there is any.

    >>> import dtd
    >>> dtd.Entry(dtd.where.kind("average_pool"), dtd.rules.choose("lrp0"), optional=True)
    Entry(kind('average_pool'), rule('lrp0', bias='fixed'), optional=True)
    """

    where: Where
    model: Model
    optional: bool = False

    def __post_init__(self):
        if not isinstance(self.where, Where):
            object.__setattr__(self, "where", selector(self.where))
        if not isinstance(self.model, Model):
            raise PlanError(NO_MODEL.format(shown(self.model)))
        if not isinstance(self.optional, bool):
            raise PlanError(f"An entry's third part, 'optional', must be True or False; found {shown(self.optional)}.")


def as_entry(given: Any) -> Entry:
    """An entry from itself or from its parts; raises :class:`PlanError` for anything else."""
    if isinstance(given, Entry):
        return given
    if not isinstance(given, (tuple, list)) or len(given) not in (2, 3):
        raise PlanError(f"An entry of a plan is a pair (where, model) or an Entry; found {shown(given)}.")
    return Entry(*given)


def line(of: Entry, width: int) -> str:
    """An entry in one line."""
    return f"{of.where!r:{width}}  {of.model!r}{'  (optional)' if of.optional else ''}"
