"""The running mean of a sample of tensors, and how sure it is."""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, eq=False)
class Moments:
    """Mean and summed squared deviations of the values so far, entry by entry (Welford's running sums)."""

    count: int = 0
    mean: Tensor | float = 0.0
    squares: Tensor | float = 0.0

    def with_value(self, value: Tensor) -> "Moments":
        """The moments with one more value."""
        count, away = self.count + 1, value - self.mean
        mean = self.mean + away / count
        return Moments(count, mean, self.squares + away * (value - mean))

    def variance_of_mean(self) -> Tensor:
        """``s²/N``, the squared standard error of the mean; NaN for a single value."""
        squares = torch.as_tensor(self.squares)
        return squares / ((self.count - 1) * self.count) if self.count > 1 else torch.full_like(squares, torch.nan)
