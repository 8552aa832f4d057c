"""Explanations: one forward sweep, one relevance pass."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import torch
from torch import Tensor

from dtd.errors import InputError, NonFiniteError, PlanError
from dtd.network.network import Network
from dtd.plan import Plan
from dtd.program import prepared
from dtd.reference import Record, Reference, version

Target = int | Tensor | Callable[[Tensor], Tensor]


@dataclass(frozen=True, eq=False)
class Explanation:
    """Relevance of the input, and each layer's balance.

    # shape: relevance (B, *in), output (B, *out), initial (B, *out)
    """

    relevance: Tensor
    output: Tensor
    initial: Tensor
    reference: Reference = field(repr=False)

    @cached_property
    def layers(self) -> Mapping[str, Record]:
        """What happened at each layer, by name: found when first asked for, by a second pass that adds everything up.

        Until then the explanation holds its input and no activations. Raises :class:`StaleError` when the input or the
        model's parameters have changed since.
        """
        return self.reference.records()

    def conservation(self) -> Tensor:
        """``Σ R_input / Σ R_initial``; where the initial relevance sums to 0, 1 if the input's does and else infinity.

        # shape: (B,)
        """
        given, arrived = self.initial.flatten(1).sum(1), self.relevance.flatten(1).sum(1)
        undefined = torch.where(arrived == 0, 1.0, torch.inf).to(given)
        return torch.where(given == 0, undefined, arrived / torch.where(given == 0, 1.0, given))


def explain(network: Network, x: Tensor, target: Target, plan: Plan) -> Explanation:
    """Decompose the network's output layer by layer: ``R_j = Σ_k R_{j←k}`` at the roots that ``plan`` chooses.

    Args:
        network: from :func:`dtd.trace`.
        x: inputs ``(B, *in)``, finite, in the network's domain. B may be 0.
        target: what is explained. A class for all samples (int) or for each (integer tensor ``(B,)``): the initial relevance
            is that output. A function of the output, or a floating-point tensor: the initial relevance ``(B, *out)``
            itself.
        plan: a :class:`dtd.Plan`, derived or ``.explicit()``.

    Raises:
        InputError, DomainError: an input or target that does not fit.
        PlanError: the plan does not cover the network.
        NonFiniteError: activations or relevance overflow, naming the layer.
    """
    (found,) = explain_each(network, x, (target,), plan)
    return found


def explain_each(network: Network, x: Tensor, targets: Sequence[Target], plan: Plan) -> Iterator[Explanation]:
    """One explanation for each target, in their order: the forward sweep is run once, each target costs a relevance pass.

    Arguments and errors are those of :func:`explain`. Relevance of one target is computed when it is asked for, so that
    a loop over many holds what it keeps.
    """
    if not isinstance(plan, Plan):
        raise PlanError(f"'plan' must be a dtd.Plan (presets are functions: call them); found {type(plan).__name__}.")
    graph = network.graph
    graph.check_input(x, network.shape)
    models = plan.bind(graph)
    program = prepared(graph, models)
    with torch.no_grad():
        state = program.forward(x)
    for number, target in enumerate(targets, 1):
        with torch.no_grad():
            initial = initial_relevance(state.output, target)
            reference = Reference(network, graph, models, x, version(x), initial)
            relevance = program.backward(state, initial, x, release=number == len(targets))
            if not state.holds(relevance):
                relevance, _ = reference.run()  # says what is wrong, or finds that nothing is
            yield Explanation(relevance, state.output, initial, reference)


def initial_relevance(output: Tensor, target: Target) -> Tensor:
    """The relevance that the pass starts from. # shape: that of the output"""
    if callable(target) and not isinstance(target, Tensor):
        target = target(output)
        if not isinstance(target, Tensor) or target.shape != output.shape:
            found = tuple(target.shape) if isinstance(target, Tensor) else type(target).__name__
            raise InputError(
                f"A target function must return initial relevance of shape {tuple(output.shape)}; found {found}."
            )
    if isinstance(target, Tensor) and target.is_floating_point():
        if target.shape != output.shape:
            raise InputError(f"Initial relevance must have shape {tuple(output.shape)}; found {tuple(target.shape)}.")
        if not bool(target.isfinite().all()):
            raise NonFiniteError("Initial relevance must be finite; found NaN or infinity.")
        return target.to(output)
    if output.ndim != 2:
        raise InputError(
            f"A class as target needs an output of shape (B, classes); found {tuple(output.shape)}. "
            "Give the initial relevance as a tensor of that shape."
        )
    if not isinstance(target, (int, Tensor)) or isinstance(target, bool):
        raise InputError(f"A target is a class, a tensor of classes, initial relevance or a function; found {target!r}.")
    target = torch.as_tensor(target, device=output.device)
    if target.dtype == torch.bool or target.is_floating_point() or target.shape not in ((), (len(output),)):
        raise InputError(
            f"A target is a class (int) or one for each of the {len(output)} samples; found a tensor of shape "
            f"{tuple(target.shape)} in {target.dtype}."
        )
    classes, target = output.shape[1], target.long()
    if len(output) and not bool(((target >= -classes) & (target < classes)).all()):
        raise InputError(f"The target must be a class from 0 to {classes - 1}; found {target.tolist()}.")
    chosen = torch.zeros_like(output).scatter_(1, (target % classes).expand(len(output))[:, None], 1.0)
    return output * chosen
