"""Explanations: one forward sweep, one relevance pass."""

from collections.abc import Collection, Iterator

import torch

from dtd.callers.arithmetic import own_arithmetic
from dtd.errors import InputError
from dtd.explaining.explanation import Explanation, Request
from dtd.explaining.memory import in_parts
from dtd.explaining.target import Target
from dtd.network.leaves import Inputs
from dtd.network.network import Network
from dtd.network.verify import verify_output
from dtd.plans.plan import Plan


def explain(
    network: Network,
    inputs: Inputs,
    target: Target,
    plan: Plan | None = None,
    *,
    pass_dtype: torch.dtype | None = None,
    memory: int | None = None,
    fast: bool = True,
    verify: bool = False,
) -> Explanation:
    """Decompose the network's output layer by layer: ``R_j = Σ_k R_{j←k}`` at the roots that ``plan`` chooses.

    Args:
        network: from :func:`dtd.trace`.
        inputs: what the network was traced with, ``(B, *in)`` each, finite, in its domain. B may be 0.
        target: what is explained. A class for all samples (int) or for each (integer tensor ``(B,)``): the initial relevance
            is that output. A function of the output, or a floating-point tensor: the initial relevance ``(B, *out)``
            itself.
        plan: a :class:`dtd.Plan`, derived or ``.explicit()``; left out, that of :func:`dtd.presets.recommended`.
        pass_dtype: a dtype, ``torch.bfloat16``, for the passes with modified weights (γ, z⁺, αβ, …) of convolutions and of
            small dense layers; the others and all sums stay in the network's. Faster where the processor has that
            arithmetic, with an error below 1e-2 of the largest relevance for z⁺, and without a bound where a rule's
            denominators cancel (docs/speed.md); balances are those of the full precision.
        memory: bytes that what is saved between the two sweeps may take; what each layer needs while it works comes on top.
            Samples are then explained in parts of as many as fit (a forward sweep of one tells, once for each plan), and so
            are balances; a target function is called on each part's output. Without it the batch is explained as a whole.
        fast: False goes by the definition, layer by layer with its balance; the same relevance, slower.
        verify: run the model itself on the inputs too, and raise :class:`TraceError` where its output is not the
            explanation's: for models whose code depends on more than the trace can see.

    Gradients and ``torch.autocast`` are off inside. What a user's function receives (targets, damping, metrics, relevance
    models) is its own copy.

    Raises:
        InputError, DomainError: an input or target that does not fit.
        PlanError: the plan does not cover the network.
        NonFiniteError: activations or relevance overflow, naming the layer.
        StaleError: the model changed since it was traced in more than the values of its parameters and buffers.
        BudgetError: a relevance model that would cost more than it was given, or one sample more than ``memory``.

    A unit with weights (3, −1) at a = (1, 1), so that z = 2: R = a ⊙ w under LRP-0.

    >>> import dtd, torch
    >>> unit = torch.nn.Linear(2, 1)
    >>> _ = unit.load_state_dict({"weight": torch.tensor([[3.0, -1.0]]), "bias": torch.tensor([0.0])})
    >>> net = dtd.trace(unit, torch.ones(1, 2))
    >>> plan = dtd.Plan([("*", dtd.rules.choose("lrp0"))])
    >>> dtd.explain(net, torch.ones(1, 2), 0, plan).relevance
    tensor([[ 3., -1.]])
    """
    with own_arithmetic():
        request = Request.of(network, inputs, plan, pass_dtype, fast)
        if memory is not None:
            found = in_parts(request, inputs, target, memory)
        else:
            found = request.sweep().explanation(target, last=True)
        if verify:
            verify_output(network, inputs, found.output)
        return found


def explain_each(
    network: Network,
    inputs: Inputs,
    targets: Collection[Target],
    plan: Plan | None = None,
    *,
    pass_dtype: torch.dtype | None = None,
) -> Iterator[Explanation]:
    """One explanation for each target, in their order: the forward sweep is run once, each target costs a relevance pass.

    Arguments and errors are those of :func:`explain`, but for ``memory``: the sweep of all samples is kept. Relevance of one
    target is computed when it is asked for, so that a loop over many targets holds what it keeps.

    Two outputs of one layer, a ⊙ w each.

    >>> import dtd, torch
    >>> layer = torch.nn.Linear(2, 2)
    >>> _ = layer.load_state_dict({"weight": torch.tensor([[3.0, -1.0], [1.0, 1.0]]), "bias": torch.zeros(2)})
    >>> net = dtd.trace(layer, torch.ones(1, 2))
    >>> [out.relevance for out in dtd.explain_each(net, torch.ones(1, 2), (0, 1), dtd.Plan.uniform("lrp0"))]
    [tensor([[ 3., -1.]]), tensor([[1., 1.]])]
    """
    with own_arithmetic():
        request = Request.of(network, inputs, plan, pass_dtype, fast=True)
        if not isinstance(targets, Collection):
            raise InputError(f"'targets' must be several targets, such as [0, 3] or range(10); found {targets!r}.")
        sweep = request.sweep()
    for number, target in enumerate(targets, 1):
        with own_arithmetic():
            found = sweep.explanation(target, last=number == len(targets))
        yield found
