"""Second-order Taylor terms of pairs of features, beside the products of first-order ones that they are not."""

from dataclasses import dataclass

import torch
from torch import Tensor

from dtd.callers.arithmetic import own_arithmetic
from dtd.callers.printing import Printed
from dtd.domain import Bound
from dtd.errors import BudgetError, InputError, check_parameter
from dtd.explaining.hidden import start_of
from dtd.explaining.request import Asked, as_function
from dtd.explaining.target import Target, initial_relevance
from dtd.network.graph import Graph
from dtd.network.leaves import Inputs
from dtd.network.network import Network


@dataclass(frozen=True, eq=False)
class SecondOrder(Printed):
    """``f(x) = f(r) + Σ_i first_i + Σ_ij second_ij + remainder``, the Taylor expansion at a reference point r.

    # shape: first (B, *in), second (B, I, I) with features in a row, zeroth and remainder (B,)

    >>> import torch, dtd
    >>> nothing = torch.zeros(1)
    >>> dtd.SecondOrder(torch.tensor([[1.0, 3.0]]), torch.zeros(1, 2, 2), nothing, nothing).products.tolist()
    [[[0.25, 0.75], [0.75, 2.25]]]
    """

    first: Tensor  # ∂f/∂x_i (r) (x_i − r_i)
    second: Tensor  # ½ ∂²f/∂x_i∂x_j (r) (x_i − r_i)(x_j − r_j)
    zeroth: Tensor  # f(r)
    remainder: Tensor

    @property
    def products(self) -> Tensor:
        """``first_i first_j / Σ first``: what pairs would have if relevance of a pair were a product of relevances.

        It sums to the first-order terms, and has nothing to do with the second-order ones: where f is a sum of functions of
        one feature each, all mixed second-order terms are 0 and these are not. 0 where the first-order terms sum to 0.

        # shape: (B, I, I)
        """
        flat = self.first.flatten(1)
        whole = flat.sum(1)[:, None, None]
        found = flat[:, :, None] * flat[:, None, :]
        return torch.where(whole == 0, 0.0, found / torch.where(whole == 0, 1.0, whole))


def second_order(
    network: Network, inputs: Inputs, target: Asked, reference: Bound = 0.0, *, memory: int = 2**28
) -> SecondOrder:
    """Expand what is explained to second order at a reference point: what single features do, and what pairs do together.

    ``f`` is what ``target`` explains, summed over outputs: an output, a hidden unit (:class:`dtd.Unit`: a gate, a logit of
    an attention, a curved activation), a contrast. No rule and no plan is involved; the terms are those of the function
    itself, and ``second_ij`` is an interaction of i and j, symmetric. A piecewise linear network has none, but for its
    products; at a kink the derivative is autograd's.

    Args:
        network, inputs: as for :func:`dtd.explain`, with one explained input.
        target: a class, a function of the output, a :class:`dtd.Unit` or a contrast.
        reference: r, a number or what broadcasts to the input.
        memory: bytes that the second-order terms may take: B I² numbers.

    >>> import torch, dtd
    >>> class Gate(torch.nn.Module):
    ...     def forward(self, x):
    ...         return x[:, :1] * x[:, 1:2] + x[:, 2:]
    >>> x = torch.tensor([[2.0, 3.0, 1.0]])
    >>> found = dtd.second_order(dtd.trace(Gate(), x), x, 0)
    >>> found.first.tolist(), found.second[0].tolist(), found.remainder.tolist()
    ([[0.0, 0.0, 1.0]], [[0.0, 3.0, 0.0], [3.0, 0.0, 0.0], [0.0, 0.0, 0.0]], [0.0])

    Raises :class:`InputError` for several explained inputs or initial relevance as numbers, :class:`BudgetError` for more
    pairs than ``memory`` holds.
    """
    reading, start = network.read(inputs), start_of([target])
    if len(reading.graph.inputs) != 1:
        raise InputError(f"Pairs of features need one explained input; found {len(reading.graph.inputs)}.")
    if isinstance(target, Tensor) and target.is_floating_point():
        raise InputError("Second-order terms need a target that is a function of the output; found numbers.")
    part = None if start is None else start.restructured(reading.graph)
    graph, values = reading if part is None else part.read(reading)
    asked = as_function(target, graph, part, network, start)
    x = values[-1].detach()
    size = x[0].numel() if len(x) else 0
    if len(x) * size**2 * x.element_size() > memory:
        raise BudgetError(
            f"{len(x)} × {size}² second-order terms need {len(x) * size**2 * x.element_size():,} bytes; 'memory' is "
            f"{memory:,}. Raise it, explain fewer samples at once, or fewer features: a hidden layer's on a smaller network."
        )
    at = torch.as_tensor(reference, dtype=x.dtype, device=x.device)
    fits = at.ndim <= x.ndim and all(n in (1, m) for n, m in zip(at.shape[::-1], x.shape[::-1], strict=False))
    check_parameter(fits, "reference", f"a number or a tensor that broadcasts to {tuple(x.shape)}", tuple(at.shape))
    with own_arithmetic(gradients=True):
        point = at.expand_as(x).clone().requires_grad_()
        value = explained_sum(graph, point, asked)
        (slope,) = torch.autograd.grad(value.sum(), point, create_graph=True)
        rows = [slope_of(part, point) for part in slope.flatten(1).unbind(1)]
    away = x - point.detach()
    first, zeroth, flat = (slope * away).detach(), value.detach(), away.flatten(1)
    hessian = torch.stack(rows, 1) if rows else x.new_zeros(len(x), 0, 0)
    second = hessian * flat[:, :, None] * flat[:, None, :] / 2
    with own_arithmetic():
        whole = explained_sum(graph, x, asked)
    return SecondOrder(first, second, zeroth, whole - zeroth - first.flatten(1).sum(1) - second.sum((1, 2)))


def explained_sum(graph: Graph, x: Tensor, target: Target) -> Tensor:
    """What is explained of each sample. # shape: (B, *in) -> (B,)"""
    output = graph.output_of({-1: x}, graph.ascend({-1: x}))
    return initial_relevance(output, target).flatten(1).sum(1)


def slope_of(value: Tensor, point: Tensor) -> Tensor:
    """``∂ value / ∂ point`` of each sample, features in a row. # shape: value (B,) -> (B, I)"""
    if not value.requires_grad:
        return torch.zeros_like(point).flatten(1)
    (found,) = torch.autograd.grad(value.sum(), point, retain_graph=True, allow_unused=True)
    return torch.zeros_like(point).flatten(1) if found is None else found.flatten(1)
