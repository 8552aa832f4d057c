"""Relevance that outgrows what is explained, or is too small for its dtype: how much, where, and what to do about it."""

from collections.abc import Mapping
from typing import NamedTuple

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
    """Relevance is so small that its parts have fewer digits than its dtype promises, or vanish, at some layer.

    Said with the layer where relevance reaches the inputs that small, or not at all though none of the layers kept it; and
    of any layer when balances are found (``out.layers``, ``fast=False``): a fast pass looks at its two ends alone.

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


class Ends(NamedTuple):
    """What the sums of relevance at the two ends of a pass say, of any sample."""

    grown: bool  # more than ``LARGE`` times what is explained
    small: bool  # not 0, and so small that shares of it lose digits
    gone: bool  # 0, where something is explained

    @classmethod
    def of(cls, parts: tuple[Tensor, ...], initial: Tensor) -> "Ends":
        """Of relevance of the inputs and what is explained."""
        found, explained = total(parts).detach(), total((initial,)).detach()
        bound = small(initial.dtype)
        is_small = ((found > 0) & (found < bound)) | ((explained > 0) & (explained < bound))
        flags = torch.stack([found > LARGE * explained, is_small, (found == 0) & (explained > 0)])
        return cls(*flags.any(1).tolist())


def small(dtype: torch.dtype) -> float:
    """Below it shares of a number, down to an eps of it, have fewer digits than the dtype promises."""
    return torch.finfo(dtype).tiny / torch.finfo(dtype).eps


def lost_at(records: Mapping[str, Record], parts: tuple[Tensor, ...]) -> str:
    """The first place, from the output down, where relevance of some sample is too small for its dtype; empty for none.

    It is where ``Σ|R|`` is not 0 and below the smallest number whose shares keep their digits, or where a layer hands down
    and keeps nothing of what arrived.
    """
    bound, found = small(parts[0].dtype), total(parts)
    if records:
        sums, *kept = (torch.stack(part) for part in zip(*(r.balance.parts() for r in records.values()), strict=True))
        arrived = torch.stack([record.magnitude for record in records.values()])
        vanished = (sums != 0) & torch.stack([part == 0 for part in kept]).all(0)
        places = ((arrived > 0) & ((arrived < bound) | vanished)).any(1)
        if bool(places.any()):
            return f"at layer '{[name for name, here in zip(records, places.tolist(), strict=True) if here][-1]}'"
    return "at the inputs" if bool(((found > 0) & (found < bound)).any()) else ""


def vanishes(parts: tuple[Tensor, ...], initial: Tensor, inputs: tuple[Tensor, ...]) -> bool:
    """Whether no input of some sample has relevance, though something is explained and not all inputs are 0."""
    return bool(((total(parts) == 0) & (total((initial,)) > 0) & (total(inputs) > 0)).any())


def too_small(initial: Tensor, where: str) -> str:
    """What to do about relevance that is too small."""
    numbers = torch.finfo(initial.dtype)
    return (
        f"Relevance is below {small(initial.dtype):.1g} {where}: entries near {numbers.tiny:.1g}, the smallest number of "
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
