"""Kernel expansions: support vector machines and kernel ridge regression."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from dtd.errors import InputError
from dtd.neuralised.layers import DifferenceOf, Distances, Plus, SoftMaximum, dense_of, tensor
from dtd.neuralised.scores import Scored, ScoreRequest, by_name

KERNELS = ("linear", "rbf", "poly", "polynomial", "sigmoid")


class Exponential(nn.Module):
    """``e^{−γ x}``."""

    def __init__(self, gamma: float):
        super().__init__()
        self.gamma = float(gamma)

    def forward(self, x: Tensor) -> Tensor:
        return torch.exp(x * -self.gamma)


class Power(nn.Module):
    """``x^p``, p an integer or not."""

    def __init__(self, degree: float):
        super().__init__()
        self.degree = int(degree) if float(degree).is_integer() else float(degree)

    def forward(self, x: Tensor) -> Tensor:
        return x.pow(self.degree)


def check_kernel(estimator: Any) -> None:
    """Raise :class:`InputError` for a kernel that is not written with columns: precomputed, one's own, or not known."""
    kernel = getattr(estimator, "kernel", None)
    if callable(kernel) or kernel not in KERNELS:
        raise InputError(
            f"{type(estimator).__name__} has the kernel {kernel!r}. 'rbf', 'poly', 'linear' and 'sigmoid' are neuralised, "
            "others and those given as a matrix or as a function are not."
        )


def gamma_of(estimator: Any, width: int) -> float:
    """The kernel's γ as it was fitted."""
    if hasattr(estimator, "_gamma"):
        return float(estimator._gamma)
    return 1.0 / width if estimator.gamma is None else float(estimator.gamma)


def expansion(estimator: Any, vectors: Any, weights: Any, bias: Any) -> list[nn.Module]:
    """``Σ_j w_kj K(x, u_j) + b_k`` as layers. # shape: vectors (n, J), weights (K, n), bias (K,)"""
    kernel, u = estimator.kernel, tensor(vectors).numpy()
    w = tensor(weights).numpy()
    if kernel == "linear":
        return [dense_of(w @ u, bias)]
    gamma = gamma_of(estimator, u.shape[1])
    if kernel == "rbf":
        return [Distances(u), Exponential(gamma), dense_of(w, bias)]
    inner = dense_of(gamma * u, np.full(len(u), float(estimator.coef0)))
    bent = nn.Tanh() if kernel == "sigmoid" else Power(estimator.degree)
    return [inner, bent, dense_of(w, bias)]


def support_vector_classifier(estimator: Any, asked: ScoreRequest) -> Scored:
    """Two classes by their decision function, more by that of each pair; for rbf also the log-ratio of both sides."""
    asked.hard(estimator)
    classes, vectors = by_name(estimator.classes_), estimator.support_vectors_
    dual = tensor(estimator.dual_coef_).numpy()
    if len(classes) == 2:
        pair = [f"{classes[1]} against {classes[0]}"]
        scores = ("decision", "log_ratio") if estimator.kernel == "rbf" else ("decision",)
        if asked.choice(*scores) == "log_ratio":
            sides = log_ratio(estimator, vectors, dual[0], float(estimator.intercept_[0]))
            return Scored(sides, "log-ratio of the kernel sums of both sides, 0 where the decision function is", pair)
        return Scored(expansion(estimator, vectors, dual, estimator.intercept_), "decision function", pair)
    asked.choice("decision")
    first = np.concatenate([[0], np.cumsum(estimator.n_support_)])
    weights, outputs = [], []
    for i in range(len(classes)):
        for j in range(i + 1, len(classes)):
            row = np.zeros(len(vectors))
            row[first[i] : first[i + 1]] = dual[j - 1, first[i] : first[i + 1]]
            row[first[j] : first[j + 1]] = dual[i, first[j] : first[j + 1]]
            weights.append(row)
            outputs.append(f"{classes[i]} against {classes[j]}")
    layers = expansion(estimator, vectors, np.array(weights), estimator.intercept_)
    return Scored(layers, "decision function of each pair of classes (one against one)", outputs)


def log_ratio(estimator: Any, vectors: Any, weights: np.ndarray, bias: float) -> list[nn.Module]:
    """``log Σ_{w>0} w K − log Σ_{w<0} |w| K`` of an rbf expansion, with the bias on its side as a constant."""
    if bias:
        vectors = np.concatenate([vectors, vectors[:1]])  # a centre for the constant, whose distance does not count
        weights = np.append(weights, bias)
    constant = np.zeros(len(weights), dtype=bool)
    constant[-1:] = bool(bias)
    if not ((weights > 0).any() and (weights < 0).any()):
        raise InputError("The log-ratio needs support vectors of both signs; use score='decision'.")
    parts = [side(estimator, vectors, weights * sign, constant) for sign in (1, -1)]
    return [DifferenceOf(*parts)]


def side(estimator: Any, vectors: Any, weights: np.ndarray, constant: np.ndarray) -> nn.Module:
    """``log Σ w K`` over the positive weights; a constant's factor is 0."""
    kept = weights > 0
    gamma = gamma_of(estimator, vectors.shape[1])
    factors = np.where(constant[kept], 0.0, -gamma)
    return nn.Sequential(Distances(vectors[kept]), Plus(factors, np.log(weights[kept])), SoftMaximum())


def regressor(estimator: Any, asked: ScoreRequest) -> Scored:
    """SVR and kernel ridge regression: the prediction, less a reference value."""
    asked.hard(estimator)
    asked.choice("prediction")
    vectors = estimator.X_fit_ if hasattr(estimator, "X_fit_") else estimator.support_vectors_
    dual = estimator.dual_coef_.T if hasattr(estimator, "X_fit_") else estimator.dual_coef_
    dual = np.atleast_2d(dual)
    bias = np.atleast_1d(getattr(estimator, "intercept_", np.zeros(len(dual)))) - asked.reference
    return Scored(expansion(estimator, vectors, dual, bias), less("prediction", asked), targets(len(dual)))


def less(what: str, asked: ScoreRequest) -> str:
    """What is explained of a regression."""
    return what if not asked.reference else f"{what} less the reference value {asked.reference:g}"


def targets(count: int) -> Sequence[str]:
    """The outputs of a regression."""
    return ["prediction"] if count == 1 else [f"prediction {k}" for k in range(count)]
