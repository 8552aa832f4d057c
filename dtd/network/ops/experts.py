"""Rows times the matrix of their group, as mixtures of experts compute it."""

import torch
from torch import Tensor

from dtd.network.discrete import Discrete
from dtd.network.kinds import GROUPED
from dtd.network.lowering import Lowering, Ref
from dtd.network.ops.bilinear import matrix_product
from dtd.network.ops.select import routed
from dtd.network.ops.structure import reshaped


def matrices_of_rows(weight: Tensor, ends: Tensor, rows: int) -> Tensor:
    """The matrix of each row's group, 0 for rows behind the last one. # shape: (G, J, K), (G,) -> (rows, J, K)"""
    group = (ends[:, None] <= torch.arange(rows, device=ends.device)).sum(0)
    behind = torch.zeros_like(weight[:1])
    return torch.cat([weight, behind]).index_select(0, group)


def grouped(low: Lowering, node, x, weight, offs=None, bias=None, out_dtype=None):
    """``y_n = x_n W_{g(n)}``: rows that are sorted by group, whose ends ``offs`` depend on activations.

    The selected matrices are constant at the data point, so that the rows take all. # shape: (N, J), (G, J, K) -> (N, K)
    """
    if not isinstance(x, Ref) or not isinstance(weight, Tensor) or not isinstance(offs, Discrete) or bias is not None:
        raise low.unsupported(node, "Its rows must be activations, its matrices constants, its groups what activations say.")
    (rows, inner), outer = x.full, weight.shape[-1]
    chosen = routed(low, node, "gather", matrices_of_rows, (weight, offs, rows), {}, (rows, inner, outer))
    made = matrix_product(low, node, reshaped(low, node, x, (rows, 1, inner)), chosen, (rows, 1, outer))
    return reshaped(low, node, made, (rows, outer))


EXPERTS = dict.fromkeys(GROUPED, grouped)
