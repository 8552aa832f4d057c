"""Norms with the scale held, for any number of entries: the shipped propagation in all bias modes, damped or not."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from types import SimpleNamespace
from typing import Any

import sympy
from torch import Tensor, nn

from dtd import Plan, where
from dtd.propagation import Layer, Propagated, per_sample
from dtd.relevance import HeldScale
from proofs.entries import Entries, of, unchecked
from proofs.judge import Step
from proofs.kernel import Case, Mutant, Proof
from proofs.layers import BIASES, indexed
from proofs.primitives.passed import ANY_ENTRIES, Letters, Shipped, accounted, layer
from proofs.primitives.sums import tensors
from proofs.tensors import explained
from proofs.units import J, i

CENTRED = {sympy.Sum(indexed("d", i, nonzero=True, real=True), (i, 1, J)): sympy.S.Zero}


@dataclass(frozen=True, eq=False)
class Norm:
    """One norm at one point: any inputs, gains, scale and outputs that are not 0; the bias is what the outputs take.

    Inputs are ``x_k = μ + d_k`` with ``Σ d_k = 0`` and ``d_k ≠ 0``: none equals the mean.
    """

    at: Letters
    centred: bool = True
    sign: str = "positive"

    @property
    def distance(self) -> Entries:
        """``d_k = x_k − μ``."""
        if self.at.seed is None:
            return self.at.each("d", nonzero=True, real=True)
        first = self.at.each("d", positive=True)[0]
        return of([[first[0], first[1], -first[0] - first[1]]])

    @property
    def x(self) -> Entries:
        return self.at.one("mu") + self.distance

    @property
    def y(self) -> Entries:
        known = {self.sign: True} if self.at.seed is None else {}
        return self.at.each("y", **known)

    @property
    def slope(self) -> Entries:
        """``g_k / σ``."""
        return self.at.each("g") / self.at.one("sigma", positive=True)

    @property
    def bias(self) -> Entries:
        return self.y - self.slope * (self.distance if self.centred else self.x)

    @property
    def layer(self) -> SimpleNamespace:
        """What the shipped propagation reads: an operation with this gain, whose bias is held."""
        op = SimpleNamespace(centred=self.centred, axes=(-1,), bias=self.bias, gain=lambda x: self.slope)
        return layer(op)


def run(make: Callable, norm: Norm, mode: str, damped: bool) -> Iterator[Step]:
    x, relevance = norm.x, norm.at.each("R")
    epsilon = norm.at.one("epsilon", positive=True) if damped else 0
    model = make(mode, epsilon)
    found = model.backward(norm.layer, (x, None if mode == "fixed" else norm.y), relevance)
    if mode == "fixed":
        s = relevance / norm.distance
        yield Step(
            "R_j", found.relevance[0], x * (s - s.mean(-1, keepdim=True)), "`x_j (s_j - mean s)`, `s_k = R_k/(x_k - μ)`"
        )
        yield from accounted(found, relevance)
        return
    sides = norm.y / abs(norm.y) if norm.at.seed is not None else {"positive": 1, "negative": -1}[norm.sign]
    share = relevance / (norm.y + epsilon * sides)
    s, of_bias = norm.slope * share, norm.bias * share
    mean: Any = s.mean(-1, keepdim=True) if norm.centred else 0
    handed: Any = x * (s - mean)
    kept: Any = per_sample(of_bias)
    if mode == "distribute":
        handed, kept = handed + of_bias.mean(-1, keepdim=True), 0
    yield Step("R_j", found.relevance[0], handed, "`x_j (s_j - mean s)`, `s_k = g_k R_k/(σ (y_k + ε sign y_k))`")
    yield from accounted(found, relevance, bias=kept, zeroth=per_sample(relevance - share * norm.y) if damped else 0)


def cases() -> Iterator[Case]:
    for mode in BIASES:
        for damped in (False, True) if mode != "fixed" else (False,):
            for centred in (True, False) if mode != "fixed" else (True,):
                yield from setting(mode, damped, centred)
    for kind, norm in (("layer_norm", nn.LayerNorm(2, eps=48.0)), ("rms_norm", nn.RMSNorm(2))):
        plan = Plan([(where.kind(kind), HeldScale("neuron"))])
        x, relevance = [[1, 9]], [[2, 16]]
        # y = (-1/2, 1/2), σ = 8: s = (-1/2, 4), mean 7/4
        expected = [[sympy.Rational(-9, 4), sympy.Rational(81, 4)]] if kind == "layer_norm" else relevance
        yield tensors(partial(explained, norm, x, relevance, plan), expected, f"{kind}, explained")


def setting(mode: str, damped: bool, centred: bool) -> Iterator[Case]:
    """Points, and symbols with outputs of either sign."""
    title = f"bias {mode}, {'ε > 0' if damped else 'ε = 0'}, {'mean moving' if centred else 'without mean'}"

    def at(norm: Norm) -> Shipped:
        return Shipped(lambda make, _: run(make, norm, mode, damped), norm.at)

    for seed in range(3):
        yield Case(f"{title}, point {seed}", at(Norm(Letters(seed), centred)), point=True)
    for sign in ("positive", "negative") if damped else ("positive",):
        shown = centred and not damped and mode != "distribute"
        yield Case(
            f"{title}, {ANY_ENTRIES}", at(Norm(Letters(), centred, sign)), shown=shown, where=CENTRED, extent=ANY_ENTRIES
        )


class Still(HeldScale):
    """The mean stays."""

    def _mean(self, layer, values):
        return 0.0 * values


class Silent(HeldScale):
    """The bias' share is not reported."""

    def backward(self, layer: Layer, saved: Any, relevance: Tensor) -> Propagated:
        found = super().backward(layer, saved, relevance)
        return found._replace(balance=replace(found.balance, bias=0 * found.balance.bias))


class Moving(HeldScale):
    """The scale moves along: ``x_j ∂σ/∂x_j`` times what the outputs hand to it is taken away."""

    def backward(self, layer: Layer, saved: Any, relevance: Tensor) -> Propagated:
        found, x = super().backward(layer, saved, relevance), saved[0]
        centred = x - x.mean(-1, keepdim=True)
        return found._replace(relevance=(found.relevance[0] - x * centred * relevance.mean(-1, keepdim=True),))


def made(kind: type) -> Callable:
    return lambda bias, damping: unchecked(kind, bias=bias, damping=damping)


proof = Proof(
    name="held_scale",
    claim="With its scale held a norm is affine; LRP-0 or LRP-ε on it hands `x_j (s_j - mean s)` to `x_j`, with "
    "`s_k = R_k/(x_k - μ)` (bias fixed: scale and gain cancel) or `s_k = g_k R_k/(σ (y_k + ε sign y_k))` (bias a neuron or "
    "distributed). Handed down, bias share and what ε absorbs add up to R.",
    steps=lambda at, make: at.steps(make),
    conditions=lambda at: at.conditions(),
    assumes=("no input equals the mean, no output is 0",),
    mutants=(
        Mutant("the mean stays", made(Still)),
        Mutant("the bias' share is not reported", made(Silent)),
        Mutant("the scale moves", made(Moving)),
    ),
    reference="Ali 2022, on LayerNorm; Achtibat 2024 (as LXT computes it)",
    subject=made(HeldScale),
    cases=cases,
)
