"""Which inputs are explained, and the domains that they live in."""

from collections.abc import Collection, Mapping

import torch
from torch import Tensor
from torch.export import ExportedProgram

from dtd.domain import Domain, Real
from dtd.errors import DomainError, InputError, TraceError
from dtd.network.build import Explained
from dtd.network.leaves import check_names, is_explainable
from dtd.network.lookups import lookups

Domains = Domain | Mapping[str, Domain] | None


def check_types(names: tuple[str, ...], leaves: list[Tensor], explained: Collection[str] | None) -> None:
    """Raise for inputs in another precision, and for explained inputs without numbers to explain."""
    for name, leaf in zip(names, leaves, strict=True):
        if (leaf.is_floating_point() and not is_explainable(leaf)) or leaf.is_complex():
            raise InputError(
                f"The example input must be float32 or float64 with a batch axis and at least one sample; found '{name}' in "
                f"{leaf.dtype} of shape {tuple(leaf.shape)}. Call x.float()."
            )
        if explained is not None and name in explained and leaf.dtype == torch.bool:
            raise InputError(f"'{name}' holds truth values, which cannot be explained.")


def explained_inputs(
    program: ExportedProgram, names: tuple[str, ...], leaves: list[Tensor], explained: Collection[str] | None
) -> tuple[Explained, ...]:
    """The explained inputs: floating-point leaves, and look-ups at integer ones."""
    integers = [k for k, leaf in enumerate(leaves) if leaf.dtype in (torch.int64, torch.int32)]
    read = lookups(program, [k for k in integers if explained is None or names[k] in explained], explained is not None)
    found: list[Explained] = []
    for k, (name, leaf) in enumerate(zip(names, leaves, strict=True)):
        if explained is not None and name not in explained:
            continue
        if leaf.is_floating_point():
            found.append(Explained(name, k, None))
            continue
        at = [each for each in read if each.leaf == k]
        if explained is not None and not at:
            raise TraceError(f"'{name}' cannot be explained: it holds integers, and indexes no table that is a constant.")
        found += [Explained(name if i == 0 else f"{name}@{i + 1}", k, each) for i, each in enumerate(at)]
    if not found:
        raise InputError(
            f"No input can be explained: {', '.join(names)} hold no floating-point numbers and index no table. The example "
            "input must be float32 or float64, or integers that look up vectors."
        )
    return tuple(found)


def chosen_domains(domain: Domains, explained: tuple[Explained, ...], example: list[Tensor]) -> tuple[Domain, ...]:
    """The domain of each explained input, with its bounds in the input's dtype and on its device."""
    names = [each.name for each in explained]
    if isinstance(domain, Mapping):
        check_names("domain", domain, names)
    found = []
    for each in explained:
        own = (domain.get(each.name) if isinstance(domain, Mapping) else domain) or Real()
        found.append(own_domain(own, example[each.leaf], each.lookup is not None))
    return tuple(found)


def own_domain(domain: Domain, x: Tensor, looked_up: bool) -> Domain:
    """The input's domain with its bounds in the input's dtype and on its device."""
    if not isinstance(domain, Domain):
        raise DomainError(f"'domain' must be a dtd.Box(low, high), dtd.NonNegative() or dtd.Real(); found {domain!r}.")
    if looked_up:
        return domain
    for bound in domain.bounds():
        if isinstance(bound, Tensor) and bound.ndim not in (0, x.ndim):
            raise DomainError(
                f"Bounds of the input must be numbers or have its {x.ndim} axes, the batch included, like (1, C, 1, 1); "
                f"found shape {tuple(bound.shape)}."
            )
    return domain.to(x)
