"""Local response normalisation to first order (Binder 2016): what the neighbours take away, and the error of it."""

from collections.abc import Callable, Iterator

import sympy

from proofs.judge import Step
from proofs.kernel import Mutant, Proof, unconditional
from proofs.points import cases as at_points
from proofs.points import put, several
from proofs.taylor import expansion

X = several("x", 3)
B, C = sympy.Symbol("b", positive=True), sympy.Symbol("c", positive=True, integer=True)
U = sympy.Symbol("u", positive=True)
ALONE = (X[0], sympy.S.Zero, sympy.S.Zero)  # the unit without its neighbours


def normalised(x):
    """``y = x_1 / (1 + b Σ_i x_i²)^c``."""
    return x[0] / (1 + B * sum(v**2 for v in x)) ** C


def steps(values, slope_at: Callable) -> Iterator[Step]:
    def at(e):
        return put(values, e)

    y, size = normalised(X), 1 + B * sum(v**2 for v in X)
    own = 1 / size**C - 2 * B * C * X[0] ** 2 / size ** (C + 1)
    yield Step("∂y/∂x_1", at(sympy.diff(y, X[0])), at(own), "the unit's own slope")
    yield Step("∂y/∂x_2", at(sympy.diff(y, X[1])), at(-2 * B * C * X[0] * X[1] / size ** (C + 1)), "a neighbour's slope")
    found = expansion(y, X, ALONE, slope_at=slope_at(X))
    yield Step("y(x_1, 0, 0)", at(found.zeroth), at(X[0] / (1 + B * X[0] ** 2) ** C), "the own share: its value alone")
    for j in (1, 2):
        share = -2 * B * C * X[0] * X[j] ** 2 / size ** (C + 1)
        yield Step(f"v_{j + 1}", at(found.first[j]), at(share), "a neighbour's share: slopes at `x`")
    shrunk = found.remainder.subs({X[1]: U * X[1], X[2]: U * X[2]}, simultaneous=True)
    leading = sympy.diff(shrunk, U, 2).subs(U, 0) / 2
    others = -2 * B * C * X[0] * (X[1] ** 2 + X[2] ** 2) / (1 + B * X[0] ** 2) ** (C + 1)
    yield Step(
        "remainder at u²",
        at(leading),
        at(-others / 2),
        "small neighbours `u x_j`: half of it back",
    )


proof = Proof(
    name="local_response_norm",
    claim="To first order from the unit alone, with slopes at `x`, `y = x_k/(1 + b Σ_i x_i²)^c` is `x_k/(1 + b x_k²)^c` "
    "minus `2 b c x_k x_j²/(1 + b Σ_i x_i²)^{c+1}` for each neighbour; to leading order the remainder returns half of it.",
    steps=steps,
    conditions=unconditional,
    mutants=(
        Mutant("slopes at the unit alone, where the neighbours get nothing", lambda x: ALONE),
        Mutant("slopes at half the way", lambda x: (x[0], x[1] / 2, x[2] / 2)),
    ),
    reference="Binder 2016, on local renormalization layers",
    subject=lambda x: x,
    cases=lambda: at_points((*X, B, C), "two neighbours", points=6, size=3),
    note="Mathematics for a unit with two neighbours: no shipped object yet.",
)
