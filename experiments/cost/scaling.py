"""Cost along one axis at a time: depth, width and resolution of a convolutional network, batch, number of targets."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import cast

import pandas as pd
import torch
from torch import Tensor, nn

from dtd.domain import Box
from dtd.explaining.explain import explain_each
from dtd.network import trace
from dtd.plans.plan import Plan
from experiments.cost.recipes import BASELINE, GAMMA, Method, always
from experiments.cost.timing import interleaved, warm_up
from experiments.machine.conditions import seeded
from experiments.machine.console import progress
from experiments.models.layers import randomise

OURS = "dtd, LRP-γ"


@dataclass(frozen=True)
class Size:
    """One setting of all axes."""

    depth: int = 8  # convolutions
    width: int = 32  # channels
    resolution: int = 32  # pixels a side
    batch: int = 4
    targets: int = 1


AXES = tuple(Size.__dataclass_fields__)


def scaling(axes: Mapping[str, Sequence[int]], rounds: int, seconds: float) -> pd.DataFrame:
    """One row for each axis × value × library × round; each axis is varied with the others at their middle."""
    found = []
    for axis, values in axes.items():
        for value in progress(list(values), f"cost along {axis}"):
            warm = [warm_up(method, seconds) for method in methods(replace(Size(), **{axis: value}))]
            for number, each, took in interleaved(warm, rounds):
                found.append(
                    {"axis": axis, "value": value, "library": each.method.library, "round": number, "seconds": took}
                )
    return pd.DataFrame(found)


def network(size: Size) -> nn.Module:
    """Convolutions with ReLUs, a global average and a dense layer with a class for each target."""
    layers: list[nn.Module] = []
    for i in range(size.depth):
        layers += [nn.Conv2d(size.width if i else 3, size.width, 3, padding=1), nn.ReLU()]
    model = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(size.width, max(10, size.targets)))
    randomise(model)
    return model.eval().requires_grad_(False)


def methods(size: Size) -> list[Method]:
    """Gradients and LRP-γ for all targets, each after one forward pass."""
    with seeded(0):
        model, x = network(size), torch.rand(size.batch, 3, size.resolution, size.resolution)
    traced, plan, targets = trace(model, x, Box(0.0, 1.0)), Plan.uniform("gamma", gamma=GAMMA), range(size.targets)

    def ours() -> Tensor:
        return cast(Tensor, [out.relevance for out in explain_each(traced, x, targets, plan)][-1])  # of the one input

    def gradients() -> Tensor:
        at = x.detach().requires_grad_()
        sums = model(at).sum(0)
        return [at.detach() * torch.autograd.grad(sums[t], at, retain_graph=t < size.targets - 1)[0] for t in targets][-1]

    return [Method(name, "", "", always(call)) for name, call in ((BASELINE, gradients), (OURS, ours))]
