"""What becomes of a similarity: the parts of one side times those of the other."""

from dataclasses import dataclass

from torch import Tensor

from dtd.callers.printing import Printed


def paired(left: Tensor, right: Tensor) -> Tensor:
    """``Σ_m left_mi right_mj``. # shape: (B, M, I), (B, M, J) -> (B, I, J)"""
    return left.mT @ right


@dataclass(frozen=True, eq=False)
class PairBalance(Printed):
    """What became of a similarity: each part of the left side times each part of the right side, summed over units.

    Entry (a, b) is ``Σ_m p_ma p'_mb`` with the parts first order, bias, zeroth, remainder of every unit on either side.
    Since ``φ_m = Σ_a p_ma``, the table sums to the similarity; nothing is rescaled to make it so.

    # shape: similarity (B,), table (B, 4, 4)

    >>> import torch, dtd
    >>> table = torch.zeros(1, 4, 4)
    >>> table[0, :2, :2] = torch.tensor([[8.0, 6.0], [12.0, 9.0]])  # (2 + 3)(4 + 3), where both biases are 3
    >>> found = dtd.PairBalance(torch.tensor([35.0]), table)
    >>> [part.item() for part in (found.first, found.left, found.right, found.both, found.gap)]
    [8.0, 12.0, 6.0, 9.0, 0.0]
    """

    similarity: Tensor
    table: Tensor

    @property
    def first(self) -> Tensor:
        """``Σ_ij R_ij``, what reaches pairs of features. # shape: (B,)"""
        return self.table[:, 0, 0]

    @property
    def left(self) -> Tensor:
        """What the left expansions keep of the relevance of right features. # shape: (B,)"""
        return self.table[:, 1:, 0].sum(1)

    @property
    def right(self) -> Tensor:
        """What the right expansions keep of the relevance of left features. # shape: (B,)"""
        return self.table[:, 0, 1:].sum(1)

    @property
    def both(self) -> Tensor:
        """What is kept on both sides, and so belongs to no feature at all. # shape: (B,)"""
        return self.table[:, 1:, 1:].sum((1, 2))

    @property
    def gap(self) -> Tensor:
        """Similarity minus the table's sum: rounding, or a bug. # shape: (B,)"""
        return self.similarity - self.table.sum((1, 2))
