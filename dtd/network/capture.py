"""The functional graph of a model on one sample."""

import logging
import warnings
from collections.abc import Callable, Container, Mapping
from dataclasses import fields, is_dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.export import Dim, ExportedProgram
from torch.fx import Node

from dtd.errors import DTDError, InputError, TraceError, UnsupportedOp
from dtd.network.aten import aten
from dtd.network.kinds import is_floating
from dtd.network.leaves import Signature

Output = str | int | Callable[[Any], Tensor] | None
HARMLESS = frozenset((aten.detach_.default,))  # writes to no entry
PREFIX = "model"  # what the paths of the model's modules begin with in the export


def one_bag(weight: Tensor, ids: Tensor, offsets: Tensor, scale=False, mode=0, *rest):
    """``embedding_bag`` of one sample as a look-up and a sum, mean or maximum over its rows."""
    _, weights, _, padding = (*rest, *(False, None, False, -1)[len(rest) :])
    if offsets.shape[0] != 1 or (padding is not None and padding >= 0):
        raise NotImplementedError("EmbeddingBag is supported with one bag for each sample and without padding_idx.")
    rows = aten.embedding.default(weight, ids)
    rows = rows if weights is None else rows * weights[:, None]
    joined = (rows.sum, rows.mean, rows.amax)[mode](0, keepdim=True)
    return joined, offsets, offsets, offsets


def simpler() -> dict[Any, Callable]:
    """Ops that the export writes as simpler ones: recurrent modules as their cells, einsum as matrix products."""
    recurrent = [aten.lstm.input, aten.gru.input, aten.rnn_tanh.input, aten.rnn_relu.input]
    cells = (aten.lstm_cell.default, aten.gru_cell.default, aten.rnn_tanh_cell.default, aten.rnn_relu_cell.default)
    known = torch.export.default_decompositions()
    composed = {op: known[op] for op in (aten.einsum.default, *cells)}
    return {**torch._decomp.get_decompositions(recurrent), **composed, aten.embedding_bag.padding_idx: one_bag}


class OneTensor(nn.Module):
    """A model as a function of the tensors among its inputs that returns the tensor to explain."""

    def __init__(self, model: nn.Module, signature: Signature, output: Output):
        super().__init__()
        self.model, self.signature, self.output = model, signature, output

    def forward(self, *leaves: Tensor) -> Tensor:
        args, kwargs = self.signature.call(leaves)
        return picked(self.model(*args, **kwargs), self.output)


def picked(returned: Any, output: Output) -> Tensor:
    """The tensor to explain among what a model returns; the only one where ``output`` does not say which."""
    if output is None:
        found = tensors_of(returned)
        if len(found) != 1:
            listed = ", ".join(f"{name} {tuple(t.shape)}" for name, t in found.items()) or "none"
            raise TraceError(
                f"The model must return one tensor to explain; it returns {len(found)}: {listed}. Say which: trace(…, "
                "output=) takes a key, an index, or a function of what the model returns."
            )
        (tensor,) = found.values()
        return tensor
    if callable(output):
        tensor = output(returned)
    else:
        try:
            by_name = isinstance(output, str) and not isinstance(returned, Mapping) and hasattr(returned, output)
            tensor = getattr(returned, output) if by_name else returned[output]
        except (KeyError, IndexError, TypeError) as error:
            listed = ", ".join(f"{name} {tuple(t.shape)}" for name, t in tensors_of(returned).items())
            raise InputError(f"'output' is {output!r}, which the model does not return; it returns {listed}.") from error
    if not isinstance(tensor, Tensor):
        raise InputError(f"'output' must give one tensor; it gives {type(tensor).__name__}.")
    return tensor


