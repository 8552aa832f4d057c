"""Gradient × input of one curved layer: what the tangents at the data point hand down, and how little a norm leaves."""

from collections.abc import Callable, Iterator

import sympy
from torch import nn

from dtd import Plan, where
from dtd.relevance import Tangent
from proofs.judge import Step
from proofs.kernel import Case, Mutant, Proof, unconditional
from proofs.points import cases as at_points
from proofs.points import put
from proofs.primitives.passed import ANY_ENTRIES
from proofs.primitives.sums import Tensors, tensors
from proofs.tensors import Function, explained

D, R = (sympy.Symbol(name, real=True) for name in ("d", "R"))  # d = x_k − μ
G, Y = (sympy.Symbol(name, real=True, nonzero=True) for name in ("g", "y"))  # the gain, and the output
V, SIGMA, T = (sympy.Symbol(name, positive=True) for name in ("v", "sigma", "t"))  # the variance, √(v + ε), a way
BETA = Y - G * D / SIGMA  # any bias, written with the output that it makes


def moving(t):
    """``σ(t x) = √(t² v + ε)``: the scale of the point on the ray, with ``ε = σ² − v``."""
    return sympy.sqrt(t**2 * V + SIGMA**2 - V)


def held(t):
    """The scale of the data point."""
    return SIGMA + 0 * t


def inverse(t):
    """A scale that shrinks where it should grow."""
    return SIGMA**2 / moving(t)


def steps(values, scale: Callable) -> Iterator[Step]:
    """``Σ_j x_j ∂y_k/∂x_j = d/dt y_k(t x)`` at ``t = 1`` (Euler), for any number of entries."""
    if isinstance(values, Tensors):
        yield from values.steps(scale)
        return

    def at(e):
        return put(values, sympy.simplify(e))

    slope = sympy.diff(G * T * D / scale(T) + BETA, T).subs(T, 1)
    epsilon = SIGMA**2 - V
    yield Step("Σ_j x_j ∂y_k/∂x_j", at(slope), at(G * D / SIGMA * epsilon / SIGMA**2), "`y_k - β` times `ε/σ²`")
    yield Step("Σ_j R_j←k", at(R / Y * slope), at(R * epsilon / SIGMA**2 * (1 - BETA / Y)), "the terms: 0 where ε = 0")
    yield Step("zeroth", at(R - R / Y * slope), at(R * (1 - epsilon / SIGMA**2 * (1 - BETA / Y))), "what it is worth at 0")


def cases() -> Iterator[Case]:
    yield from at_points((D, G, Y, R, V, SIGMA), ANY_ENTRIES, points=8)
    plan = Plan([(where.kind("layer_norm"), Tangent())])
    norm = nn.LayerNorm(2, eps=48.0, elementwise_affine=False)  # v = 16, σ = 8, y = -1/2, 1/2
    yield tensors(lambda: explained(norm, [[1, 9]], [[2, 16]], plan), expected(), "LayerNorm with ε = 48, explained")
    softmax = Plan([(where.kind("softmax"), Tangent())])
    yield tensors(lambda: explained(nn.Softmax(-1), [[3, 3]], [[4, 8]], softmax), [[-6, 6]], "softmax: Proposition 3.1")
    product = Plan([(where.kind("product"), Tangent())])
    gate = Function(lambda x: x[:, :1] * x[:, 1:])
    yield tensors(lambda: explained(gate, [[2, 4]], [[8]], product), [[8, 8]], "a product: each factor takes all, -R stays")


def expected() -> list:
    """``x_j Σ_k R_k/y_k ∂y_k/∂x_j`` by sympy, for x = (1, 9), R = (2, 16) and ε = 48."""
    x, above = sympy.symbols("x_1 x_2"), (2, 16)
    mean = sum(x) / 2
    sigma = sympy.sqrt(sum((v - mean) ** 2 for v in x) / 2 + 48)
    y, point = [(v - mean) / sigma for v in x], dict(zip(x, (1, 9), strict=True))
    terms = [sum(r / y_k * sympy.diff(y_k, v) for r, y_k in zip(above, y, strict=True)) * v for v in x]
    return [[sympy.nsimplify(term.subs(point)) for term in terms]]


proof = Proof(
    name="tangent",
    claim="The tangent at `x` of a norm whose scale moves along hands down `ε/σ² (1 - β/y_k)` of `R_k`: nothing where the "
    "norm has no ε. The rest is what the tangent is worth at 0, and stays; hence scales are held.",
    steps=steps,
    conditions=unconditional,
    mutants=(
        Mutant("the scale held", held),
        Mutant("a scale that shrinks", inverse),
    ),
    reference="Ali 2022, on gradient × input of LayerNorm",
    subject=moving,
    cases=cases,
)
