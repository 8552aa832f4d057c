"""How far zennit 0.5.1 and captum 0.9.0 are from dtd where layers other than those with weights, or whole networks, differ.

As in ``differences.py``, each function measures ``Σ|peer − dtd| / Σ|dtd|``.
"""

from collections.abc import Callable

import torch
from torch import nn

import dtd
from tests.peers import examples
from tests.peers.differences import RULES, Apart, apart, epsilon
from tests.peers.examples import Residual, Twice, one_hot
from tests.peers.libraries import (
    TINY,
    by_captum,
    by_composite,
    by_zennit,
    captum_rules,
    distance,
    zennit_canonizers,
    zennit_composites,
    zennit_rules,
    zennit_types,
)
from tests.peers.networks import Stacked, build, fill, random


def max_pooling() -> Apart:
    """Overlapping windows with ties, under LRP-ε."""
    model, x = Stacked(nn.MaxPool2d(2, 1), nn.Linear(18, 4)), random((3, 2, 4, 4), 21).round()
    plan = dtd.Plan.uniform("epsilon", "neuron", epsilon=TINY)
    return apart(fill(model, 20), x, plan, zennit_rules.Epsilon(TINY), epsilon)


def average_pooling() -> Apart:
    """Average pooling under LRP-ε, named in zennit's composite (as in all of its own composites)."""
    model, x = examples.averaging()
    plan = dtd.Plan.uniform("epsilon", "neuron", epsilon=TINY)
    return apart(model, x, plan, zennit_rules.Epsilon(TINY), epsilon)


def average_pooling_without_a_rule() -> Apart:
    """The same, with a zennit composite that names only the layers with weights."""
    model, x = examples.averaging()
    target = torch.arange(len(x))
    composite = zennit_composites.LayerMapComposite(layer_map=[(zennit_types.Linear, zennit_rules.Epsilon(TINY))])
    plan = dtd.Plan.uniform("epsilon", "neuron", epsilon=TINY)
    ours = dtd.explain(dtd.trace(model, x), x, target, plan).relevance
    return Apart(distance(by_composite(model, x, one_hot(target), composite), ours), None)


def residual_sum() -> Apart:
    """``f(x) + x`` written as a sum in ``forward``."""
    return residual("function")


def residual_sum_as_module() -> Apart:
    """The same with the library's own module for sums."""
    return Apart(residual("zennit").zennit, residual("captum").captum)


def residual(kind: str) -> Apart:
    """LRP-ε on a residual block."""
    model, x = fill(Residual(kind), 22), random((3, 4), 23)
    plan = dtd.Plan.uniform("epsilon", "neuron", epsilon=TINY)
    return apart(
        model, x, plan, None if kind == "captum" else zennit_rules.Epsilon(TINY), None if kind == "zennit" else epsilon
    )


def module_used_twice() -> Apart:
    """z⁺ on a network that applies one layer two times."""
    model, x = fill(Twice(), 24), random((3, 6), 25)
    return apart(model, x, dtd.Plan.uniform("zplus_signed", "neuron"), zennit_rules.ZPlus(TINY), None)


def batch_norm_folded() -> Apart:
    """γ after folding batch norm; zennit merges it with ``SequentialMergeBatchNorm``, captum never does."""
    model, x = examples.normalised()
    target = torch.arange(len(x))
    ours = dtd.explain(dtd.trace(model, x), x, target, dtd.Plan.uniform("gamma_signed", "neuron", gamma=0.25)).relevance
    merged = [zennit_canonizers.SequentialMergeBatchNorm()]
    of_zennit = by_zennit(model, x, one_hot(target), zennit_rules.Gamma(0.25, TINY), merged)
    return Apart(distance(of_zennit, ours), None)


def batch_norm_untouched() -> Apart:
    """LRP-ε around batch norm that nobody merged: dtd folds, zennit passes, captum applies ε to it."""
    model, x = examples.normalised()
    plan = dtd.Plan.uniform("epsilon", "neuron", epsilon=TINY)
    return apart(model, x, plan, zennit_rules.Epsilon(TINY), epsilon)


def default_stabilisers() -> Apart:
    """The CNN under z⁺ (zennit, 1e-6) and γ (captum, 1e-9) with the stabilisers that the libraries ship, bias fixed."""
    case = build("cnn", 1, "nonnegative")
    target = torch.arange(3)
    of_zennit = by_zennit(case.model, case.x, one_hot(target), zennit_rules.ZPlus(zero_params="bias"))
    of_captum = by_captum(case.model, case.x, target, lambda: captum_rules.GammaRule(0.25, set_bias_to_zero=True))
    ours, ours_gamma = (case.by_dtd(target, dtd.Plan.uniform(rule)) for rule in ("zplus", "gamma"))
    return Apart(distance(of_zennit, ours), distance(of_captum, ours_gamma))


STRUCTURE: tuple[Callable[[], Apart], ...] = (
    max_pooling,
    average_pooling,
    average_pooling_without_a_rule,
    residual_sum,
    residual_sum_as_module,
    module_used_twice,
    batch_norm_folded,
    batch_norm_untouched,
    default_stabilisers,
)
MEASURED = {function.__name__: function for function in (*RULES, *STRUCTURE)}
