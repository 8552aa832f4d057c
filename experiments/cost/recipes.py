"""What is timed: the same rules in every library that has them."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from enum import Enum

from torch import Tensor, nn

from dtd import presets
from dtd.plans.plan import Plan

BASELINE = "gradient × input"  # what everything is compared with
GAMMA, EPSILON, ALPHA, BETA = 0.25, 1e-6, 2.0, 1.0
TINY = 1e-9  # what other libraries add to denominators where dtd adds nothing
LOW, HIGH = 0.0, 1.0  # of the pixels, for z^B


class Kind(Enum):
    """What a network is made of, as far as it decides which recipes make sense for it."""

    dense = "dense"
    convolutional = "convolutional"
    attention = "attention"
    recurrent = "recurrent"


EVERY = frozenset(Kind)
FORWARD = frozenset({Kind.dense, Kind.convolutional})  # layers one after the other


@dataclass(frozen=True)
class Recipe:
    """A plan, and where other libraries have it too, the ``bias`` mode in which they agree."""

    name: str
    bias: str
    plan: Plan
    kinds: frozenset[Kind]  # of networks that it is for
    nonnegative: bool = False  # for networks where no layer with weights receives negative values


RECIPES = (
    Recipe("epsilon", "neuron", Plan.uniform("epsilon", bias="neuron", epsilon=EPSILON), EVERY),
    Recipe("gamma", "fixed", Plan.uniform("gamma", gamma=GAMMA), FORWARD, nonnegative=True),
    Recipe("gamma_signed", "fixed", Plan.uniform("gamma_signed", gamma=GAMMA), FORWARD),
    Recipe("zplus", "fixed", Plan.uniform("zplus"), FORWARD, nonnegative=True),
    Recipe("alphabeta", "fixed", Plan.uniform("alphabeta", alpha=ALPHA, beta=BETA), FORWARD),
    Recipe("epsilon_plus", "fixed", presets.epsilon_plus(epsilon=EPSILON), frozenset({Kind.convolutional})),
    Recipe(
        "epsilon_gamma_box",
        "fixed",
        presets.epsilon_gamma_box(gamma=GAMMA, epsilon=EPSILON),
        frozenset({Kind.convolutional}),
    ),
    Recipe(
        "overview", "neuron", presets.lrp_overview_2019(signed=True, average_pooling=True), frozenset({Kind.convolutional})
    ),
    Recipe("attnlrp", "neuron", presets.attnlrp(epsilon=EPSILON), frozenset({Kind.attention})),
    Recipe("attnlrp_gamma", "neuron", presets.attnlrp(gamma=GAMMA, epsilon=EPSILON), frozenset({Kind.attention})),
    Recipe("cp_lrp", "neuron", presets.cp_lrp(epsilon=EPSILON), frozenset({Kind.attention})),
    Recipe("lstm_2017", "neuron", presets.lstm_2017(epsilon=EPSILON), frozenset({Kind.recurrent})),
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


def kind_of(model: nn.Module) -> Kind:
    """What a network is made of: recurrent modules, else attention, else convolutions."""
    modules = list(model.modules())
    if any(isinstance(module, nn.RNNBase) for module in modules):
        return Kind.recurrent
    if any("Attention" in type(module).__name__ for module in modules):
        return Kind.attention
    return Kind.convolutional if any(isinstance(module, nn.Conv2d) for module in modules) else Kind.dense


def recipes(model: nn.Module) -> list[Recipe]:
    """The recipes that make sense for a model."""
    kind = kind_of(model)
    return [recipe for recipe in RECIPES if kind in recipe.kinds]


def nothing() -> None:
    """The preparation of a method that needs none."""


def always(call: Callable[[], Tensor]) -> Callable[[], AbstractContextManager[Prepared]]:
    """The ``ready`` of a method that has nothing to hold or to prepare."""
    return lambda: nullcontext(Prepared(nothing, call))
