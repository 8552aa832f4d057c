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
from dtd.plans.plan import Entry, Plan
from dtd.plans.where import exactly
from dtd.relevance.moments import Moments
from dtd.root import towards


def toward_data(network: Network, data: Tensor, root: bool = True) -> Plan:
    """The plan in which every layer with weights averages over references: what it receives for the samples of ``data``.

    Each sample gives each layer one root, on the ray towards that sample's activations (``root=False``: the activations
    themselves, whatever the units are worth there). # shape: data (N, *in)
    """
    found = [(layer, a) for layer, a, _ in activations(network, data) if layer.weighted]
    if any(not isinstance(layer.op, AffineMap) for layer, _ in found):
        raise InputError("References for a whole plan need affine layers; give an opaque one dtd.Generic with a reference.")
    return Plan([Entry(exactly(layer.name), towards(a, root)) for layer, a in found])


@dataclass(frozen=True, eq=False)
class MeanExplanation(Printed):
    """The mean of the explanations over plans, entry by entry, and its standard error ``s/√N``. # shape: (B, *in) each"""

    relevance: Tensor
    standard_error: Tensor
    count: int


def mean_over_plans(network: Network, x: Tensor, target: Target, plans: Iterable[Plan]) -> MeanExplanation:
    """The mean relevance over several plans, such as draws of their roots (Welford's running sums).

    A relevance pass is linear in each layer's expansion. Plans that draw every layer's root independently therefore
    average to the explanation of the plan in which each layer averages over its roots.

    Raises :class:`InputError` for fewer than two plans, and what :func:`dtd.explain` raises.
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
