"""The training-free relevance model of a ReLU unit."""

from dataclasses import dataclass
from typing import Any

from dtd.algebra import positive, step
from dtd.relevance.base import RelevanceModel


@dataclass(frozen=True)
class TrainingFree(RelevanceModel):
    """``R̂_k(a) = c_k max(0, z_k(a))`` with ``c_k = R_k / z_k`` constant.

    Source: Montavon 2017, Sec. 5.2; Montavon 2019, Sec. 10.2.3. A ReLU6 counts as a ReLU: beyond its upper kink relevance
    passes, as through any pointwise function.

    The linear region is the unit's active side, and a root belongs to the region's closure. A unit that is inactive at
    the data point cannot carry relevance in this model, since ``max(0, z) = 0``; the model is then continued as
    ``R_k max(0, z(a)/z)``, its terms remain defined, and its root counts as invalid ("inactive").

    A unit with weights (3, −1) at a = (1, 1), so that z = 2, below a ReLU: R = a ⊙ w.

    >>> import dtd, torch
    >>> unit = torch.nn.Linear(2, 1)
    >>> _ = unit.load_state_dict({"weight": torch.tensor([[3.0, -1.0]]), "bias": torch.tensor([0.0])})
    >>> net = dtd.trace(torch.nn.Sequential(unit, torch.nn.ReLU()), torch.ones(1, 2))
    >>> plan = dtd.Plan([("*", dtd.TrainingFree(dtd.Ray(dtd.Activations())))])
    >>> dtd.explain(net, torch.ones(1, 2), 0, plan).relevance
    tensor([[ 3., -1.]])
    """

    def value(self, r: Any) -> Any:
        return positive(r)

    def slope(self, r: Any, tolerance: Any) -> Any:
        return 1 - step(-r - tolerance)

    def defined(self, z: Any) -> Any:
        return z > 0

    def in_region(self, r: Any, tolerance: Any) -> Any:
        return r >= -tolerance
