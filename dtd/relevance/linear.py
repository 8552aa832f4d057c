"""The linear relevance model, for output layers and layers without a ReLU."""

from dataclasses import dataclass
from typing import Any

from dtd.relevance.base import RelevanceModel


@dataclass(frozen=True)
class Linear(RelevanceModel):
    """``R̂_k(a) = c_k z_k(a)`` with ``c_k = R_k / z_k`` constant: exact everywhere, so no remainder at any root."""

    def value(self, r: Any) -> Any:
        return r

    def slope(self, r: Any, tolerance: Any) -> Any:
        return 1 + 0 * r

    def defined(self, z: Any) -> Any:
        return z != 0

    def in_region(self, r: Any, tolerance: Any) -> Any:
        return r == r
