"""Relevance of squared distances: Taylor terms at a sphere or an ellipsoid around the centre."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from dtd.algebra import divide, nonzero
from dtd.callers.printing import Printed
from dtd.errors import check_nonnegative, check_parameter
from dtd.primitive.distance import SquaredDistance
from dtd.propagation import Layer, Propagated, Propagation, balance, per_sample


@dataclass(frozen=True, eq=False)
class SphereRoot(Printed, Propagation):
    """``R_j←k = R_k (a_j − u_kj)² / ‖a − u_k‖²``: the Taylor terms of a squared distance at a sphere around its centre.

    ``R̂_k(a) = R_k (‖a − u_k‖² − r²) / (y_k − r²)`` vanishes on the sphere of ``radius`` r. The root is the nearest point of
    the sphere, ``ã = u_k + s (a − u_k)`` with ``s = r/√y_k``; the centre itself for r = 0. Terms of ``order=2`` are exact
    and sum to R_k for all radii. Those of ``order=1`` are the same times ``2s/(1 + s)``, and ``(1 − s)/(1 + s)`` of R_k is
    the remainder: nothing is handed down from the centre, where the slope is 0, and all of it as the sphere comes near.
    Where the data point is the centre it has no direction, and R_k stays in the zeroth term.

    For a Mahalanobis distance ``y_k = (a − u_k)ᵀ M_k (a − u_k)`` the points with ``y = r²`` are an ellipsoid, and the same
    root is where the ray from the centre to the data point meets it. Its terms are

        R_j←k = R_k (a − u_k)_j [M_k (a − u_k)]_j / y_k

    with the same share at first order. The nearest point of the ellipsoid is another one, unless it is a sphere.

    ``radius`` is a number or one for each centre. # shape: (K,)

    Raises :class:`InputError` for a negative radius or another order.

    Source: Kauffmann 2020, Eq. 10 (one-class models); Montavon 2022, on distances.

    >>> import dtd, torch
    >>> class Distance(torch.nn.Module):
    ...     def forward(self, x):
    ...         return torch.cdist(x, x.new_tensor([[1.0, 0.0]])).square()
    >>> x = torch.tensor([[4.0, 4.0]])
    >>> dtd.explain(dtd.trace(Distance(), x), x, 0, dtd.Plan([])).relevance
    tensor([[ 9., 16.]])
    """

    radius: float | Tensor = 0.0
    order: int = 2

    def __post_init__(self):
        if isinstance(self.radius, Tensor):
            check_parameter(bool((self.radius >= 0).all()), "radius", ">= 0 for each centre", self.radius.min().item())
        else:
            check_nonnegative("radius", self.radius)
        check_parameter(self.order in (1, 2), "order", "1 or 2", self.order)

    def accepts(self, layer: Layer) -> bool:
        return isinstance(layer.op, SquaredDistance)

    def forward(self, layer: Layer, inputs: tuple[Tensor, ...]) -> tuple[Tensor, Any]:
        if isinstance(self.radius, Tensor) and self.radius.ndim:
            found, wanted = tuple(self.radius.shape), (len(layer.op.centres),)
            check_parameter(found == wanted, "radius", f"a number or shape {wanted} at '{layer.name}'", found)
        return layer(*inputs), inputs[0]

    def backward(self, layer: Layer, saved: Any, relevance: Tensor) -> Propagated:
        parts = layer.op.parts(saved)
        y = parts.sum(-1)
        there = relevance * nonzero(y)
        handed = there * self.share(y)
        lower = ((parts * divide(handed, y)[..., None]).sum(-2),)
        kept = {"zeroth": per_sample(relevance - there), "remainder": per_sample(there - handed)}
        return Propagated(lower, balance(relevance, lower, **kept))

    def share(self, y: Tensor) -> Any:
        """What the terms of a unit add up to, as a share of its relevance. # shape: that of y"""
        if self.order == 2:
            return 1
        s = self.scale(y)
        return 2 * s / (1 + s)

    def scale(self, y: Tensor) -> Tensor:
        """``s``: where the root lies between the centre (0) and the data point (1), or beyond it; 0 at the centre."""
        radius = self.radius if not isinstance(self.radius, Tensor) else self.radius.to(y)
        if not isinstance(radius, Tensor) and radius == 0:
            return 0 * y
        return divide(radius + 0 * y, torch.sqrt(y))
