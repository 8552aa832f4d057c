"""The functional graph of a model on one sample."""

from collections.abc import Callable, Container, Iterable, Mapping
from dataclasses import fields, is_dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.export import Dim, ExportedProgram

from dtd.errors import DTDError, InputError, TraceError, UnsupportedOp
from dtd.network.leaves import Signature
from dtd.network.quiet import quiet, reason
from dtd.network.rewriting import in_simple_ops, masks_as_given

Output = str | int | Callable[[Any], Tensor] | None
BatchNorm = nn.modules.batchnorm._BatchNorm
NO_STATISTICS = (
    "It has no running statistics, so that it mixes the samples of a batch: build it with track_running_stats=True and let "
    "it see data in training mode, or use a norm over each sample (GroupNorm)."
)
WRITES = (
    "The model writes to its own parameters or buffers when it runs{}, so that each call finds another model. In evaluation "
    "mode forward must leave them as they are: if self.training: …"
)
PREFIX = "model"  # what the paths of the model's modules begin with in the export


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
            tensor = getattr(returned, str(output)) if by_name else returned[output]
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
        parts: Iterable[tuple[Any, Any]] = returned.items()
    elif isinstance(returned, (tuple, list)):
        parts = enumerate(returned)
    elif is_dataclass(returned):
        parts = ((f.name, getattr(returned, f.name)) for f in fields(returned))
    else:
        return {}
    return {key: t for part, value in parts for key, t in tensors_of(value, f"{name}.{part}".lstrip(".")).items()}


def unwrapped(model: Any) -> nn.Module:
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
    fast = torch.backends.mha.get_fastpath_enabled()
    try:
        torch.backends.mha.set_fastpath_enabled(False)
        with quiet(), masks_as_given():
            program = torch.export.export(model, tuple(leaves), dynamic_shapes=(tuple(dynamic),))
            return in_simple_ops(program, known)
    except DTDError:
        raise
    except Exception as error:
        raise refusal(model, leaves, error) from error
    finally:
        torch.backends.mha.set_fastpath_enabled(fast)


def training_mode(model: nn.Module) -> UnsupportedOp | None:
    """The error for a model with a module that computes otherwise in evaluation mode."""
    for path, module in model.named_modules():
        dropping = isinstance(module, nn.modules.dropout._DropoutNd)
        if module.training and (dropping or (isinstance(module, BatchNorm) and module.track_running_stats)):
            return UnsupportedOp(type(module).__name__, path, "The model is in training mode: call model.eval() before.")
    return None


def without_statistics(model: nn.Module) -> UnsupportedOp | None:
    """The error for batch norm that takes its statistics from the batch, in any mode."""
    for path, module in model.named_modules():
        if isinstance(module, BatchNorm) and (module.running_mean is None or module.running_var is None):
            return UnsupportedOp(type(module).__name__, path, NO_STATISTICS)
    return None


def check_buffers(program: ExportedProgram, model: nn.Module) -> None:
    """Raise for a model that writes to its own buffers when it runs."""
    written = sorted(name.removeprefix(PREFIX + ".") for name in program.graph_signature.buffers_to_mutate.values())
    if written:
        raise training_mode(model) or TraceError(WRITES.format(f" ({', '.join(written)})"))


def makes_numbers(program: ExportedProgram) -> bool:
    """Whether the graph holds floating-point numbers of one dtype that are no parameters: constants, zeros, conversions."""
    for node in program.graph.nodes:
        val = node.meta.get("val")
        if not (isinstance(val, Tensor) and val.is_floating_point()):
            continue
        made = node.op == "call_function" and (not node.all_input_nodes or node.kwargs.get("dtype") is not None)
        if made or node.name in program.graph_signature.inputs_to_lifted_tensor_constants:
            return True
    return False


def refusal(model: OneTensor, leaves: list[Tensor], error: Exception) -> DTDError:
    """Why a model could not be captured: its own error on one sample, training mode, or what torch.export says."""
    known = training_mode(model.model) or without_statistics(model.model)
    if known is not None:
        return known
    name = type(model.model).__name__
    try:
        with torch.no_grad():
            returned = model(*(leaf.clone() for leaf in leaves))
    except DTDError as own:
        return own
    except Exception as own:
        return TraceError(f"The model itself fails on one sample of the example{failure(own)}{experts(model.model)}")
    if not isinstance(returned, Tensor):
        return TraceError(f"The model must return a tensor; {name} returns {type(returned).__name__}.")
    return TraceError(
        f"torch.export could not capture {name} as one graph with a free batch size. Python branches on values and code "
        f"that fixes the batch size must go.{experts(model.model)} It said: {reason(error)}"
    )


def experts(model: nn.Module) -> str:
    """What to try for a model of ``transformers`` whose experts are computed by a loop, or by a kernel that is picky."""
    chosen = getattr(getattr(model, "config", None), "_experts_implementation", None)
    if chosen in (None, "batched_mm") or not hasattr(model, "set_experts_implementation"):
        return ""
    return f" Its experts are computed by {chosen!r}: call model.set_experts_implementation('batched_mm') before."


def failure(error: Exception) -> str:
    """A model's own error as the end of a sentence, with what to try."""
    return (
        f": {type(error).__name__}: {error}. Run model(example) to see where. It must run "
        "on any number of samples, as one graph with a free batch size."
    )


def varying(name: str, wanted: Mapping[int, Any], shape: tuple[int, ...], unbatched: bool) -> dict[int, Any]:
    """The axes of an input that may vary, as torch.export takes them; which belong together it finds by itself."""
    first = 0 if unbatched else 1
    for axis in wanted:
        if not isinstance(axis, int) or not first <= axis < len(shape):
            raise InputError(f"'dynamic' must name axes of '{name}' from {first} to {len(shape) - 1}; found {axis!r}.")
    return dict.fromkeys(wanted, Dim.AUTO)
