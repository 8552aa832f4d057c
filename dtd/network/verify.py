"""Whether a traced network is the model: on several samples together, and on another length."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from dtd.callers.arithmetic import own_arithmetic
from dtd.domain import Domain, Real, exact, varies_by_sample
from dtd.errors import DTDError, InputError, TraceError, UnsupportedOp
from dtd.network.above import output_from
from dtd.network.capture import OneTensor, experts, failure
from dtd.network.form import Key, parts_of
from dtd.network.leaves import Inputs
from dtd.network.lengths import other_lengths
from dtd.network.network import Network
from dtd.network.precision import as_taken, half_of
from dtd.network.reader import Axes

SEED = 0


def verify(network: Network, model: OneTensor) -> Mapping[Key, Any]:
    """Raise :class:`TraceError` where the network's own output is not the model's: on different samples, at another length.

    Returns the model's form after samples were run one by one, before others are run together.

    Samples are the example's first, and a perturbation of it: other values in the domain for floating-point inputs,
    the same entries in another order for integers, and one place masked where all entries say that nothing is.
    """
    batched = [not unbatched for unbatched in network.axes.unbatched]
    generator = torch.Generator().manual_seed(SEED)
    singles = [list(network.example), other_sample(network, generator)]
    found = compare(network, model, [into_domains(network, single) for single in singles], batched)
    verify_length(network, model, batched)
    return found


def verify_length(network: Network, model: OneTensor, batched: list[bool]) -> None:
    """The same at another length, where axes may vary and the model takes one; lengths that it refuses say nothing."""
    if not network.axes.dynamic or any(exact(b).ndim for domain in network.domains for b in domain.bounds()):
        return
    for sample in other_lengths(network.axes, into_domains(network, list(network.example))):
        try:
            called(model, sample)
        except Exception:  # too long for its positions, for example
            continue
        try:
            compare(network, model, [sample], batched)
            return
        except InputError:  # its code takes another way there, and the network refuses such inputs
            continue
        except TraceError as error:
            raise TraceError(f"At another length than the example's: {error}") from error


def into_domains(network: Network, sample: list[Tensor]) -> list[Tensor]:
    """A sample with its explained inputs moved into their domains, where an example may lie outside."""
    domains = {each.leaf: network.domains[k] for k, each in enumerate(network.builder.explained) if each.lookup is None}
    return [within(leaf, domains[k]) if k in domains else leaf for k, leaf in enumerate(sample)]


def within(leaf: Tensor, domain: Domain) -> Tensor:
    """The nearest values in a domain."""
    low, high = (exact(bound).to(leaf) for bound in domain.bounds())
    low, high = (bound[:1] if bound.ndim == leaf.ndim else bound for bound in (low, high))
    return torch.minimum(torch.maximum(leaf, low), high)


def other_sample(network: Network, generator: torch.Generator) -> list[Tensor]:
    """A sample that differs from the example's."""
    found = []
    for k, leaf in enumerate(network.example):
        if network.axes.unbatched[k] and k not in network.axes.wide:
            found.append(leaf)  # samples share it
        elif leaf.is_floating_point():
            found.append(perturbed(leaf, generator))
        else:
            order = torch.randperm(leaf.numel(), generator=generator).to(leaf.device)
            found.append(with_one_hidden(leaf.flatten()[order]).view_as(leaf))
    return found


def with_one_hidden(entries: Tensor) -> Tensor:
    """Entries that are all 1, or all the same boolean, with the last one the opposite: a mask that no order varies."""
    alike = len(entries) > 1 and bool((entries == entries[0]).all())
    if not alike or not (entries.dtype == torch.bool or entries[0] == 1):
        return entries
    return torch.cat([entries[:-1], (entries[-1:] == 0).to(entries)])


def perturbed(leaf: Tensor, generator: torch.Generator) -> Tensor:
    """Other values."""
    noise = torch.randn(leaf.shape, generator=generator, dtype=torch.float64).to(leaf)
    scale = leaf.std() if leaf.numel() > 1 and bool(leaf.std() > 0) else torch.ones_like(leaf.sum())
    return leaf + scale * noise


