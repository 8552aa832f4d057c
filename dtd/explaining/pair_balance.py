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

    ⟨(1, 2), (3, 4)⟩ = 11, all of it first order on either side.

    >>> import dtd, torch
    >>> model = torch.nn.Linear(2, 2, bias=False)
    >>> _ = torch.nn.init.eye_(model.weight)
    >>> x, other = torch.tensor([[1.0, 2.0]]), torch.tensor([[3.0, 4.0]])
    >>> found = dtd.pairs(dtd.trace(model, x), x, other, dtd.Plan.uniform("lrp0"))
    >>> found.balance.similarity, found.balance.table[0, 0]
    (tensor([11.]), tensor([11.,  0.,  0.,  0.]))
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
