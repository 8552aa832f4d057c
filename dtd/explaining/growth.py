"""Relevance that outgrows what is explained, or is too small for its dtype: how much, where, and what to do about it."""

from collections.abc import Mapping

import torch
from torch import Tensor

from dtd.explaining.balances import Record

LARGE = 1e3  # times what is explained: more is said
INPUTS = "(inputs)"  # the entry of growth for all explained inputs together


class GrowthWarning(UserWarning):
    """Relevance of the inputs is more than a thousand times what is explained, for some sample.

    ``z = 1025 a_1 − 1024 a_2`` is worth 1 at ``(1, 1)`` and hands down ``(1025, −1024)``; the balance closes all the same.

    >>> import dtd, torch, warnings
    >>> unit, a = torch.nn.Linear(2, 1, bias=False).double(), torch.ones(1, 2).double()
    >>> unit.weight.data[:] = torch.tensor([1025.0, -1024.0])
    >>> with warnings.catch_warnings(record=True) as said:
    ...     warnings.simplefilter("always")
    ...     out = dtd.explain(dtd.trace(unit, a), a, 0, dtd.Plan.uniform("lrp0"))
    >>> said[0].category.__name__, out.growth["(inputs)"]
    ('GrowthWarning', 2049.0)
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
    return torch.stack([part.abs().flatten(1).sum(1) for part in parts]).sum(0)


def ratios(parts: tuple[Tensor, ...], initial: Tensor) -> Tensor:
    """``Σ |R| / Σ |R_initial|`` of each sample; of 0, infinity (0 without relevance). # shape: (B, *) each -> (B,)"""
    found, explained = total(parts), total((initial,))
    return torch.where(explained > 0, found / explained, torch.where(found > 0, torch.inf, 0.0))


def outgrows(parts: tuple[Tensor, ...], initial: Tensor) -> bool:
    """Whether relevance of the inputs is more than ``LARGE`` times the initial one, for some sample."""
    return bool((ratios(parts, initial) > LARGE).any())


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


def growth(records: Mapping[str, Record], parts: tuple[Tensor, ...], initial: Tensor) -> dict[str, float]:
    """``Σ|R| / Σ|R_initial|`` at each layer's output, from the output down, and of all inputs; the largest over the samples.

    The last entry, ``"(inputs)"``, is what :func:`outgrows` compares with ``LARGE``.
    """
    sizes = {name: ratios((record.magnitude[:, None],), initial) for name, record in reversed(list(records.items()))}
    sizes[INPUTS] = ratios(parts, initial)
    return {name: float(size.max()) if len(size) else 0.0 for name, size in sizes.items()}


def message(records: Mapping[str, Record], parts: tuple[Tensor, ...], initial: Tensor) -> str:
    """How much relevance grows in the sample where it grows most, at which layer most of it, and why."""
    found = ratios(parts, initial)
    at = int(found.argmax())
    names = list(records)
    sizes = {i: float(ratios((records[name].magnitude[:, None],), initial)[at]) for i, name in enumerate(names)}
    sizes |= {-1 - k: float(ratios((part,), initial)[at]) for k, part in enumerate(parts)}
    edges = [(j, i) for i, name in enumerate(names) for j in records[name].layer.inputs if j in sizes]
    steps = {i: max(sizes[j] / sizes[i] for j, above in edges if above == i) for _, i in edges if sizes[i] > 0}
    where = ""
    if steps:
        worst = max(steps, key=lambda i: steps[i])
        layer = records[names[worst]].layer
        where = f"; most at layer '{names[worst]}' ({layer.kind}), by a factor of {steps[worst]:.4g}"
    return (
        f"Relevance of the inputs is {float(found[at]):.4g} times what is explained{where}: contributions of either sign "
        "nearly cancel in its denominators, so that its roots lie far away. Nothing is clipped. Sums of the input's "
        "relevance may still be right; single entries mean little. Use a rule whose denominators do not cancel (γ, z⁺), a "
        "damping ε, or hold gates and scales; out.growth shows every layer."
    )
