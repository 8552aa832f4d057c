"""Relevance of products of two activations."""

from dataclasses import dataclass

from dtd.algebra import divide, sign
from dtd.errors import check_parameter
from dtd.primitive import MatMul, Product
from dtd.propagation import Propagated, Propagation, balance, per_sample


@dataclass(frozen=True)
class ProductShares(Propagation):
    """``y = a b`` entry by entry: ``R_a = share R``, ``R_b = (1 − share) R``.

    ``R̂(a, b) = R a b / (a₀ b₀)`` has the roots ``(0, b₀)``, where a takes all, and ``(a₀, 0)``, where b does; on both lines
    it is linear, so there is neither zeroth term nor remainder. ``share`` mixes the two expansions: ½ is their average,
    1 (or 0) lets the first (second) factor take all: signal takes all (Arras 2017). At a factor 0 the terms are their limit.

    Raises :class:`InputError` for a share outside [0, 1].
    """

    share: float = 0.5

    def __post_init__(self):
        check_parameter(0 <= self.share <= 1, "share", "between 0 and 1", self.share)

    def accepts(self, layer):
        return isinstance(layer.op, Product)

    def forward(self, layer, inputs):
        return layer(*inputs), None

    def backward(self, layer, saved, relevance):
        lower = (self.share * relevance, (1 - self.share) * relevance)
        return Propagated(lower, balance(relevance, lower))


@dataclass(frozen=True)
class MatMulShares(Propagation):
    """``y_ip = Σ_m a_im b_mp``: a sum of products, with the root of LRP-0 in the products, each shared out as a product is.

        s = R / y,    R_a = share a ⊙ (s bᵀ),    R_b = (1 − share) b ⊙ (aᵀ s)

    With ``share = ½`` this is the uniform rule of Achtibat 2024 for attention. ``damping`` ε stops early,
    ``s = R / (y + ε sign y)``, and leaves what it absorbs in the zeroth term; where ``y + ε sign y = 0`` there is no root
    and all of R stays there. # shape: a (B, …, n, m), b (B, …, m, p) -> (B, …, n, p)

    Raises :class:`InputError` for a share outside [0, 1] or a negative damping.
    """

    share: float = 0.5
    damping: float = 0.0

    def __post_init__(self):
        check_parameter(0 <= self.share <= 1, "share", "between 0 and 1", self.share)
        check_parameter(self.damping >= 0, "damping", ">= 0", self.damping)

    def accepts(self, layer):
        return isinstance(layer.op, MatMul)

    def forward(self, layer, inputs):
        y = layer(*inputs)
        return y, (*inputs, y)

    def backward(self, layer, saved, relevance):
        a, b, y = saved
        s = divide(relevance, y + self.damping * sign(y) if self.damping else y)
        lower = (self.share * a * (s @ b.mT), (1 - self.share) * b * (a.mT @ s))
        return Propagated(lower, balance(relevance, lower, zeroth=per_sample(relevance - s * y)))
