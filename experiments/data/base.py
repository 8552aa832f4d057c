"""What every data set is."""

from dataclasses import dataclass

from torch import Tensor

from dtd.domain import Domain


@dataclass(frozen=True, eq=False)
class Data:
    """A data set in two parts, with the domain that its inputs live in. # shape: x (N, *in) float32, y (N,)"""

    train_x: Tensor
    train_y: Tensor
    test_x: Tensor
    test_y: Tensor
    domain: Domain
    classes: int
