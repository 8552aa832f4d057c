"""What is measured of one architecture: is it traced, is the network the model, is its relevance what it must be?

Everything is computed in float64 on random weights, for the output that is largest for each sample.
"""

from collections.abc import Mapping
from time import perf_counter
from typing import Any, NamedTuple

import torch
from torch import Tensor

import dtd
from dtd.affine import AffineMap
from dtd.primitive import Mover, Pointwise
from experiments.questions.coverage.architectures import architectures
from experiments.questions.coverage.architectures.base import Architecture, Example

Row = dict[str, Any]
HOMOGENEOUS = ("relu", "leaky_relu", "prelu", "abs", "dropout")  # f(a) = f′(a) a away from 0
LENGTH = 300  # characters of a reason


class Measured(NamedTuple):
    """A network and its explanation by the preset."""

    network: dtd.Network
    plan: str
    out: dtd.Explanation


def named(name: str) -> Architecture:
    """The architecture of the list with a name."""
    return next(each for each in architectures() if each.name == name)


def measure(name: str) -> Row:
    """One row about an architecture under ``dtd``; an error is a part of the answer."""
    architecture = named(name)
    row: Row = {"name": name, "family": architecture.family, "library": "dtd"}
    try:
        example = architecture.make()
        expected = result(example)
    except Exception as error:  # the list's fault, or its library's, and no library's answer
        return row | {"status": "broken", "reason": reason(error)}
    start = perf_counter()
    try:
        network = dtd.trace(example.model, example.inputs, output=example.output, **example.options)
        row["trace_seconds"], start = perf_counter() - start, perf_counter()
        row["layers"] = len(network.layers)
        plan, label = chosen(network)
        out = dtd.explain(network, example.inputs, largest(expected), plan)
        row |= {"explain_seconds": perf_counter() - start, "plan": label}
        return row | {"status": "explained"} | facts(Measured(network, label, out), expected) | exactness(network, example)
    except Exception as error:
        return row | {"status": "refused", "reason": reason(error)}


def result(example: Example) -> Tensor:
    """What the model itself returns of the output that is explained."""
    with torch.no_grad():
        found = call(example)
    if example.output is None:
        return found
    return example.output(found) if callable(example.output) else found[example.output]


def call(example: Example) -> Any:
    """The model on its example."""
    if isinstance(example.inputs, Mapping):
        return example.model(**example.inputs)
    return example.model(*example.inputs) if isinstance(example.inputs, tuple) else example.model(example.inputs)


def reason(error: BaseException) -> str:
    """The error's type and message, in one line."""
    return f"{type(error).__name__}: {' '.join(str(error).split())}"[:LENGTH]


def largest(output: Tensor) -> Tensor:
    """For each sample the output of largest absolute value: a share of an output near 0 says nothing."""
    return output.abs().argmax(1)


def chosen(network: dtd.Network) -> tuple[dtd.Plan, str]:
    """The plan that is recommended for a network, and its name; ε⁺ where no plan is recommended."""
    recommended = getattr(dtd.presets, "recommended", None)
    if recommended is None:
        return dtd.presets.epsilon_plus(), "epsilon_plus"
    return recommended(network), "recommended"


def facts(measured: Measured, expected: Tensor) -> Row:
    """How far the forward pass is from the model's, how far balances are from closing, and where relevance went."""
    out = measured.out
    initial = out.initial.flatten(1).sum(1)
    balances = [record.balance for record in out.layers.values()]
    kept = {
        part: sum((getattr(balance, part) for balance in balances), torch.zeros_like(initial))
        for part in ("bias", "zeroth", "remainder")
    }
    arrived = sum((part.flatten(1).sum(1) for part in out.parts), torch.zeros_like(initial))
    total = sum((part.flatten(1).abs().sum(1) for part in out.parts), torch.zeros_like(initial))
    scales = [max(float(torch.stack(balance.parts()).abs().max()), 1e-300) for balance in balances]
    gaps = [float(balance.gap.abs().max()) / scale for balance, scale in zip(balances, scales, strict=True)]
    left = initial - arrived - sum(kept.values())
    return {
        "forward": far(out.output, expected),
        "gap": max(gaps, default=0.0),
        "balance": float((left.abs() / initial.abs()).max()),
        "reached": float((arrived / initial).mean()),
        **{part: float((value / initial).mean()) for part, value in kept.items()},
        "growth": float((total / initial.abs()).max()),
        "finite": all(bool(part.isfinite().all()) for part in out.parts),
    }


def exactness(network: dtd.Network, example: Example) -> Row:
    """LRP-0 with bias neurons next to gradient × input, where the network is piecewise linear: there they are equal."""
    if not piecewise_linear(network) or not all(x.is_floating_point() for x in tensors(example.inputs)):
        return {"piecewise_linear": False}
    expected = gradient_times_input(example)
    out = dtd.explain(network, example.inputs, largest(result(example)), dtd.Plan.uniform("lrp0", "neuron"))
    return {"piecewise_linear": True, "gradient": max(map(far, out.parts, expected))}


def piecewise_linear(network: dtd.Network) -> bool:
    """Whether every layer is affine, moves its inputs, or is a function with ``f(a) = f′(a) a``."""
    return all(
        isinstance(layer.op, (AffineMap, Mover)) or (isinstance(layer.op, Pointwise) and layer.kind in HOMOGENEOUS)
        for layer in network.layers
    )


def tensors(inputs: Any) -> list[Tensor]:
    """The tensors of some inputs, in order."""
    if isinstance(inputs, Mapping):
        return list(inputs.values())
    return list(inputs) if isinstance(inputs, tuple) else [inputs]


def gradient_times_input(example: Example) -> list[Tensor]:
    """``x ⊙ ∂f/∂x`` of the largest output, for each input."""
    leaves = [x.detach().clone().requires_grad_() for x in tensors(example.inputs)]
    inputs = dict(zip(example.inputs, leaves, strict=True)) if isinstance(example.inputs, Mapping) else tuple(leaves)
    found = call(example._replace(inputs=inputs))
    if example.output is not None:
        found = example.output(found) if callable(example.output) else found[example.output]
    explained = found.gather(1, largest(found.detach())[:, None]).sum()
    gradients = torch.autograd.grad(explained, leaves, allow_unused=True, materialize_grads=True)
    return [(x * gradient).detach() for x, gradient in zip(leaves, gradients, strict=True)]


def far(found: Tensor, expected: Tensor) -> float:
    """The largest difference, relative to the largest expected value."""
    return float((found - expected).abs().max() / expected.abs().max().clamp(min=torch.finfo(expected.dtype).tiny))
