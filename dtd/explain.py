"""Explanations: one forward sweep, one relevance pass."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor

from dtd.errors import InputError, NonFiniteError, PlanError
from dtd.network.graph import Graph
from dtd.network.network import Network
from dtd.plan import Plan
from dtd.propagation import Layer, Propagation
from dtd.taylor import Balance

Target = int | Tensor | Callable[[Tensor], Tensor]


@dataclass(frozen=True, eq=False)
class Record:
    """What happened at one layer."""

    layer: Layer
    model: Propagation
    balance: Balance


@dataclass(frozen=True, eq=False)
class Explanation:
    """Relevance of the input, and each layer's balance.

    # shape: relevance (B, *in), output (B, *out), initial (B, *out)
    """

    relevance: Tensor
    output: Tensor
    initial: Tensor
    layers: Mapping[str, Record] = field(repr=False)

    def conservation(self) -> Tensor:
        """``Σ R_input / Σ R_initial``; where the initial relevance sums to 0, 1 if the input's does and else infinity.

        # shape: (B,)
        """
        given, arrived = self.initial.flatten(1).sum(1), self.relevance.flatten(1).sum(1)
        undefined = torch.where(arrived == 0, 1.0, torch.inf).to(given)
        return torch.where(given == 0, undefined, arrived / torch.where(given == 0, 1.0, given))


@dataclass(frozen=True, eq=False)
class Sweep:
    """A finished forward sweep: the output, and what each layer saved for the relevance pass."""

    output: Tensor
    saved: list


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
    if not isinstance(plan, Plan):
        raise PlanError(f"'plan' must be a dtd.Plan (presets are functions: call them); found {type(plan).__name__}.")
    graph = network.graph
    graph.check_input(x, network.shape)
    models = plan.bind(graph)
    with torch.no_grad():
        swept = sweep(graph, models, x)
        initial = initial_relevance(swept.output, target)
        relevance, balances = relevance_pass(graph, models, swept, initial, x)
    records = {
        layer.name: Record(layer, model, balances[i])
        for i, (layer, model) in enumerate(zip(graph.layers, models, strict=True))
    }
    return Explanation(relevance, swept.output, initial, records)


def sweep(network: Network | Graph, models: tuple[Propagation, ...], x: Tensor) -> Sweep:
    """The forward sweep; values are let go after their last use."""
    layers, output = network.layers, network.output
    last_use = {index: i for i, layer in enumerate(layers) for index in layer.inputs}
    values, saved = {-1: x}, []
    for i, (layer, model) in enumerate(zip(layers, models, strict=True)):
        values[i], keep = model.forward(layer, tuple(values[j] for j in layer.inputs))
        saved.append(keep)
        for j in {j for j in layer.inputs if last_use[j] == i and j != output}:
            del values[j]
    if not bool(values[output].isfinite().all()):
        raise NonFiniteError("The network's output is not finite on this input. Check the input's range and the weights.")
    return Sweep(values[output], saved)


def relevance_pass(
    network: Network | Graph,
    models: tuple[Propagation, ...],
    swept: Sweep,
    initial: Tensor,
    x: Tensor,
    seen: Callable[[int, Tensor], None] | None = None,
) -> tuple[Tensor, dict[int, Balance]]:
    """Hand the initial relevance down; ``seen(i, R)`` is told the relevance of each layer's output."""
    layers = network.layers
    pending: dict[int, Tensor] = {network.output: initial}
    balances: dict[int, Balance] = {}
    for i in range(len(layers) - 1, -1, -1):
        relevance = pending.pop(i)  # the trace keeps only layers that the output depends on
        if seen is not None:
            seen(i, relevance)
        lower, balances[i] = models[i].backward(layers[i], swept.saved[i], relevance)
        swept.saved[i] = None
        for j, part in zip(layers[i].inputs, lower, strict=True):
            pending[j] = pending[j] + part if j in pending else part
    relevance = pending.get(-1, torch.zeros_like(x))
    parts = [part for balance in balances.values() for part in balance.parts()]
    if not bool(relevance.isfinite().all() and (torch.stack(parts).isfinite().all() if parts else True)):
        raise NonFiniteError(overflow_message(layers, balances))
    return relevance, balances


def overflow_message(layers: tuple[Layer, ...], balances: dict[int, Balance]) -> str:
    """Where relevance first stopped being finite."""
    for i in range(len(layers) - 1, -1, -1):
        if not all(bool(part.isfinite().all()) for part in balances[i].parts()):
            return (
                f"Relevance overflows at layer '{layers[i].name}': its pre-activations are not finite, or a root lies "
                "so far away that its terms are not. Check the weights; use float64, a damping ε, or another rule there."
            )
    return "Relevance of the input is not finite."


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
