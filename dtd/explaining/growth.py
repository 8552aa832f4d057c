"""Relevance that outgrows what is explained, or is too small for its dtype: how much, where, and what to do about it."""

from collections.abc import Mapping

import torch
from torch import Tensor

from dtd.explaining.balances import Record
from dtd.propagation import per_sample

LARGE = 1e3  # times what is explained: more is said


class GrowthWarning(UserWarning):
    """Relevance of some layer is more than a thousand times what is explained."""


class UnderflowWarning(UserWarning):
    """Relevance is so small that its parts have fewer digits than its dtype promises, or vanish."""


def total(parts: tuple[Tensor, ...]) -> Tensor:
    """``Σ |R|`` of each sample over several tensors. # shape: (B, *) each -> (B,)"""
    return torch.stack([per_sample(part.abs()) for part in parts]).sum(0)


def outgrows(parts: tuple[Tensor, ...], initial: Tensor) -> bool:
    """Whether relevance is more than ``LARGE`` times the initial one, for some sample."""
    return bool((total(parts) > LARGE * total((initial,))).any())


def underflows(parts: tuple[Tensor, ...], initial: Tensor) -> bool:
    """Whether what is explained of some sample, or its relevance, is not 0 and so small that shares of it lose digits."""
    numbers = torch.finfo(initial.dtype)
    sums = torch.stack([total(parts), total((initial,))])
    return bool(((sums > 0) & (sums < numbers.tiny / numbers.eps)).any())


def too_small(initial: Tensor) -> str:
    """What to do about relevance that is too small."""
    numbers = torch.finfo(initial.dtype)
    return (
        f"Relevance is below {numbers.tiny / numbers.eps:.1g}: entries near {numbers.tiny:.1g}, the smallest number of "
        f"{initial.dtype} with all digits, lose digits or become 0. Relevance is proportional to the initial one: explain a "
        "multiple, target=lambda y: 1e20 * f(y), or work in float64 (model.double(), x.double())."
    )


def growth(records: Mapping[str, Record], initial: Tensor) -> dict[str, float]:
    """``Σ|R| / Σ|R_initial|`` at each layer's output, from the output down; the largest over the samples."""
    explained = total((initial,))
    return {
        name: float(torch.where(explained > 0, record.magnitude / explained, 0.0).max()) if len(explained) else 0.0
        for name, record in reversed(list(records.items()))
    }


def message(records: Mapping[str, Record], initial: Tensor) -> str:
    """Where relevance grows most from one layer to those below, and why."""
    sizes = growth(records, initial)
    names = list(records)
    readers: dict[str, list[str]] = {name: [] for name in names}
    for name in names:
        for j in records[name].layer.inputs:
            if j >= 0:
                readers[names[j]].append(name)
    steps = {above: sizes[below] / sizes[above] for below in names for above in readers[below] if sizes[above] > 0}
    worst = max(steps, key=lambda name: steps[name], default=names[0])
    peak = max(sizes.values(), default=0.0)
    return (
        f"Relevance grows to {peak:.3g} times what is explained; most at layer '{worst}' ({records[worst].layer.kind}), by "
        f"a factor of {steps.get(worst, peak):.3g}: contributions of either sign nearly cancel in its denominators, so that "
        "its roots lie far away. Nothing is clipped. Sums of the input's relevance may still be right; single entries mean "
        "little. Use a rule whose denominators do not cancel (γ, z⁺), a damping ε, or hold gates and scales; out.growth "
        "shows every layer."
    )
