"""Capture a torch model as a network of primitives."""

import logging
import warnings
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.export import Dim, ExportedProgram

from dtd.domain import Domain, Real
from dtd.errors import DomainError, InputError, TraceError
from dtd.network.fold import fold, mark_rectified
from dtd.network.graph import Graph
from dtd.network.lowering import Lowering, Ref
from dtd.network.network import Network
from dtd.network.opaque import Chosen, calls, chosen_paths, lower
from dtd.network.ops import HANDLERS, advice
from dtd.propagation import Layer


def trace(
    model: nn.Module,
    example_inputs: Tensor | tuple[Tensor],
    domain: Domain | None = None,
    *,
    fold_batch_norm: bool = True,
    opaque: Chosen = (),
) -> Network:
    """Capture a model as layers whose relevance can be decomposed; the model itself is left bit-identical.

    The model is exported once with a free batch size (``torch.export``, functionalised), so functional and in-place
    code is seen, and every op is known before any relevance is computed.

    Args:
        model: in evaluation mode, float32 or float64.
        example_inputs: one input tensor ``(B, ...)``, or a tuple with it; its values do not matter.
        domain: where inputs live (default: :class:`Real`); other layers' domains are inferred from it.
        fold_batch_norm: merge batch norm into the affine layer before it; otherwise it stays an affine layer.
        opaque: modules to keep in one piece, by type or by path (a glob), whatever ops they use: each becomes a layer of
            kind ``opaque``, for which the plan needs an entry such as :class:`dtd.Generic`. Such a module must treat
            samples separately and return one tensor.

    Raises:
        UnsupportedOp: naming the op, the module path and what to do.
        TraceError: the model cannot be captured as one graph with a free batch size.
        InputError: example inputs that are not one floating-point tensor with a batch axis; ``opaque`` names nothing.
        NonFiniteError: NaN or infinity in the weights.
    """
    x = single_input(example_inputs)
    program = export(model, x)
    kept = chosen_paths(model, opaque)
    builder = Builder(program, torch_layers(model) | kept, kept, x.detach()[:0].clone(), fold_batch_norm)
    network = Network(checked(domain or Real(), x), tuple(x.shape[1:]), model, builder)
    assert network.layers is not None  # lowers now, so that an unsupported op is an error of the trace
    return network


def single_input(example_inputs: Any) -> Tensor:
    """The one input tensor, with at least two samples so that the batch size stays free."""
    inputs = example_inputs if isinstance(example_inputs, (tuple, list)) else (example_inputs,)
    if len(inputs) != 1 or not isinstance(inputs[0], Tensor):
        raise InputError(
            f"dtd.trace takes one input tensor; found {len(inputs)} inputs. Wrap the model so that it takes one."
        )
    (x,) = inputs
    if x.ndim < 2 or not len(x) or x.dtype not in (torch.float32, torch.float64):
        raise InputError(
            f"The example input must be float32 or float64 with a batch axis and at least one sample; found "
            f"{x.dtype} of shape {tuple(x.shape)}. Half precision: call model.float() and x.float()."
        )
    return x if len(x) > 1 else torch.cat([x, x])


def checked(domain: Domain, x: Tensor) -> Domain:
    """The input's domain with its bounds in the input's dtype and on its device."""
    if not isinstance(domain, Domain):
        raise DomainError(f"'domain' must be a dtd.Box(low, high), dtd.NonNegative() or dtd.Real(); found {domain!r}.")
    for bound in domain.bounds():
        if isinstance(bound, Tensor) and bound.ndim not in (0, x.ndim):
            raise DomainError(
                f"Bounds of the input must be numbers or have its {x.ndim} axes, the batch included, like (1, C, 1, 1); "
                f"found shape {tuple(bound.shape)}."
            )
    return domain.to(x)


def export(model: nn.Module, x: Tensor) -> ExportedProgram:
    """The functional graph of the model, with a free batch size."""
    logger = logging.getLogger("torch.export")
    level = logger.level
    try:
        logger.setLevel(logging.ERROR)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            program = torch.export.export(model, (x,), dynamic_shapes=({0: Dim.DYNAMIC},))
            return program.run_decompositions({})
    except Exception as error:
        raise TraceError(
            f"torch.export could not capture {type(model).__name__} as one graph with a free batch size. Python "
            f"branches on values and code that fixes the batch size must go. It said: {error}"
        ) from error
    finally:
        logger.setLevel(level)


def torch_layers(model: nn.Module) -> frozenset[str]:
    """Paths of the modules that are torch's own layers."""
    own = ((name, module) for name, module in model.named_modules() if not list(module.children()))
    return frozenset(name for name, module in own if name and type(module).__module__.startswith("torch.nn"))


@dataclass(frozen=True)
class Builder:
    """Lowers the exported graph over the current values of the model's tensors."""

    program: ExportedProgram
    modules: frozenset[str]
    opaque: frozenset[str]
    like: Tensor
    fold_batch_norm: bool

    def constant(self, name: str, tensors: dict[str, Tensor]) -> Tensor:
        """The current value of a parameter, buffer or lifted constant of the graph."""
        signature = self.program.graph_signature
        for table in (signature.inputs_to_parameters, signature.inputs_to_buffers):
            if name in table:
                target = table[name]
                return tensors[target] if target in tensors else self.program.constants[target]
        return self.program.constants[signature.inputs_to_lifted_tensor_constants[name]]

    def __call__(self, domain: Domain, tensors: dict[str, Tensor]) -> Graph:
        signature = self.program.graph_signature
        owners = {id(t): name.rpartition(".")[0] for name, t in tensors.items()}
        like = next((t for t in tensors.values() if t.is_floating_point()), self.like)
        lowering = Lowering(HANDLERS, advice, self.modules, owners, like)
        env: dict[Any, Any] = {}
        pieces = calls(self.program.graph.nodes, self.opaque)
        within = {node for _, nodes in pieces.values() for node in nodes}
        for node in self.program.graph.nodes:
            if node.op == "placeholder" and node.name in signature.user_inputs:
                env[node] = Ref(-1, lowering.shape(node), domain)
            elif node.op == "placeholder":
                env[node] = self.constant(node.name, tensors)
            elif node.op == "output":
                layers, output = self.finish(lowering.layers, [env[n] for n in node.args[0]])
                return Graph(layers, output, domain, like)
            elif node in pieces:
                lower(lowering, pieces[node], env)
            elif node not in within:
                env[node] = lowering.run(node, env)
        raise TraceError("The exported graph has no output.")

    def finish(self, layers: list[Layer], outputs: list[Any]) -> tuple[tuple[Layer, ...], int]:
        """Check the output, drop what it does not need, fold, and mark rectified layers."""
        if len(outputs) != 1 or not isinstance(outputs[0], Ref):
            raise TraceError(
                f"The model must return one tensor that depends on its input; found {len(outputs)} outputs. "
                "Wrap it so that it returns the one to explain."
            )
        layers, output = needed(layers, outputs[0].index)
        layers, output = fold(layers, output, self.fold_batch_norm)
        return tuple(mark_rectified(layers, output)), output


def needed(layers: list[Layer], output: int) -> tuple[list[Layer], int]:
    """The layers that the output depends on, renumbered."""
    used = {output}
    for index in range(output, -1, -1):
        if index in used:
            used.update(layers[index].inputs)
    kept = sorted(i for i in used if i >= 0)
    position = {-1: -1, **{old: new for new, old in enumerate(kept)}}
    return [replace(layers[i], inputs=tuple(position[j] for j in layers[i].inputs)) for i in kept], position[output]
