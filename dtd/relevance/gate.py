"""Which part of the relevance of a layer's output goes on: some entries, or what lies in a subspace."""

from abc import abstractmethod
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from dtd.callers.printing import Printed
from dtd.errors import InputError, NonFiniteError
from dtd.propagation import Balance, Layer, Propagated, Propagation, balance, per_sample


class Gate(Propagation):
    """A layer ``y = a`` that moves nothing and hands only a part of its relevance down; the rest is its zeroth term.

    With ``R_j = a_j c_j`` the relevance of ``a`` is the linear function ``R̂(a) = Σ_j c_j a_j``. The root keeps what the gate
    stops and moves what it lets through, so ``R̂`` is there what is stopped.
    """

    reads_values: bool = False  # whether it needs the activations

    @abstractmethod
    def passed(self, relevance: Tensor, value: Any) -> Tensor:
        """The relevance that goes on, in memory of its own. # shape: relevance, value (B, *out)"""

    @abstractmethod
    def coefficients(self, c: Tensor, value: Any) -> Tensor:
        """The same of coefficients, ``R = value ⊙ c``. # shape: (B, *out)"""

    def of_rows(self, rows: slice | Tensor) -> "Gate":
        """The gate of some of the samples."""
        return self

    def accepts(self, layer: Layer) -> bool:
        return True

    def forward(self, layer: Layer, inputs: tuple[Tensor, ...]) -> tuple[Tensor, Any]:
        return inputs[0], inputs[0]

    def backward(self, layer: Layer, saved: Any, relevance: Tensor) -> Propagated:
        passed = self.passed(relevance, saved)
        return Propagated((passed,), self.balance_of(relevance, passed))

    @staticmethod
    def balance_of(relevance: Tensor, passed: Tensor) -> Balance:
        """What was stopped is the zeroth term."""
        return balance(relevance, (passed,), zeroth=per_sample(relevance - passed))


@dataclass(frozen=True, eq=False)
class Mask(Printed, Gate):
    """``R_j m_j`` goes on: relevance of chosen entries (``m`` of truth values), or weighted (CRP, Achtibat et al. 2023).

    # shape: weights (1, *out) or (B, *out), or what broadcasts to it
    """

    weights: Tensor

    def passed(self, relevance: Tensor, value: Any) -> Tensor:
        return relevance * self.weights

    def coefficients(self, c: Tensor, value: Any) -> Tensor:
        return c * self.weights

    def of_rows(self, rows: slice | Tensor) -> "Mask":
        return Mask(self.weights[rows]) if len(self.weights) > 1 else self


@dataclass(frozen=True, eq=False)
class Subspace(Printed, Gate):
    """``a ⊙ Pᵀ c`` goes on, with ``R = a ⊙ c``: the relevance of the activations' part in a subspace (Chormai et al. 2022).

    ``P`` is a projection of the channel axis. The activations are read in two steps, ``a -> h = P a -> a``: only what moves
    ``h`` inside of the subspace is handed down, ``Σ_j c_j (P a)_j``, and LRP-0 hands it to the entries of ``a``. Subspaces
    whose projections add up to the identity have relevances that add up to the whole, but for the relevance of entries with
    ``a_j = 0``: it has no coefficient, lies in no subspace, and is stopped.

    Args:
        matrix: orthonormal columns ``(C, d)``, then ``P = U Uᵀ``; or the projection itself ``(C, C)``, ``P² = P``.
        axis: the channel axis of one sample of the layer's output; left out, the layer's own.

    >>> Subspace(torch.eye(3)[:, :2]).passed(torch.tensor([[1.0, 2.0, 3.0]]), torch.tensor([[1.0, 1.0, 0.5]]))
    tensor([[1., 2., 0.]])

    Raises :class:`InputError` for a matrix that is neither.
    """

    matrix: Tensor
    axis: int | None = None
    reads_values = True

    def __post_init__(self):
        u = self.matrix
        if not isinstance(u, Tensor) or u.ndim != 2 or not u.is_floating_point() or not min(u.shape):
            found = tuple(u.shape) if isinstance(u, Tensor) else type(u).__name__
            raise InputError(f"A subspace needs a floating-point matrix with two axes; found {found}.")
        if not bool(u.isfinite().all()):
            raise NonFiniteError("The matrix of a subspace must be finite; found NaN or infinity.")
        if not (self.has_orthonormal_columns or (u.shape[0] == u.shape[1] and is_close(u @ u, u))):
            raise InputError(
                "A subspace needs orthonormal columns (UᵀU = 1) or a projection (P² = P); found neither. "
                "torch.linalg.qr(matrix).Q has orthonormal columns that span the same."
            )

    @property
    def has_orthonormal_columns(self) -> bool:
        """Whether the matrix is a basis."""
        u = self.matrix
        return is_close(u.mT @ u, torch.eye(u.shape[1], dtype=u.dtype, device=u.device))

    def project(self, c: Tensor) -> Tensor:
        """``Pᵀ c`` along the channel axis. # shape: (B, *out)"""
        axis = -1 if self.axis is None else self.axis if self.axis < 0 else self.axis + 1
        u, moved = self.matrix.to(c), c.movedim(axis, -1)
        moved = (moved @ u) @ u.mT if self.has_orthonormal_columns else moved @ u
        return moved.movedim(-1, axis)

    def passed(self, relevance: Tensor, value: Any) -> Tensor:
        alive = value != 0
        return value * self.project(torch.where(alive, relevance / torch.where(alive, value, 1), 0))

    def coefficients(self, c: Tensor, value: Any) -> Tensor:
        return self.project(torch.where(value != 0, c, 0))


def is_close(found: Tensor, expected: Tensor) -> bool:
    """Whether two matrices agree to half of their digits."""
    return bool((found - expected).abs().max() <= torch.finfo(found.dtype).eps ** 0.5)
