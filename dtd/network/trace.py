"""Capture a torch model as a network of primitives."""

from collections.abc import Collection
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from dtd.callers.arithmetic import without_autocast
from dtd.errors import InputError, TraceError
from dtd.network.aten import aten
from dtd.network.build import Builder
from dtd.network.capture import OneTensor, Output, check_buffers, export, makes_numbers, unwrapped
from dtd.network.explained import Domains, check_types, chosen_domains, explained_inputs
from dtd.network.form import Form
from dtd.network.leaves import Inputs, Signature, check_names, single
from dtd.network.lengths import Dynamic, branches, check_declared, exported_shape, limit, moving
from dtd.network.lookups import rows
from dtd.network.network import Network
from dtd.network.opaque import Chosen, chosen_paths
from dtd.network.ops import HANDLERS
from dtd.network.precision import HALF, in_float32, said_of
from dtd.network.reader import Axes
from dtd.network.state import Snapshot, check_unwritten
from dtd.network.verify import verify

KEPT_SAMPLES = 2  # samples of the example that are kept, to trace again


@without_autocast()
def trace(
    model: nn.Module,
    inputs: Inputs,
    domain: Domains = None,
    *,
    explained: Collection[str] | None = None,
    output: Output = None,
    dynamic: Dynamic | None = None,
    unbatched: Collection[str] = (),
    opaque: Chosen = (),
    fold_batch_norm: bool = True,
) -> Network:
    """Capture a model as layers whose relevance can be decomposed; the model itself is left bit-identical.

    The model is exported once, for one sample (``torch.export``, functionalised): functional and in-place code is seen, and
    every op is known before any relevance is computed. The network is then held against the model on several samples.

    Args:
        model: in evaluation mode. ``DataParallel`` and compiled models are unwrapped. One in bfloat16 or float16 is
            explained in float32 with the weights that it has, from a float32 copy that lives while it is traced; the
            network reads the model's own weights, and keeps them as float32 too.
        inputs: an example: one tensor ``(B, ...)``, a tuple of the model's arguments, or a mapping of its keyword arguments.
        domain: where explained inputs live (default: :class:`Real`), for all of them or by name; other layers' domains are
            inferred from it.
        explained: names of the inputs that relevance is found for. Without it they are the floating-point ones, and the
            integer ones that index a table, which are explained at the vectors that they look up. The others are side
            values: masks, for example.
        output: what is explained of a model that returns several values: a key, an index, or a function of what it returns.
        dynamic: axes that may vary from call to call, by input: ``{"input_ids": {1: "tokens"}}``. Axis 1 of integer inputs,
            and what shares its length, may vary without it.
        unbatched: names of inputs that the model takes without a batch axis, such as an adjacency matrix. Samples share
            those that are not explained; an explained one gets its batch axis when it is explained.
        opaque: modules to keep in one piece, by type or by path (a glob), whatever ops they use: each becomes a layer of
            kind ``opaque``, for which the plan needs an entry such as :class:`dtd.Generic`. Such a module must treat
            samples separately and return one tensor.
        fold_batch_norm: merge batch norm into the affine layer before it; otherwise it stays an affine layer.

    Raises:
        UnsupportedOp: naming the op, the module path and what to do.
        TraceError: the model cannot be captured as one graph, mixes samples, or fails.
        InputError: example inputs that are none; a name that no input has; ``opaque`` names nothing.
        NonFiniteError: NaN or infinity in the weights.

    >>> import dtd, torch
    >>> dtd.trace(torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.ReLU()), torch.ones(1, 2), dtd.Box(0.0, 1.0))
    Network(Sequential, 2 layers, explained at input (B, 2))
    """
    live = checked_model(model)
    model = in_float32(live)  # what is exported, and run to be compared
    signature, example = Signature.of(model, inputs)
    form = Form.of(model)
    names = signature.names
    for what, given in (("unbatched", unbatched), ("explained", explained or ()), ("dynamic", dynamic or ())):
        check_names(what, given, names)
    apart = tuple(name in unbatched for name in names)
    leaves = [single(name, tensor, not free) for name, tensor, free in zip(names, example, apart, strict=True)]
    check_types(names, leaves, explained)
    wrapped = OneTensor(model, signature, output)
    with said_of(model, live):
        program = export(wrapped, leaves, moving(names, leaves, apart, dynamic), {*HANDLERS, aten.embedding.default})
    check_buffers(program, model)
    wanted = explained_inputs(program, names, leaves, explained)
    kept = chosen_paths(model, opaque)
    builder = Builder(program, wanted, torch_layers(model) | kept, kept, like(model, leaves), fold_batch_norm)
    shapes = tuple(map(exported_shape, builder.placeholders))
    axes = Axes(
        names,
        apart,
        tuple(any(each.leaf == k for each in wanted) for k in range(len(names))),
        shapes,
        tuple(leaf.dtype for leaf in leaves),
        tuple((symbol, limit(r.lower), limit(r.upper)) for symbol, r in program.range_constraints.items()),
        rows(program),
        branches(builder.placeholders),
    )
    check_declared(names, shapes, dynamic)
    domains = chosen_domains(domain, wanted, example)
    batched = [not free for free in apart]
    options: dict[str, Any] = dict(explained=explained, output=output, dynamic=dynamic, unbatched=unbatched, opaque=opaque)
    few = signature.structured(
        [t.detach()[:KEPT_SAMPLES].clone() if b else t.detach().clone() for t, b in zip(example, batched, strict=True)]
    )
    again = partial(trace, inputs=few, domain=domain, fold_batch_norm=fold_batch_norm, **options)
    network = Network(live, builder, signature, axes, tuple(leaves), domains, again)
    assert network.layers is not None  # lowers now, so that an unsupported op is an error of the trace
    before = Snapshot.of(model)
    try:
        with said_of(model, live):
            between = verify(network, wrapped)
    except TraceError:
        check_unwritten(before)
        raise
    check_unwritten(before)
    network.form = form.settled(model, live, makes_numbers(program), between)
    if model is not live:
        program.state_dict.clear()  # the layers read the model's own
    return network


