"""Whether methods compute the same relevance: libraries in float64, and ours in float32 beside float64."""

import torch
from torch import Tensor, nn

from experiments.cost.methods import OURS, methods_of
from experiments.cost.recipes import BASELINE, Kind, kind_of
from experiments.cost.timing import once
from experiments.machine.console import progress
from experiments.models import Subject

CROP = 64  # pixels: whether rules are the same shows on a part of the image


def compare(subject: Subject, peers: list[str], name: str) -> dict[tuple[str, str], float]:
    """Largest difference between each other library's relevance and ours, relative to our largest |relevance|."""
    double = subject.to(torch.float64)
    x = double.test_x[:1]
    methods = methods_of(double.model, subject.domain, x[..., :CROP, :CROP] if is_free(double.model, x) else x, peers)
    ours, differences = {}, {}
    for method in progress(list(methods), f"comparing libraries on {name}"):
        if method.library != BASELINE:
            with method.ready() as prepared:
                relevance = once(prepared)[1]
            if method.library == OURS:
                ours[method.rule] = relevance
            else:
                differences[method.library, method.rule] = difference(relevance, ours[method.rule])
    return differences


def is_free(model: nn.Module, x: Tensor) -> bool:
    """Whether a model takes images of another size."""
    return x.ndim == 4 and kind_of(model) is not Kind.attention


def rounding(subject: Subject, name: str) -> dict[tuple[str, str], float]:
    """Largest difference between our relevance in float32 and in float64, relative to the largest |relevance|."""
    double, x = subject.to(torch.float64), subject.test_x[:1]
    single = methods_of(subject.model, subject.domain, x, [])
    pairs = list(zip(single, methods_of(double.model, double.domain, x.double(), []), strict=True))
    found = {}
    for method, exact in progress(pairs, f"rounding errors on {name}"):
        if method.library == OURS:
            with method.ready() as one, exact.ready() as two:
                relevance, truth = once(one)[1], once(two)[1]
            found[OURS, method.rule] = difference(relevance, truth)
    return found


def difference(relevance: Tensor, other: Tensor) -> float:
    """Largest difference, relative to the other's largest |relevance|."""
    return ((relevance - other).abs().max() / other.abs().max()).item()
