"""Models of the rows that they were fitted on: one-class models, kernel densities, nearest neighbours."""

from collections.abc import Sequence
from itertools import pairwise
from math import lgamma, log, pi
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from dtd.errors import InputError, check_parameter
from dtd.neuralised.kernels import expansion, side
from dtd.neuralised.layers import Distances, Plus, SoftMaximum, Subset, tensor
from dtd.neuralised.scores import LOG_2_PI, Scored, ScoreRequest, by_name


def one_class(estimator: Any, asked: ScoreRequest) -> Scored:
    """The decision function, or the outlier score ``log ρ − log Σ α K`` of an rbf model, positive for outliers."""
    asked.hard(estimator)
    scores = ("decision", "outlier") if estimator.kernel == "rbf" else ("decision",)
    vectors, dual = estimator.support_vectors_, tensor(estimator.dual_coef_).numpy()
    if asked.choice(*scores) == "decision":
        return Scored(expansion(estimator, vectors, dual, estimator.intercept_), "decision function, > 0 inside", ["inlier"])
    rho = -float(estimator.intercept_[0])
    check_parameter(rho > 0, "estimator", "a one-class model whose threshold is positive", rho)
    weights = dual[0]
    parts = side(estimator, vectors, weights, np.zeros(len(weights), dtype=bool))
    return Scored([parts, Plus(-1.0, log(rho))], "log ρ − log Σ α K, > 0 outside", ["outlier"])


def kernel_density(estimator: Any, asked: ScoreRequest) -> Scored:
    """The log-density of a Gaussian or exponential kernel density, or minus it."""
    asked.hard(estimator)
    data = np.asarray(estimator.tree_.data)
    weights = estimator.tree_.sample_weight
    logs = np.zeros(len(data)) if weights is None else np.log(np.asarray(weights))
    logs = logs - np.log(np.exp(logs).sum())
    h, width = float(estimator.bandwidth_), data.shape[1]
    if estimator.metric != "euclidean" or estimator.kernel not in ("gaussian", "exponential"):
        raise InputError(
            f"KernelDensity with kernel {estimator.kernel!r} and metric {estimator.metric!r} is not neuralised: kernels "
            "'gaussian' and 'exponential' with the Euclidean metric are."
        )
    if estimator.kernel == "gaussian":
        constant, layers = -width * (0.5 * LOG_2_PI + log(h)), [Distances(data), Plus(-0.5 / h**2, logs)]
    else:
        volume = 0.5 * width * log(pi) - lgamma(0.5 * width + 1)  # of the unit ball
        constant = -(volume + lgamma(width + 1) + width * log(h))
        layers = [Distances(data), SquareRoot(), Plus(-1 / h, logs)]
    sign = 1.0 if asked.choice("log_density", "outlier") == "log_density" else -1.0
    outputs = ["log-density"] if sign > 0 else ["outlier"]
    score = "log-density of the data" if sign > 0 else "minus the log-density"
    return Scored([*layers, SoftMaximum(), Plus(sign, sign * constant)], score, outputs)


class SquareRoot(nn.Module):
    """``√x``."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.sqrt(x)


def neighbours(estimator: Any, asked: ScoreRequest) -> Scored:
    """By how much the nearest row of a class is nearer than that of all others; soft with a stiffness."""
    if estimator.n_neighbors != 1 and asked.stiffness is None:
        raise InputError(
            f"KNeighborsClassifier counts the votes of {estimator.n_neighbors} neighbours, which has no slope: give a "
            "'stiffness' for soft neighbours, or fit one with n_neighbors=1."
        )
    asked.choice("margin")
    if isinstance(estimator.classes_, list):
        raise InputError("KNeighborsClassifier with several outputs is not neuralised: fit one for each output.")
    if estimator.effective_metric_ != "euclidean" or not isinstance(estimator._fit_X, np.ndarray):
        raise InputError("KNeighborsClassifier is neuralised with the Euclidean metric on dense data alone.")
    classes, labels = by_name(estimator.classes_), np.asarray(estimator._y)
    order = np.argsort(labels, kind="stable")
    counts = np.bincount(labels, minlength=len(classes))
    kind = "hard" if asked.stiffness is None else f"soft, stiffness {asked.stiffness:g}"
    layers = [Distances(estimator._fit_X[order]), ClassMargins(counts.tolist(), asked.stiffness)]
    return Scored(layers, f"squared distance to the nearest row of all others, less that to the class's ({kind})", classes)


class ClassMargins(nn.Module):
    """``min_{j∉c} d_j − min_{j∈c} d_j`` for rows sorted by class; soft minima with a stiffness. # shape: (B, n) -> (B, K)"""

    def __init__(self, counts: Sequence[int], stiffness: float | None):
        super().__init__()
        check_parameter(stiffness is None or stiffness > 0, "stiffness", "> 0, or None for the hard minimum", stiffness)
        self.stiffness, ends = stiffness, np.cumsum([0, *counts])
        total = set(range(int(ends[-1])))
        own = [range(int(a), int(b)) for a, b in pairwise(ends)]
        self.own = nn.ModuleList(Subset(list(rows)) for rows in own)
        self.others = nn.ModuleList(Subset(sorted(total - set(rows))) for rows in own)

    def smallest(self, d: Tensor) -> Tensor:
        """The minimum, hard or soft."""
        if self.stiffness is None:
            return d.amin(-1, keepdim=True)
        return torch.logsumexp(d * -self.stiffness, -1, keepdim=True) / -self.stiffness

    def forward(self, d: Tensor) -> Tensor:
        pairs = zip(self.own, self.others, strict=True)
        return torch.cat([self.smallest(others(d)) - self.smallest(own(d)) for own, others in pairs], -1)
