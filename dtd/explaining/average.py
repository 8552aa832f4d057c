"""Explanations over a distribution of roots: references from data, and averages over plans with their standard error."""

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor

from dtd.affine import AffineMap
from dtd.callers.printing import Printed
from dtd.errors import InputError
from dtd.explaining.explain import explain
from dtd.explaining.target import Target
from dtd.network.activations import activations
from dtd.network.network import Network
from dtd.plans.entry import Entry
from dtd.plans.plan import Plan
from dtd.plans.where import exactly
from dtd.relevance.moments import Moments
from dtd.root import towards


def toward_data(network: Network, data: Tensor, root: bool = True) -> Plan:
    """The plan in which every layer with weights averages over references: what it receives for the samples of ``data``.

    Each sample gives each layer one root, on the ray towards that sample's activations (``root=False``: the activations
    themselves, whatever the units are worth there). # shape: data (N, *in)

    A unit with weights (3, −1) at a = (1, 1), so that z = 2: a root towards the sample (0, 2) has v = (1, −1), so R
    = 2 (3, 1)/4.

    >>> import dtd, torch
    >>> unit = torch.nn.Linear(2, 1)
    >>> _ = unit.load_state_dict({"weight": torch.tensor([[3.0, -1.0]]), "bias": torch.tensor([0.0])})
    >>> net = dtd.trace(unit, torch.ones(1, 2))
    >>> plan = dtd.toward_data(net, torch.tensor([[0.0, 2.0]]))
    >>> dtd.explain(net, torch.ones(1, 2), 0, plan).relevance
    tensor([[1.5000, 0.5000]])
    """
    found = [(layer, a) for layer, a, _ in activations(network, data) if layer.weighted]
    if any(not isinstance(layer.op, AffineMap) for layer, _ in found):
        raise InputError("References for a whole plan need affine layers; give an opaque one dtd.Generic with a reference.")
    return Plan([Entry(exactly(layer.name), towards(a, root)) for layer, a in found])


@dataclass(frozen=True, eq=False)
class MeanExplanation(Printed):
    """The mean of the explanations over plans, entry by entry, and its standard error ``s/√N``. # shape: (B, *in) each

    A unit with weights (3, −1) at a = (1, 1), so that z = 2: (3, −1) and (1.8, 0.2) differ by 1.2; the standard
    error of their mean is 0.6.

    >>> import dtd, torch
    >>> unit = torch.nn.Linear(2, 1)
    >>> _ = unit.load_state_dict({"weight": torch.tensor([[3.0, -1.0]]), "bias": torch.tensor([0.0])})
    >>> net = dtd.trace(unit, torch.ones(1, 2))
    >>> dtd.mean_over_plans(net, torch.ones(1, 2), 0, [dtd.Plan.uniform("lrp0"), dtd.Plan.uniform("wsquare")]).standard_error
    tensor([[0.6000, 0.6000]])
    """

    relevance: Tensor
    standard_error: Tensor
    count: int


def mean_over_plans(network: Network, x: Tensor, target: Target, plans: Iterable[Plan]) -> MeanExplanation:
    """The mean relevance over several plans, such as draws of their roots (Welford's running sums).

    A relevance pass is linear in each layer's expansion. Plans that draw every layer's root independently therefore
    average to the explanation of the plan in which each layer averages over its roots.

    Raises :class:`InputError` for fewer than two plans, and what :func:`dtd.explain` raises.

    A unit with weights (3, −1) at a = (1, 1), so that z = 2: the mean of (3, −1) and (1.8, 0.2); standard errors
    are half of the difference.

    >>> import dtd, torch
    >>> unit = torch.nn.Linear(2, 1)
    >>> _ = unit.load_state_dict({"weight": torch.tensor([[3.0, -1.0]]), "bias": torch.tensor([0.0])})
    >>> net = dtd.trace(unit, torch.ones(1, 2))
    >>> dtd.mean_over_plans(net, torch.ones(1, 2), 0, [dtd.Plan.uniform("lrp0"), dtd.Plan.uniform("wsquare")]).relevance
    tensor([[ 2.4000, -0.4000]])
    """
    moments = Moments()
    for plan in plans:
        relevance = explain(network, x, target, plan).relevance
        if not isinstance(relevance, Tensor):
            raise InputError("A mean over plans needs a network with one explained input; this one has several.")
        moments = moments.with_value(relevance)
    if moments.count < 2:
        raise InputError(f"A standard error needs at least 2 plans; found {moments.count}.")
    return MeanExplanation(torch.as_tensor(moments.mean), moments.variance_of_mean().sqrt(), moments.count)
