"""The layers that models are written with: distances, densities, margins between scores, and scaled columns."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from dtd.errors import InputError, check_parameter


def tensor(values: object) -> Tensor:
    """Numbers in double precision; raises :class:`InputError` for sparse ones and for NaN or infinity."""
    if hasattr(values, "toarray"):
        raise InputError("Models fitted on sparse data are not neuralised: fit the estimator on dense arrays, X.toarray().")
    made = torch.as_tensor(np.array(values, dtype=np.float64))
    if not bool(made.isfinite().all()):
        raise InputError(
            "The fitted estimator holds NaN or infinity, as constant or collinear columns make it: remove them, fit again."
        )
    return made


def dense_of(weight: object, bias: object) -> nn.Linear:
    """``x Wᵀ + b``. # shape: weight (K, J), bias (K,)"""
    w, b = tensor(weight), tensor(bias)
    made = nn.Linear(w.shape[1], w.shape[0], dtype=torch.double)
    made.weight, made.bias = nn.Parameter(w), nn.Parameter(b.expand(w.shape[0]).clone())
    return made


class Standardise(nn.Module):
    """``(x − centre) ⊙ factor``, column by column."""

    centre: Tensor
    factor: Tensor

    def __init__(self, centre: object, factor: object):
        super().__init__()
        self.register_buffer("centre", tensor(centre))
        self.register_buffer("factor", tensor(factor))

    def forward(self, x: Tensor) -> Tensor:
        return (x - self.centre) * self.factor


class Distances(nn.Module):
    """``‖x − u_k‖²``. # shape: (B, J) -> (B, K)"""

    centres: Tensor

    def __init__(self, centres: object):
        super().__init__()
        self.register_buffer("centres", tensor(centres))

    def forward(self, x: Tensor) -> Tensor:
        return (x.unsqueeze(-2) - self.centres).square().sum(-1)


class Constants(nn.Module):
    """``x + c``: weights, priors, normalisations and thresholds, which no column makes; plans find them by this path."""

    values: Tensor

    def __init__(self, values: object):
        super().__init__()
        self.register_buffer("values", tensor(values))

    def forward(self, x: Tensor) -> Tensor:
        return x + self.values


class Densities(nn.Module):
    """``c_k − ½ ‖(x − μ_k) L_k‖²``, the logarithms of weighted normal densities. # shape: (B, J) -> (B, K)

    ``factors`` are matrices ``L_k (K, J, J)``, or the diagonals of such ``(K, J)``.
    """

    means: Tensor
    factors: Tensor

    def __init__(self, means: object, factors: object, constants: object):
        super().__init__()
        self.register_buffer("means", tensor(means))
        self.register_buffer("factors", tensor(factors))
        self.constants = Constants(constants)

    def forward(self, x: Tensor) -> Tensor:
        apart = x.unsqueeze(-2) - self.means
        if self.factors.ndim == 2:
            white = apart * self.factors
        else:
            white = (apart.unsqueeze(-2) @ self.factors).squeeze(-2)
        return self.constants(white.square().sum(-1) * -0.5)


class Plus(nn.Module):
    """``factor · x + constant``, with a factor for all entries or for each."""

    factor: Tensor

    def __init__(self, factor: object, constant: object):
        super().__init__()
        self.register_buffer("factor", tensor(factor))
        self.constants = Constants(constant)

    def forward(self, x: Tensor) -> Tensor:
        return self.constants(x * self.factor)


class SoftMaximum(nn.Module):
    """``log Σ_k e^{x_k}``. # shape: (B, K) -> (B, 1)"""

    def forward(self, x: Tensor) -> Tensor:
        return torch.logsumexp(x, -1, keepdim=True)


class DifferenceOf(nn.Module):
    """``f(x) − g(x)``."""

    def __init__(self, first: nn.Module, second: nn.Module):
        super().__init__()
        self.first, self.second = first, second

    def forward(self, x: Tensor) -> Tensor:
        return self.first(x) - self.second(x)


class Subset(nn.Module):
    """Some columns."""

    columns: Tensor

    def __init__(self, columns: Sequence[int]):
        super().__init__()
        self.register_buffer("columns", torch.as_tensor(np.array(columns, dtype=np.int64)))

    def forward(self, x: Tensor) -> Tensor:
        return x.index_select(-1, self.columns)


class Branches(nn.Module):
    """Modules side by side, each for columns of its own."""

    def __init__(self, modules: Sequence[nn.Module], widths: Sequence[int]):
        super().__init__()
        self.parts, self.widths = nn.ModuleList(modules), tuple(widths)

    def forward(self, x: Tensor) -> Tensor:
        pieces = x.split(self.widths, -1)
        return torch.cat([part(piece) for part, piece in zip(self.parts, pieces, strict=True)], -1)


class Margins(nn.Module):
    """``min_{k≠c} (d_k − d_c)``: by how much c is below all others. # shape: (B, K) -> (B, K)

    With a ``stiffness`` β the minimum is soft, ``−log Σ_{k≠c} e^{−β (d_k − d_c)} / β``; times β this is the log-odds of c
    under ``softmax(−β d)``.
    """

    others: Tensor

    def __init__(self, count: int, stiffness: float | None):
        super().__init__()
        check_parameter(stiffness is None or stiffness > 0, "stiffness", "> 0, or None for the hard minimum", stiffness)
        self.stiffness = stiffness
        others = [[k for k in range(count) if k != c] for c in range(count)]
        self.register_buffer("others", torch.tensor(others))

    def forward(self, d: Tensor) -> Tensor:
        apart = d[:, self.others] - d.unsqueeze(-1)
        if self.stiffness is None:
            return apart.amin(-1)
        return torch.logsumexp(apart * -self.stiffness, -1) / -self.stiffness
