"""zennit's rules as methods; its hooks are registered before the clock starts.

zennit's γ rule is the generalised one. It stabilises every denominator (by 1e-6 unless told otherwise), dtd only that of
LRP-ε; here the others are tiny.
"""

import experiments.machine.vision  # noqa: F401 - zennit imports torchvision

# isort: split
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from zennit import composites, rules, types
from zennit.attribution import Gradient
from zennit.layer import Sum

from experiments.cost.peers.models import folded, with_sums
from experiments.cost.recipes import ALPHA, BETA, EPSILON, GAMMA, HIGH, LOW, TINY, Method, Prepared, nothing, recipes

FIXED = {"stabilizer": TINY, "zero_params": "bias"}  # zennit's name for the bias mode "fixed"


class StackedSum(nn.Module):
    """``x + y`` through the one sum that zennit has a rule for."""

    def __init__(self):
        super().__init__()
        self.sum = Sum(-1)

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        return self.sum(torch.stack((x, y), -1))


def uniform(rule) -> composites.Composite:
    """One rule for every layer with weights."""
    return composites.LayerMapComposite([*composites.layer_map_base(TINY), (types.Linear, rule)])


COMPOSITES: dict[str, Callable[[Tensor], composites.Composite]] = {  # from the input
    "epsilon": lambda x: uniform(rules.Epsilon(EPSILON)),
    "gamma_signed": lambda x: uniform(rules.Gamma(GAMMA, **FIXED)),
    "zplus": lambda x: uniform(rules.ZPlus(**FIXED)),
    "alphabeta": lambda x: uniform(rules.AlphaBeta(ALPHA, BETA, **FIXED)),
    "epsilon_plus": lambda x: composites.EpsilonPlus(EPSILON, **FIXED),
    "epsilon_gamma_box": lambda x: composites.EpsilonGammaBox(x * 0 + LOW, x * 0 + HIGH, EPSILON, GAMMA, **FIXED),
}


def methods(model: nn.Module, x: Tensor, target: int) -> Iterator[Method]:
    """The recipes that zennit has a rule for, on a copy of the model with batch norms merged and sums as modules."""
    own = with_sums(folded(model), StackedSum)

    def ready(make: Callable[[Tensor], composites.Composite]):
        @contextmanager
        def hooked() -> Iterator[Prepared]:
            with Gradient(own, make(x)) as attributor:
                yield Prepared(nothing, lambda: attributor(x, only(target))[1])

        return hooked

    for recipe in recipes(model):
        if recipe.name in COMPOSITES:
            yield Method("zennit", recipe.name, recipe.bias, ready(COMPOSITES[recipe.name]))


def only(target: int):
    """The initial relevance: the explained output alone."""
    return lambda output: output * torch.eye(output.shape[1])[[target]]
