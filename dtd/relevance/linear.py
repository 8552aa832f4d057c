"""The linear relevance model, for output layers and layers without a ReLU."""

from dataclasses import dataclass
from typing import Any

from dtd.relevance.base import RelevanceModel


@dataclass(frozen=True)
class Linear(RelevanceModel):
    """``R̂_k(a) = c_k z_k(a)`` with ``c_k = R_k / z_k`` constant: exact everywhere, so no remainder at any root.

    A unit with weights (3, −1) at a = (1, 1), so that z = 2: R̂ = z, so R = a ⊙ w.

    >>> import dtd, torch
    >>> unit = torch.nn.Linear(2, 1)
    >>> _ = unit.load_state_dict({"weight": torch.tensor([[3.0, -1.0]]), "bias": torch.tensor([0.0])})
    >>> net = dtd.trace(unit, torch.ones(1, 2))
    >>> plan = dtd.Plan([("*", dtd.Linear(dtd.Ray(dtd.Activations())))])
    >>> dtd.explain(net, torch.ones(1, 2), 0, plan).relevance
    tensor([[ 3., -1.]])
    """

    def value(self, r: Any) -> Any:
        return r

    def slope(self, r: Any, tolerance: Any) -> Any:
        return 1 + 0 * r

    def defined(self, z: Any) -> Any:
        return z != 0

    def in_region(self, r: Any, tolerance: Any) -> Any:
        return r == r
