"""Whether a traced network is the model: on several samples together, and on another length."""

import torch
from torch import Tensor

from dtd.domain import Domain, exact
from dtd.errors import TraceError, UnsupportedOp
from dtd.network.above import output_from
from dtd.network.capture import OneTensor
from dtd.network.network import Network

SEED = 0


def verify(network: Network, model: OneTensor) -> None:
    """Raise :class:`TraceError` where the network's own output on several different samples is not the model's.

    Samples are the example's first, and a perturbation of it: other values in the domain for floating-point inputs,
    the same entries in another order for integers.
    """
    batched = [not unbatched for unbatched in network.axes.unbatched]
    generator = torch.Generator().manual_seed(SEED)
    compare(network, model, [list(network.example), other_sample(network, generator)], batched)


def other_sample(network: Network, generator: torch.Generator) -> list[Tensor]:
    """A sample that differs from the example's."""
    domains = {each.leaf: network.domains[k] for k, each in enumerate(network.builder.explained) if each.lookup is None}
    found = []
    for k, leaf in enumerate(network.example):
        if network.axes.unbatched[k] and k not in network.axes.wide:
            found.append(leaf)  # samples share it
        elif leaf.is_floating_point():
            found.append(perturbed(leaf, domains.get(k), generator))
        else:
            order = torch.randperm(leaf.numel(), generator=generator).to(leaf.device)
            found.append(leaf.flatten()[order].view_as(leaf))
    return found


def perturbed(leaf: Tensor, domain: Domain | None, generator: torch.Generator) -> Tensor:
    """Other values, in the domain."""
    noise = torch.randn(leaf.shape, generator=generator, dtype=torch.float64).to(leaf)
    scale = leaf.std() if leaf.numel() > 1 and bool(leaf.std() > 0) else torch.ones_like(leaf.sum())
    moved = leaf + scale * noise
    if domain is None:
        return moved
    low, high = (exact(bound).to(leaf) for bound in domain.bounds())
    low, high = (bound[:1] if bound.ndim == leaf.ndim else bound for bound in (low, high))
    return torch.minimum(torch.maximum(moved, low), high)


def batch_of(singles: list[list[Tensor]], batched: list[bool]) -> list[Tensor]:
    """Samples as one call's tensors."""
    return [torch.cat([s[k] for s in singles]) if b else singles[0][k] for k, b in enumerate(batched)]


@torch.no_grad()
def compare(network: Network, model: OneTensor, singles: list[list[Tensor]], batched: list[bool]) -> None:
    """Run the model on samples one by one and together, and the network on all of them."""
    try:
        alone = [model(*single) for single in singles]
    except Exception as error:
        raise TraceError(f"The model itself fails on one sample: {type(error).__name__}: {error}") from error
    wide = [b or k in network.axes.wide for k, b in enumerate(batched)]
    leaves = [
        torch.stack([s[k] for s in singles]) if k in network.axes.wide else batch_of(singles, wide)[k]
        for k in range(len(network.example))
    ]
    found = own_output(network, leaves)
    expected = torch.stack([y.reshape(found.shape[1:]) for y in alone])
    check_equal(network, expected, found, "one by one")
    if all(batched):
        try:
            whole = model(*batch_of(singles, batched))
        except Exception as error:
            raise TraceError(
                f"The model runs on one sample and fails on {len(singles)} of the same kind together: {error}. It must take "
                "any number of samples, as one graph with a free batch size."
            ) from error
        check_equal(network, parted(network, whole, alone[0], len(singles)).reshape(expected.shape), found, "together")


def own_output(network: Network, leaves: list[Tensor]) -> Tensor:
    """The network's own output. # shape: (B, *out)"""
    graph, values = network.read(network.signature.structured(leaves))
    return output_from(graph, 0, values)


def parted(network: Network, whole: Tensor, alone: Tensor, count: int) -> Tensor:
    """The output of several samples together, sample by sample on a first axis."""
    axes = [k for k, (a, b) in enumerate(zip(alone.shape, whole.shape, strict=False)) if b == count * a]
    if whole.ndim != alone.ndim or not axes:
        raise TraceError(
            f"The model's output has shape {tuple(alone.shape)} for one sample and {tuple(whole.shape)} for {count}: no "
            "axis is that of the samples. It must treat samples separately."
        )
    return torch.stack(whole.chunk(count, axes[0]))


def check_equal(network: Network, expected: Tensor, found: Tensor, how: str) -> None:
    """Raise where the model's output and the network's differ by more than rounding."""
    expected = expected.to(found)
    scale = max(1.0, expected.abs().max().item()) if expected.numel() else 1.0
    difference = (expected - found).abs().max().item() if expected.numel() else 0.0
    built = network.built(network.example)
    if not difference <= max(torch.finfo(found.dtype).eps, built.epsilon) ** 0.5 * scale:
        advice = (
            "It mixes samples, or depends on values or on the batch size in a way that one sample does not show: its output "
            f"for different samples {how} is off by {difference:.3g}. Keep samples apart along the first axis."
        )
        if built.suspects:
            op, path = built.suspects[0]
            raise UnsupportedOp(op, path, advice)
        raise TraceError(f"The traced network is not the model. {advice}")
