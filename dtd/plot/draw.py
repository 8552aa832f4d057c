"""The picture of an object: what its method ``plot`` draws."""

from functools import singledispatch
from typing import Any

from matplotlib.figure import Figure

from dtd.errors import InputError
from dtd.explaining.explanation import Explanation
from dtd.network.network import Network
from dtd.plans.plan import Plan
from dtd.plot.explanation import explanation_figure
from dtd.plot.layers import layers


@singledispatch
def draw(drawn: Any, *args: Any, **how: Any) -> Figure:
    """What ``drawn.plot(…)`` returns, for an explanation, a network or a plan.

    Raises :class:`dtd.InputError` for anything else.

    >>> import dtd, torch
    >>> net = dtd.trace(torch.nn.Linear(2, 1), torch.ones(1, 2))
    >>> len(dtd.plot.draw(net).axes[0].texts)  # a box for the input, and one for the layer
    2
    """
    raise InputError(f"There is a picture of explanations, networks and plans; found {type(drawn).__name__}.")


draw.register(Explanation, explanation_figure)
draw.register(Network, layers)


@draw.register
def plan_figure(drawn: Plan, network: Network) -> Figure:
    """The layers of a network, coloured by the rules that a plan gives them."""
    return layers(network, drawn)
