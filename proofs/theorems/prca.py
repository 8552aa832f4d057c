"""Principal relevant components: the first eigenvectors let most relevance through, of all orthogonal projections."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from random import Random
from types import SimpleNamespace
from typing import Any

import numpy as np
import sympy
import torch

from dtd.estimate.subspaces import prca
from proofs.entries import Entries
from proofs.judge import Step
from proofs.kernel import Case, Mutant, Proof, unconditional

T = sympy.symbols("t1:4", real=True)
LAST = sympy.Symbol("lambda3", real=True)
RISES = sympy.symbols("delta1:3", nonnegative=True)


class Decomposed(Entries):
    """A matrix whose symmetric part has known eigenvectors, which ``eigh`` returns of that part once they are checked."""

    spectrum: Any = None  # eigenvalues, the smallest first, and the eigenvectors as columns

    def __array_finalize__(self, made_from):
        super().__array_finalize__(made_from)
        self.spectrum = getattr(made_from, "spectrum", None)

    @classmethod
    def __torch_function__(cls, function, types, args=(), kwargs=None):
        if function is not torch.linalg.eigh:
            return super().__torch_function__(function, types, args, kwargs)
        (matrix,) = args
        values, vectors = matrix.spectrum
        left = np.asarray(matrix) - vectors @ np.diag(values) @ vectors.T
        if any(sympy.cancel(x) != 0 for x in left.flat):
            raise ValueError("The eigenvectors of this matrix are not known.")
        return SimpleNamespace(eigenvectors=vectors.view(Decomposed))

    def flip(self, axis: int) -> Any:
        """The entries in reverse order along an axis."""
        return np.flip(self, axis)


@dataclass(frozen=True)
class Setting:
    """Vectors a and c of relevance ``R = a ⊙ c`` at some places, the spectrum of ``½ E[a cᵀ + c aᵀ]``, and other directions.

    # shape: a, c (N, C), values (C,) from the largest down, vectors (C, C), others (C, C) with orthonormal columns
    """

    a: np.ndarray
    c: np.ndarray
    values: np.ndarray
    vectors: np.ndarray
    others: np.ndarray
    size: int

    @classmethod
    def of(cls, values: np.ndarray, vectors: np.ndarray, turned: np.ndarray, others: np.ndarray, size: int) -> "Setting":
        """Places with a given spectrum; ``turned`` is what the mean of ``a cᵀ`` has beside it, antisymmetric."""
        mean = vectors @ np.diag(values) @ vectors.T + turned
        return cls(len(mean) * mean.T, np.array(np.eye(len(mean), dtype=int), dtype=object), values, vectors, others, size)

    def through(self, u: np.ndarray) -> Any:
        """Mean relevance through columns u, ``E[(Uᵀa)·(Uᵀc)]``."""
        return ((self.a @ u) * (self.c @ u)).sum() / len(self.a)

    def steps(self, subject: "Subject") -> Iterator[Step]:
        covariance = (self.a.T @ self.c / len(self.a)).view(Decomposed)
        covariance.spectrum = self.values[::-1], self.vectors[:, ::-1]
        u, d = np.asarray(subject.prca(covariance, self.size)), self.size
        w, rest = self.others[:, :d], self.others[:, d:]
        yield Step("UᵀU", u.T @ u, np.array(np.eye(d, dtype=int), dtype=object), "the columns are orthonormal", reads="1")
        found = self.through(u)
        why = "each eigenvector lets its eigenvalue through"
        yield Step("E[(Uᵀa)·(Uᵀc)]", found, self.values[:d].sum(), why, reads="λ₁ + … + λ_d")
        inside, outside = ((part.T @ self.vectors) ** 2 for part in (w, rest))
        last = self.values[d - 1]
        above = ((self.values[:d] - last) * outside[:, :d].sum(0)).sum()
        below = ((last - self.values[d:]) * inside[:, d:].sum(0)).sum()
        yield Step(
            "E[(Uᵀa)·(Uᵀc)] - E[(Wᵀa)·(Wᵀc)]",
            found - self.through(w),
            above + below,
            "for any orthonormal W with the complement `W′`; each term is `≥ 0`",
            reads="Σ_{i≤d} (λ_i - λ_d) |W′ᵀv_i|² + Σ_{i>d} (λ_d - λ_i) |Wᵀv_i|²",
        )
        if not any(getattr(x, "free_symbols", ()) for x in (*self.values, *self.others.flat)):
            yield Step("the difference", found - self.through(w), sympy.Integer(0), "none lets more through", relation=">=")


@dataclass(frozen=True)
class Subject:
    """The shipped closed form."""

    prca: Callable = prca


def rotation(numbers: Any, size: int) -> np.ndarray:
    """An orthogonal matrix of rational functions of numbers: ``(1 − K)(1 + K)⁻¹`` with K antisymmetric (Cayley)."""
    k = antisymmetric(numbers, size)
    one = sympy.eye(size)
    found = (one - sympy.Matrix(k)) * (one + sympy.Matrix(k)).inv()
    return np.array(found.applyfunc(sympy.cancel).tolist(), dtype=object)


def antisymmetric(numbers: Any, size: int) -> np.ndarray:
    """The numbers above the diagonal, and their negatives below it."""
    k = np.zeros((size, size), dtype=object)
    k[np.triu_indices(size, 1)] = list(numbers)
    return k - k.T


def drawn(seed: int) -> Setting:
    """Two to four channels with rational spectra and directions."""
    random = Random(seed)
    size = 2 + seed % 3

    def several(count: int) -> list[sympy.Rational]:
        return [sympy.Rational(Fraction(random.randint(-6, 6), random.choice((1, 2, 3)))) for _ in range(count)]

    pairs = size * (size - 1) // 2
    values = np.array(sorted(several(size), reverse=True), dtype=object)
    vectors, others = rotation(several(pairs), size), rotation(several(pairs), size)
    return Setting.of(values, vectors, antisymmetric(several(pairs), size), others, 1 + seed % (size - 1))


def cases() -> Iterator[Case]:
    for seed in range(12):
        yield Case(f"spectrum {seed}", drawn(seed), point=True)
    values = np.array([LAST + RISES[0] + RISES[1], LAST + RISES[1], LAST], dtype=object)
    axes = np.array(sympy.eye(3).tolist(), dtype=object)
    for size in (1, 2):
        at = Setting.of(values, axes, antisymmetric(sympy.symbols("k1:4", real=True), 3), rotation(T, 3), size)
        title = f"three channels along the eigenvectors, {size} of them kept"
        yield Case(title, at, shown=size == 2, extent="three channels")


def smallest(covariance: Any, size: int) -> Any:
    """The last eigenvectors."""
    return prca(covariance, covariance.shape[0])[:, -size:]


plain = Subject()
proof = Proof(
    name="prca",
    claim="Let `R = a ⊙ c` and `S = ½ E[a cᵀ + c aᵀ]` with eigenvalues `λ₁ ≥ λ₂ ≥ …`. Of all orthonormal U with d columns "
    "the first d eigenvectors of S let most relevance through, `E[(Uᵀa)·(Uᵀc)] = λ₁ + … + λ_d`.",
    steps=lambda at, subject: at.steps(subject),
    conditions=unconditional,
    mutants=(
        Mutant("the last eigenvectors", replace(plain, prca=smallest)),
        Mutant("eigenvectors as rows", replace(plain, prca=lambda s, d: prca(s, s.shape[0]).T[:, :d])),
        Mutant("columns of twice the length", replace(plain, prca=lambda s, d: 2 * prca(s, d))),
    ),
    reference="Chormai 2022, Sec. 4 (principal relevant component analysis)",
    subject=plain,
    cases=cases,
    note="The shipped `prca` runs on exact numbers; its `eigh` is read as what it returns, eigenvectors of the matrix that "
    "it is given, which is checked. Points: two to four channels, d below their number. Symbols: any spectrum and any W, in "
    "the basis of the eigenvectors, to which an orthogonal change of basis leads.",
)