def batch_of(singles: list[list[Tensor]], batched: list[bool]) -> list[Tensor]:
    """Samples as one call's tensors."""
    return [torch.cat([s[k] for s in singles]) if b else singles[0][k] for k, b in enumerate(batched)]


@own_arithmetic()
def compare(network: Network, model: OneTensor, singles: list[list[Tensor]], batched: list[bool]) -> Mapping[Key, Any]:
    """Run the model on samples one by one and together, and the network on all of them; the model's form in between."""
    try:
        alone = [called(model, single) for single in singles]
    except DTDError:
        raise
    except Exception as error:
        raise TraceError(f"The model itself fails on one sample{failure(error)}{experts(model.model)}") from error
    form = dict(parts_of(model.model))
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
            whole = called(model, batch_of(singles, batched))
        except Exception as error:
            raise TraceError(
                f"The model runs on one sample and fails on {len(singles)} of the same kind together: {error}. It must take "
                "any number of samples, as one graph with a free batch size."
            ) from error
        check_equal(network, parted(network, whole, alone[0], len(singles)).reshape(expected.shape), found, "together")
    return form


def called(model: OneTensor, leaves: list[Tensor]) -> Tensor:
    """The model on tensors of its own: it may write to its inputs."""
    return model(*(leaf.clone() for leaf in leaves))


@own_arithmetic()
def verify_output(network: Network, inputs: Inputs, output: Tensor) -> None:
    """Raise :class:`TraceError` where the output of an explanation is not what the model itself returns for its inputs.

    The model is run on all samples together where that gives an output with a first axis of samples, and else one by one.
    """
    model = OneTensor(network.model, network.signature, network.retrace.keywords["output"])
    leaves, axes = as_taken(network.model, network.signature.tensors(inputs)), network.axes
    whole = None if any(axes.unbatched) or not len(output) else called(model, leaves)
    if whole is None or whole.shape[:1] != output.shape[:1] or whole.numel() != output.numel():
        parts = [called(model, row(axes, leaves, i)).reshape(output.shape[1:]) for i in range(len(output))]
        whole = torch.stack(parts) if parts else output
    expected = whole.reshape(output.shape).to(output)
    half = half_of(network.model)
    off = difference(network, expected, output, 0.0 if half is None else torch.finfo(half).eps)
    if off is not None:
        raise TraceError(
            f"The model returns another output for these inputs than the traced network: off by {off:.3g}. The model "
            "depends on something that the trace does not see: values that Python code branches on, a global variable, the "
            "batch's size or other samples. Make that a part of the graph, or trace the model as it is now."
        )


def row(axes: Axes, leaves: list[Tensor], i: int) -> list[Tensor]:
    """One sample of each tensor, as the model takes it."""
    taken = enumerate(zip(leaves, axes.batched, strict=True))
    return [leaf[i] if k in axes.wide else leaf[i : i + 1] if batched else leaf for k, (leaf, batched) in taken]


def difference(network: Network, expected: Tensor, found: Tensor, epsilon: float = 0.0) -> float | None:
    """The largest difference between two outputs, where it is more than rounding, to ``epsilon`` at best."""
    if not expected.numel():
        return None
    scale = max(1.0, expected.abs().max().item())
    off = (expected - found).abs().max().item()
    epsilon = max(epsilon, torch.finfo(found.dtype).eps, network.built(network.example).epsilon)
    return None if off <= epsilon**0.5 * scale else off


def own_output(network: Network, leaves: list[Tensor]) -> Tensor:
    """The network's own output. # shape: (B, *out)"""
    if any(varies_by_sample(bound) for domain in network.domains for bound in domain.bounds()):
        network = network.within(*(Real() for _ in network.domains))  # bounds of the samples that will be explained
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
    off = difference(network, expected.to(found), found)
    if off is not None:
        built = network.built(network.example)
        advice = (
            "It mixes samples, or depends on values or on the batch size in a way that one sample does not show: its output "
            f"for different samples {how} is off by {off:.3g}. Keep samples apart along the first axis."
        )
        if built.suspects:
            op, path = built.suspects[0]
            raise UnsupportedOp(op, path, advice)
        raise TraceError(f"The traced network is not the model. {advice}")
