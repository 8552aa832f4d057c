"""Explanations: one forward sweep, one relevance pass."""

from collections.abc import Collection, Iterator
from types import MappingProxyType

import torch

from dtd.callers.arithmetic import own_arithmetic
from dtd.errors import InputError, check_parameter
from dtd.explaining.differentiable import differentiable
from dtd.explaining.explanation import Explanation
from dtd.explaining.hidden import At, Places, ThroughLayers, is_start, start_of
from dtd.explaining.memory import in_parts
from dtd.explaining.request import Asked, Request
from dtd.network.leaves import Inputs
from dtd.network.network import Network
from dtd.network.verify import verify_output
from dtd.plans.plan import Plan


def explain(
    network: Network,
    inputs: Inputs,
    target: Asked,
    plan: Plan | None = None,
    *,
    at: At = (),
    through: ThroughLayers = MappingProxyType({}),
    pass_dtype: torch.dtype | None = None,
    memory: int | None = None,
    fast: bool = True,
    verify: bool = False,
    create_graph: bool = False,
) -> Explanation:
    """Decompose the network's output layer by layer: ``R_j = Σ_k R_{j←k}`` at the roots that ``plan`` chooses.

    Args:
        network: from :func:`dtd.trace`.
        inputs: what the network was traced with, ``(B, *in)`` each, finite, in its domain. B may be 0.
        target: what is explained. A class for all samples (an integer, counted from 0) or for each (a list, an array or a
            tensor of B integers): the initial relevance is that output. A function of the output, or a floating-point
            tensor: the initial relevance ``(B, *out)`` itself. A :class:`dtd.Unit`: a hidden unit, channel or direction as
            if it were the output. A contrast (:class:`dtd.Difference`, :class:`dtd.LogOdds`, :class:`dtd.FromReference`):
            that of a rewritten last layer.
        plan: a :class:`dtd.Plan`, derived or ``.explicit()``; left out, that of :func:`dtd.presets.recommended`.
        at: names of layers, globs over names, and selectors of :mod:`dtd.where`: ``out.at[name]`` is then the relevance of
            that layer's output and what it handed to each of its inputs (:class:`dtd.HiddenRelevance`). It costs what it
            takes to keep these tensors.
        through: what relevance goes through, by the name of a layer: truth values or weights of its output's entries (a
            tensor that broadcasts to ``(B, *out)``), channels (an integer or several), a :class:`dtd.Unit` of it, or a
            :class:`dtd.Subspace`. What is stopped is in the balance, ``out.layers["<name> through"]``.
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
        create_graph: relevance that can be differentiated, by the inputs and by the model's parameters that require
            gradients, for losses on explanations. The pass is then the one by definition, over layers built anew for this
            call; ``pass_dtype`` and ``memory`` are for the other one.

    ``torch.autocast`` is off inside, and so are gradients unless they are asked for. What a user's function receives
    (targets, damping, metrics, relevance models) is its own copy.

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
    places = Places(at, through, start_of([target]))
    left_out = memory is None and pass_dtype is None
    check_parameter(left_out or not create_graph, "memory and pass_dtype", "left out with create_graph", "given")
    with own_arithmetic():
        if create_graph:
            found = differentiable(network, inputs, target, plan, places)
        elif memory is not None:
            found = in_parts(Request.of(network, inputs, plan, pass_dtype, fast, places), inputs, target, memory)
        else:
            found = Request.of(network, inputs, plan, pass_dtype, fast, places).sweep().explanation(target, last=True)
        if verify:
            if is_start(target):
                raise InputError(f"With verify=True the network's own output is explained; found {target!r} as target.")
            verify_output(network, inputs, found.output.detach())
        return found


def explain_each(
    network: Network,
    inputs: Inputs,
    targets: Collection[Asked],
    plan: Plan | None = None,
    *,
    at: At = (),
    through: ThroughLayers = MappingProxyType({}),
    pass_dtype: torch.dtype | None = None,
) -> Iterator[Explanation]:
    """One explanation for each target, in their order: the forward sweep is run once, each target costs a relevance pass.

    Arguments and errors are those of :func:`explain`, but for ``memory``: the sweep of all samples is kept. Relevance of one
    target is computed when it is asked for, so that a loop over many targets holds what it keeps. Targets are all of the
    network's output, or all units of one layer.

    Two outputs of one layer, a ⊙ w each.

    >>> import dtd, torch
    >>> layer = torch.nn.Linear(2, 2)
    >>> _ = layer.load_state_dict({"weight": torch.tensor([[3.0, -1.0], [1.0, 1.0]]), "bias": torch.zeros(2)})
    >>> net = dtd.trace(layer, torch.ones(1, 2))
    >>> [out.relevance for out in dtd.explain_each(net, torch.ones(1, 2), (0, 1), dtd.Plan.uniform("lrp0"))]
    [tensor([[ 3., -1.]]), tensor([[1., 1.]])]
    """
    with own_arithmetic():
        if not isinstance(targets, Collection) or isinstance(targets, str):
            raise InputError(f"'targets' must be several targets, such as [0, 3] or range(10); found {targets!r}.")
        request = Request.of(network, inputs, plan, pass_dtype, True, Places(at, through, start_of(targets)))
        sweep = request.sweep()
    for number, target in enumerate(targets, 1):
        with own_arithmetic():
            found = sweep.explanation(target, last=number == len(targets))
        yield found
