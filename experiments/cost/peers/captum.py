"""captum's rules as methods; captum deletes the rules after each call, so they are set again before the clock starts.

captum's γ rule is LRP-γ. It stabilises every denominator by 1e-9; pooling and sums have LRP-ε with that.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from captum.attr import LRP
from captum.attr._utils.custom_modules import Addition_Module
from captum.attr._utils.lrp_rules import Alpha1_Beta0_Rule, EpsilonRule, GammaRule, PropagationRule
from torch import Tensor, nn

from experiments.cost.peers.models import folded, with_sums
from experiments.cost.recipes import EPSILON, GAMMA, Method, Prepared, recipes

RULES: dict[str, Callable[[], PropagationRule]] = {
    "epsilon": lambda: EpsilonRule(EPSILON),
    "gamma": lambda: GammaRule(GAMMA, set_bias_to_zero=True),
    "zplus": lambda: Alpha1_Beta0_Rule(set_bias_to_zero=True),
}


def methods(model: nn.Module, x: Tensor, target: int) -> Iterator[Method]:
    """The recipes that captum has a rule for, on a copy of the model with batch norms merged and sums as modules."""
    own, x = with_sums(folded(model), Addition_Module), x.clone().requires_grad_()
    weighted = [module for module in own.modules() if isinstance(module, (nn.Conv2d, nn.Linear))]
    lrp = LRP(own)

    def ready(make: Callable[[], PropagationRule]):
        def before() -> None:
            for module in weighted:
                module.rule = make()

        @contextmanager
        def ruled() -> Iterator[Prepared]:
            yield Prepared(before, lambda: lrp.attribute(x, target=target).detach())

        return ruled

    for recipe in recipes(model):
        if recipe.name in RULES:
            yield Method("captum", recipe.name, recipe.bias, ready(RULES[recipe.name]))
