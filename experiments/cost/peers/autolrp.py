"""autoLRP's rules as methods: it walks the autograd graph of one sample at a time and explains one number.

Its base rules with ``ATTNLRP`` or ``CPLRP`` beside them, its stabiliser as small as dtd's ε. It shares biases, sums and
products in proportion to their magnitude, so that its relevance is another where there are any.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import autolrp
import torch
from torch import Tensor, nn

from experiments.cost.recipes import EPSILON, Method, always, recipes

RULES: dict[str, Mapping[Any, Any]] = {
    "epsilon": autolrp.BASE,
    "attnlrp": {**autolrp.BASE, **autolrp.ATTNLRP},
    "cp_lrp": {**autolrp.BASE, **autolrp.CPLRP},
}


def methods(model: nn.Module, x: Tensor, target: int) -> Iterator[Method]:
    """The recipes that autoLRP has rules for."""
    for recipe in recipes(model):
        if recipe.name in RULES:
            yield Method("autolrp", recipe.name, recipe.bias, always(by_rules(model, x, target, RULES[recipe.name])))


def by_rules(model: nn.Module, x: Tensor, target: int, rules: Mapping[Any, Any]) -> Callable[[], Tensor]:
    """Relevance of every sample under some rules, scaled to the explained output, of which autoLRP finds shares."""
    config = autolrp.LRPConfig(rule=rules, eps=EPSILON)

    def relevance() -> Tensor:
        found = []
        for sample in x.split(1):
            wrapped = autolrp.tensor(sample.clone())
            explained = model(wrapped)[0, target]
            explained.lrp(config=config)
            found.append(wrapped.relevance.detach() * explained.detach().as_subclass(Tensor))
        return torch.cat(found)

    return relevance