def tensors_of(returned: Any, name: str = "") -> dict[str, Tensor]:
    """The tensors in what a model returns, by name."""
    if isinstance(returned, Tensor):
        return {name or "output": returned}
    if isinstance(returned, Mapping):
        parts = returned.items()
    elif isinstance(returned, (tuple, list)):
        parts = enumerate(returned)
    elif is_dataclass(returned):
        parts = ((f.name, getattr(returned, f.name)) for f in fields(returned))
    else:
        return {}
    return {key: t for part, value in parts for key, t in tensors_of(value, f"{name}.{part}".lstrip(".")).items()}


def unwrapped(model: nn.Module) -> nn.Module:
    """The model inside ``DataParallel`` or ``torch.compile``."""
    while True:
        if isinstance(model, (nn.DataParallel, nn.parallel.DistributedDataParallel)):
            model = model.module
        elif isinstance(getattr(model, "_orig_mod", None), nn.Module):
            model = model._orig_mod
        else:
            return model


def export(model: OneTensor, leaves: list[Tensor], dynamic: list[dict[int, Any]], known: Container[Any]) -> ExportedProgram:
    """The functional graph of the model on one sample, in ``known`` ops as far as torch can write it in them."""
    logger = logging.getLogger("torch.export")
    level, fast = logger.level, torch.backends.mha.get_fastpath_enabled()
    try:
        logger.setLevel(logging.ERROR)
        torch.backends.mha.set_fastpath_enabled(False)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            program = torch.export.export(model, tuple(leaves), dynamic_shapes=(tuple(dynamic),))
            return program if is_plain(program, known) else program.run_decompositions(simpler())
    except DTDError:
        raise
    except Exception as error:
        raise refusal(model, leaves, error) from error
    finally:
        logger.setLevel(level)
        torch.backends.mha.set_fastpath_enabled(fast)


def is_plain(program: ExportedProgram, known: Container[Any]) -> bool:
    """Whether a graph writes to no value, and computes with the inputs' numbers in known ops alone: nothing to rewrite."""
    inputs = set(program.graph_signature.user_inputs)
    depends: set[Node] = set()
    for node in program.graph.nodes:
        if node.op == "placeholder" and node.name in inputs:
            depends.add(node)
        elif node.op == "call_function" and any(n in depends for n in node.all_input_nodes):
            depends.add(node)
            if getattr(getattr(node.target, "_schema", None), "is_mutable", False):
                return False
            if node.target not in known and is_floating(node.meta.get("val")):
                return False
        elif node.op == "call_function" and node.target not in HARMLESS:
            if getattr(getattr(node.target, "_schema", None), "is_mutable", False):
                return False
    return True


def refusal(model: OneTensor, leaves: list[Tensor], error: Exception) -> TraceError:
    """Why a model could not be captured: its own error on one sample, training mode, or what torch.export says."""
    for path, module in model.model.named_modules():
        if module.training and isinstance(module, (nn.modules.batchnorm._BatchNorm, nn.modules.dropout._DropoutNd)):
            return UnsupportedOp(type(module).__name__, path, "The model is in training mode: call model.eval() before.")
    name = type(model.model).__name__
    try:
        with torch.no_grad():
            model(*leaves)
    except Exception as own:
        return TraceError(
            f"The model itself fails on one sample of the example: {type(own).__name__}: {own}. {name} must run on any "
            "number of samples, as one graph with a free batch size."
        )
    return TraceError(
        f"torch.export could not capture {name} as one graph with a free batch size. Python branches on values and code "
        f"that fixes the batch size must go. It said: {error}"
    )


def varying(name: str, wanted: Mapping[int, Any], shape: tuple[int, ...], unbatched: bool) -> dict[int, Any]:
    """The axes of an input that may vary, as torch.export takes them; which belong together it finds by itself."""
    first = 0 if unbatched else 1
    for axis in wanted:
        if not isinstance(axis, int) or not first <= axis < len(shape):
            raise InputError(f"'dynamic' must name axes of '{name}' from {first} to {len(shape) - 1}; found {axis!r}.")
    return dict.fromkeys(wanted, Dim.AUTO)
