"""What every data set is."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from torch import Tensor

from dtd.domain import Domain


@dataclass(frozen=True, eq=False)
class Data:
    """A data set in two parts, with the domain that its inputs live in. # shape: x (N, *in) float32, y (N,)

    Without labels ``y`` and ``classes`` are None, and both parts are the same. ``names`` are those of the classes, where the
    data set knows any.
    """

    train_x: Tensor
    train_y: Tensor | None
    test_x: Tensor
    test_y: Tensor | None
    domain: Domain
    classes: int | None
    names: Sequence[str] = field(default=(), kw_only=True)


def unlabelled(x: Tensor, domain: Domain) -> Data:
    """A data set without labels: all of it is explained."""
    return Data(x, None, x, None, domain, None)
