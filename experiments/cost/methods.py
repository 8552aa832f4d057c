"""Every way to one explanation that is timed: gradient × input, our recipes, and those of other libraries."""

from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any, cast

import torch
from torch import Tensor, nn

from dtd.domain import Domain
from dtd.explaining.explain import explain
from dtd.network import Network, trace
from dtd.plans.plan import Plan
from experiments.cost.gradients import variants
from experiments.cost.peers.models import folded
from experiments.cost.recipes import Method, always, recipes
from experiments.models import Subject

PEERS = ("zennit", "captum", "autolrp")
OTHERWISE = ("autolrp",)  # has another convention for biases, sums and products: it differs where there are any
OURS, REDUCED = "dtd", "dtd, bfloat16"
MODIFIED = ("gamma", "gamma_signed", "zplus")  # recipes that are timed with bfloat16 too


def samples(subject: Subject, batch: int) -> Tensor:
    """``batch`` test samples, some of them more than once where the test set has fewer."""
    return subject.test_x[torch.arange(batch) % len(subject.test_x)]


def methods_of(model: nn.Module, domain: Domain, x: Tensor, peers: list[str], within: int = 0) -> Iterator[Method]:
    """Gradient × input in all its variants, our recipes and other libraries'; for the first sample's class.

    ``within``: megabytes; where there are any, every recipe is run within that memory bound too.
    """
    with torch.no_grad():
        target = int(model(x[:1]).argmax(1))
    yield from variants(folded(model), x, target)
    network = trace(model, x, domain)
    signed = any(not layer.domain.nonnegative for layer in network.weighted)
    fitting = [recipe for recipe in recipes(model) if not (recipe.nonnegative and signed)]
    for recipe in fitting:
        yield Method(OURS, recipe.name, recipe.bias, always(relevance_by(network, x, target, recipe.plan)))
        if recipe.name in MODIFIED:
            reduced = relevance_by(network, x, target, recipe.plan, pass_dtype=torch.bfloat16)
            yield Method(REDUCED, recipe.name, recipe.bias, always(reduced))
        if within:
            bounded = relevance_by(network, x, target, recipe.plan, memory=within * 10**6)
            yield Method(f"{OURS}, {within} MB", recipe.name, recipe.bias, always(bounded))
    names = {recipe.name for recipe in fitting}
    for peer in peers:
        made = import_module(f"experiments.cost.peers.{peer}").methods(model, x, target)
        yield from (method for method in made if method.rule in names)


def relevance_by(network: Network, x: Tensor, target: int, plan: Plan, **options: Any) -> Callable[[], Tensor]:
    """Our explanation under a plan; the network is traced once, before."""
    return lambda: cast(Tensor, explain(network, x, target, plan, **options).relevance)  # of the one input
