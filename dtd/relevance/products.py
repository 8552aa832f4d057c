"""Relevance of products of two activations."""

from dataclasses import dataclass
from typing import Any

from torch import Tensor

from dtd.algebra import divide, sign
from dtd.callers.printing import Printed
from dtd.domain import Box, Domain
from dtd.errors import check_nonnegative, check_share
from dtd.primitive import MatMul, Product
from dtd.propagation import Layer, Propagated, Propagation, balance, per_sample

UNIT = Box(0.0, 1.0)


def is_gate(domain: Domain) -> bool:
    """Whether a factor is a gate: an operation made it that returns shares, in [0, 1] (sigmoid, softmax, hard sigmoid)."""
    return isinstance(domain, Box) and domain.within(UNIT)


def share_of_first(layer: Layer, share: float | None) -> float:
    """The share of the first factor: all or nothing beside a factor that is held constant, which is no input; else
    ``share``, and where that is None all beside a gate."""
    if layer.held in ((False, True), (True, False)):
        return float(layer.held[1])
    return signal_share(layer) if share is None else share


def signal_share(layer: Layer) -> float:
    """The share of the first factor where the signal takes all: 1 beside a gate, 0 where it is the gate, else ½."""
    first, second = (is_gate(domain) for domain in layer.domains) if len(layer.domains) == 2 else (False, False)
    return 0.5 if first == second else 0.0 if first else 1.0


@dataclass(frozen=True)
class ProductShares(Printed, Propagation):
    """``y = a b`` entry by entry: ``R_a = share R``, ``R_b = (1 − share) R``.

    ``R̂(a, b) = R a b / (a₀ b₀)`` has the roots ``(0, b₀)``, where a takes all, and ``(a₀, 0)``, where b does; on both lines
    it is linear, so there is neither zeroth term nor remainder. ``share`` mixes the two expansions: ½ is their average,
    1 (or 0) lets the first (second) factor take all. None, the default: at a gate the signal takes all (Arras 2017), found
    by its domain, and elsewhere each factor takes half. At a factor 0 the terms are their limit. A factor that is held
    constant (``detach()``, weights that the input selects, rounding) is no input: whatever the share, the other takes all.

    Raises :class:`InputError` for a share outside [0, 1].

    A product of 2 and 3, each taking half of 6.

    >>> import dtd, torch
    >>> class Product(torch.nn.Module):
    ...     def forward(self, a, b):
    ...         return a * b
    >>> net = dtd.trace(Product(), (torch.ones(1, 1), torch.ones(1, 1)))
    >>> x = (torch.tensor([[2.0]]), torch.tensor([[3.0]]))
    >>> dtd.explain(net, x, 0, dtd.Plan([(dtd.where.kind("product"), dtd.ProductShares(0.5))])).relevance
    {'a': tensor([[3.]]), 'b': tensor([[3.]])}
    """

    share: float | None = None

    def __post_init__(self):
        if self.share is not None:
            check_share("share", self.share, ", or None")

    def accepts(self, layer: Layer) -> bool:
        return isinstance(layer.op, Product)

    def forward(self, layer: Layer, inputs: tuple[Tensor, ...]) -> tuple[Tensor, Any]:
        return layer(*inputs), None

    def backward(self, layer: Layer, saved: Any, relevance: Tensor) -> Propagated:
        share = share_of_first(layer, self.share)
        lower = (share * relevance, (1 - share) * relevance)
        return Propagated(lower, balance(relevance, lower))


@dataclass(frozen=True)
class MatMulShares(Printed, Propagation):
    """``y_ip = Σ_m a_im b_mp``: a sum of products, with the root of LRP-0 in the products, each shared out as a product is.

        s = R / y,    R_a = share a ⊙ (s bᵀ),    R_b = (1 − share) b ⊙ (aᵀ s)

    With ``share = ½`` this is the uniform rule of Achtibat 2024 (Prop. 3.3) for attention; None lets the signal take all
    beside a gate, such as the values beside attention weights. ``damping`` ε stops early,
    ``s = R / (y + ε sign y)``, and leaves what it absorbs in the zeroth term; where ``y + ε sign y = 0`` there is no root
    and all of R stays there. Achtibat's ε is twice this one: it is added to the halved denominator, ``R / (2 y + ε)``.
    # shape: a (B, …, n, m), b (B, …, m, p) -> (B, …, n, p)

    Raises :class:`InputError` for a share outside [0, 1] or a negative damping.

    (1, 2)·(3, 4) = 3 + 8, each product shared in halves.

    >>> import dtd, torch
    >>> class Product(torch.nn.Module):
    ...     def forward(self, a, b):
    ...         return a @ b
    >>> net = dtd.trace(Product(), (torch.ones(1, 1, 2), torch.ones(1, 2, 1)))
    >>> x = (torch.tensor([[[1.0, 2.0]]]), torch.tensor([[[3.0], [4.0]]]))
    >>> plan = dtd.Plan([(dtd.where.kind("matmul"), dtd.MatMulShares(0.5))])
    >>> list(dtd.explain(net, x, lambda y: y, plan).relevance.values())
    [tensor([[[1.5000, 4.0000]]]), tensor([[[1.5000],
             [4.0000]]])]
    """

    share: float | None = 0.5
    damping: float = 0.0

    def __post_init__(self):
        if self.share is not None:
            check_share("share", self.share, ", or None")
        check_nonnegative("damping", self.damping)

    def accepts(self, layer: Layer) -> bool:
        return isinstance(layer.op, MatMul)

    def forward(self, layer: Layer, inputs: tuple[Tensor, ...]) -> tuple[Tensor, Any]:
        y = layer(*inputs)
        return y, (*inputs, y)

    def backward(self, layer: Layer, saved: Any, relevance: Tensor) -> Propagated:
        a, b, y = saved
        s = divide(relevance, y + self.damping * sign(y) if self.damping else y)
        share = share_of_first(layer, self.share)
        lower = (share * a * (s @ b.mT), (1 - share) * b * (a.mT @ s))
        return Propagated(lower, balance(relevance, lower, zeroth=per_sample(relevance - s * y)))
