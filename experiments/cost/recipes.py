"""What is timed: the same rules in every library that has them."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

from torch import Tensor, nn

from dtd import presets
from dtd.plans.plan import Plan

BASELINE = "gradient × input"  # what everything is compared with
GAMMA, EPSILON, ALPHA, BETA = 0.25, 1e-6, 2.0, 1.0
TINY = 1e-9  # what other libraries add to denominators where dtd adds nothing
LOW, HIGH = 0.0, 1.0  # of the pixels, for z^B


@dataclass(frozen=True)
class Recipe:
    """A plan, and where other libraries have it too, the ``bias`` mode in which they agree."""

    name: str
    bias: str
    plan: Plan
    convolutional: bool = False  # defined by convolutions; left out for networks without any
    nonnegative: bool = False  # for networks where no layer with weights receives negative values


RECIPES = (
    Recipe("epsilon", "neuron", Plan.uniform("epsilon", bias="neuron", epsilon=EPSILON)),
    Recipe("gamma", "fixed", Plan.uniform("gamma", gamma=GAMMA), nonnegative=True),
    Recipe("gamma_signed", "fixed", Plan.uniform("gamma_signed", gamma=GAMMA)),
    Recipe("zplus", "fixed", Plan.uniform("zplus"), nonnegative=True),
    Recipe("alphabeta", "fixed", Plan.uniform("alphabeta", alpha=ALPHA, beta=BETA)),
    Recipe("epsilon_plus", "fixed", presets.epsilon_plus(epsilon=EPSILON), True),
    Recipe("epsilon_gamma_box", "fixed", presets.epsilon_gamma_box(gamma=GAMMA, epsilon=EPSILON), True),
    Recipe("overview", "neuron", presets.lrp_overview_2019(signed=True, average_pooling=True), True),
)


@dataclass(frozen=True, eq=False)
class Prepared:
    """One measurement's two halves: ``before`` is not timed, ``call`` is."""

    before: Callable[[], None]
    call: Callable[[], Tensor]


@dataclass(frozen=True, eq=False)
class Method:
    """One way to one explanation. ``ready`` keeps whatever a library has to hold while it is used (its hooks)."""

    library: str
    rule: str
    bias: str
    ready: Callable[[], AbstractContextManager[Prepared]]


def recipes(model: nn.Module) -> list[Recipe]:
    """The recipes that make sense for a model."""
    convolutional = any(isinstance(module, nn.Conv2d) for module in model.modules())
    return [recipe for recipe in RECIPES if convolutional or not recipe.convolutional]


def nothing() -> None:
    """The preparation of a method that needs none."""


def always(call: Callable[[], Tensor]) -> Callable[[], AbstractContextManager[Prepared]]:
    """The ``ready`` of a method that has nothing to hold or to prepare."""
    return lambda: nullcontext(Prepared(nothing, call))
