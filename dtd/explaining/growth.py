"""Relevance that outgrows what is explained, or is too small for its dtype: how much, where, and what to do about it."""

from collections.abc import Mapping

import torch
from torch import Tensor

from dtd.explaining.balances import Record
from dtd.propagation import per_sample

LARGE = 1e3  # times what is explained: more is said
INPUTS = "(inputs)"  # all explained inputs together, among the layers' names


class GrowthWarning(UserWarning):
    """Relevance of some layer is more than a thousand times what is explained.

    z = 1000 − 999.999 hands down (1000 + 999.999)/0.001 times itself; the balance closes all the same.

    >>> import dtd, torch, warnings
    >>> unit = torch.nn.Linear(2, 1).double()
    >>> x = torch.ones(1, 2, dtype=torch.float64)
    >>> _ = unit.load_state_dict({"weight": torch.tensor([[1000, -999.999]], dtype=x.dtype), "bias": torch.zeros(1)})
    >>> with warnings.catch_warnings(record=True) as said:
    ...     warnings.simplefilter("always")
    ...     out = dtd.explain(dtd.trace(unit, x), x, 0, dtd.Plan.uniform("lrp0"))
    >>> said[0].category.__name__, float(out.relevance.abs().sum() / out.initial.sum()).__round__()
    ('GrowthWarning', 1999999)
    """


class UnderflowWarning(UserWarning):
    """Relevance is so small that its parts have fewer digits than its dtype promises, or vanish.

    1e-40 is below the smallest number that float32 has with all its digits.

    >>> import dtd, torch, warnings
    >>> unit, x = torch.nn.Linear(2, 1), torch.ones(1, 2)
    >>> with warnings.catch_warnings(record=True) as said:
    ...     warnings.simplefilter("always")
    ...     _ = dtd.explain(dtd.trace(unit, x), x, lambda y: 0 * y + 1e-40, dtd.Plan.uniform("lrp0"))
    >>> said[0].category.__name__
    'UnderflowWarning'
    """


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


def growth(records: Mapping[str, Record], initial: Tensor, parts: tuple[Tensor, ...]) -> dict[str, float]:
    """``Σ|R| / Σ|R_initial|`` at each layer's output, from the output down, then at the inputs; the samples' largest."""
    sizes = {name: record.magnitude for name, record in reversed(list(records.items()))} | {INPUTS: total(parts)}
    explained = total((initial,))
    ratios = {name: torch.where(explained > 0, size / explained, 0.0) for name, size in sizes.items()}
    return {name: float(ratio.detach().max()) if len(ratio) else 0.0 for name, ratio in ratios.items()}


def message(records: Mapping[str, Record], sizes: Mapping[str, float]) -> str:
    """Where relevance grows most from one layer to those below, and why."""
    names = list(records)
    below = [names[j] if j >= 0 else INPUTS for name in names for j in records[name].layer.inputs]
    above = [name for name in names for _ in records[name].layer.inputs]
    steps: dict[str, float] = {}
    for upper, lower in zip(above, below, strict=True):
        if sizes[upper] > 0:
            steps[upper] = max(steps.get(upper, 0.0), sizes[lower] / sizes[upper])
    worst, peak = max(steps, key=lambda name: steps[name]), max(sizes, key=lambda name: sizes[name])
    where = "at the inputs" if peak == INPUTS else f"at layer '{peak}'"
    return (
        f"Relevance grows to {sizes[peak]:.3g} times what is explained, {where}; most at layer '{worst}' "
        f"({records[worst].layer.kind}), by a factor of {steps[worst]:.3g}: contributions of either sign nearly cancel in "
        "its denominators, so that its roots lie far away. Nothing is clipped. Sums of the input's relevance may still be "
        "right; single entries mean little. Use a rule whose denominators do not cancel (γ, z⁺), a damping ε, or hold gates "
        "and scales; out.growth shows every layer."
    )