def checked_model(model: Any) -> nn.Module:
    """The model itself, without its wrappers."""
    if not isinstance(model, nn.Module):
        raise InputError(f"'model' must be a torch.nn.Module; found {type(model).__name__}.")
    model = unwrapped(model)
    if isinstance(model, torch.jit.ScriptModule):
        raise TraceError(f"{type(model).__name__} is compiled by torch.jit; trace the model that it was made from.")
    for path, tensor in (*model.named_parameters(), *model.named_buffers()):
        if tensor.is_floating_point() and tensor.dtype not in (torch.float32, torch.float64, *HALF):
            raise InputError(
                f"'{path}' of the model is in {tensor.dtype}; relevance needs float32, float64, bfloat16 or float16. Trace "
                "copy.deepcopy(model).float()."
            )
        if nn.parameter.is_lazy(tensor):
            raise InputError(f"'{path}' of the model has no shape yet: run the model on an example first, model(x).")
        if tensor.is_meta:
            raise InputError(
                f"'{path}' of the model is on the device meta, without values: model.to_empty(device='cpu'), then load them."
            )
        if tensor.is_inference():
            raise InputError(
                f"'{path}' of the model was made in torch.inference_mode, where torch does not count changes. Make the "
                "model outside of it, or give it clones: model.load_state_dict({k: t.clone() for k, t in model.state_dict()"
                ".items()}, assign=True)."
            )
    return model


def like(model: nn.Module, leaves: list[Tensor]) -> Tensor:
    """A tensor in the network's dtype, on its device, where the model has no parameters."""
    floating = [leaf for leaf in leaves if leaf.is_floating_point()] or [t for t in model.parameters()]
    return floating[0].detach().flatten()[:0].clone() if floating else torch.zeros(0)


def torch_layers(model: nn.Module) -> frozenset[str]:
    """Paths of the modules that are torch's own layers."""
    own = ((name, module) for name, module in model.named_modules() if not list(module.children()))
    return frozenset(name for name, module in own if name and type(module).__module__.startswith("torch.nn"))
