"""Max pooling treated as average pooling, as a plan's choice."""

from dataclasses import dataclass, replace
from typing import Any

from torch import Tensor

from dtd.algebra import divide
from dtd.errors import check_parameter
from dtd.plans.rules import Choice, choose
from dtd.primitive import MaxPool
from dtd.propagation import Layer, Propagated, Propagation, per_sample
from dtd.relevance import Linear

LRP0 = choose("lrp0")


@dataclass(frozen=True, repr=False)
class MaxAsAverage:
    """A plan's model for max pooling ``y_p = max_q a_q``: it is expanded as if it were the average ``m_p`` of its window.

    The relevance model is ``R̂_p(a) = c_p m_p(a)``, affine in the window, and ``rule`` chooses its root, whose terms are

        LRP-0 (root at the origin)   R_{q←p} = R_p a_q / Σ_q' a_q'        (derived and explicit alike)

    ``fitted`` says which constant that is, and so where the rest is:

    * True: ``c_p = R_p / m_p(a)``, so that ``R̂_p = R_p`` at the data point. The substitute is decomposed without a rest: all
      of ``R_p`` is handed down (what a damped rule absorbs, and windows whose sum is 0, stay in the zeroth term). It is not
      an expansion of the layer's own function: the shares are ``y_p / m_p`` times the terms below. The relevance pass of
      the LRP overview's authors (their VGG-16 tutorial) does this.
    * False: ``c_p = R_p / y_p``, that of the maximum itself. On ``a ≥ 0`` the average is a subgradient of the maximum at
      the origin, so these are first-order terms of ``c_p max_q a_q`` at its root 0, ``R_{q←p} = R_p a_q / (J y_p)``; the
      remainder holds what they do not cover, ``R_p (1 − m_p / y_p)``.

    The forward pass stays that of max pooling. Raises :class:`InputError` for a rule that is no choice of the catalogue.

    The maximum of (1, 3, 2) is 3, shared as the average is: by a/6.

    >>> import dtd, torch
    >>> net = dtd.trace(torch.nn.MaxPool1d(3), torch.ones(1, 1, 3))
    >>> plan = dtd.Plan([(dtd.where.kind("max_pool"), dtd.MaxAsAverage())])
    >>> dtd.explain(net, torch.tensor([[[1.0, 3.0, 2.0]]]), lambda y: y, plan).relevance
    tensor([[[0.5000, 1.5000, 1.0000]]])
    """

    rule: Choice = LRP0
    fitted: bool = True

    def __post_init__(self):
        check_parameter(isinstance(self.rule, Choice), "rule", "a choice of the catalogue (dtd.rules.choose)", self.rule)

    def derived(self, layer: Layer) -> "MeanForMax":
        """The expansion for a layer."""
        return MeanForMax(Linear(self.rule.derived(layer)), self.fitted)

    def explicit(self, layer: Layer) -> "MeanForMax":
        """The same by the explicit rule."""
        return MeanForMax(self.rule.explicit(layer), self.fitted)

    def __repr__(self) -> str:
        return f"MaxAsAverage({self.rule!r}{'' if self.fitted else ', fitted=False'})"


@dataclass(frozen=True, eq=False)
class MeanForMax(Propagation):
    """Max pooling in the forward pass, a relevance model or explicit rule of the average in the relevance pass."""

    model: Propagation
    fitted: bool

    def accepts(self, layer: Layer) -> bool:
        return isinstance(layer.op, MaxPool)

    def sample_wise(self, layer: Layer) -> bool:
        return self.model.sample_wise(averaged(layer))

    def forward(self, layer: Layer, inputs: tuple[Tensor, ...]) -> tuple[Tensor, Any]:
        mean, saved = self.model.forward(averaged(layer), inputs)
        largest = layer(*inputs)
        return largest, (saved, None if self.fitted else divide(mean, largest))

    def backward(self, layer: Layer, saved: Any, relevance: Tensor) -> Propagated:
        of_mean, covered = saved
        if covered is None:
            return self.model.backward(averaged(layer), of_mean, relevance)
        lower, balance = self.model.backward(averaged(layer), of_mean, relevance * covered)
        rest = per_sample(relevance * (1 - covered))
        return Propagated(lower, replace(balance, relevance=per_sample(relevance), remainder=balance.remainder + rest))


def averaged(layer: Layer) -> Layer:
    """Average pooling over the windows of a max-pooling layer, in its place."""
    return replace(layer, kind="average_pool", op=layer.op.average)
