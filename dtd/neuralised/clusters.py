"""Clusters and classes by their centres and densities."""

from typing import Any

import numpy as np

from dtd.errors import InputError
from dtd.neuralised.layers import Densities, Distances, Margins, Plus, Standardise, tensor
from dtd.neuralised.scores import LOG_2_PI, Scored, ScoreRequest, by_name, of_densities


def k_means(estimator: Any, asked: ScoreRequest) -> Scored:
    """``min_{k≠c} ‖x − u_k‖² − ‖x − u_c‖²``: positive for the cluster that is assigned (Kauffmann 2022)."""
    asked.choice("assignment")
    count = len(estimator.cluster_centers_)
    several(count, "clusters")
    layers = [Distances(estimator.cluster_centers_), Margins(count, asked.stiffness)]
    return Scored(layers, margin("squared distance to the nearest other centre, less that to its own", asked), labels(count))


def margin(what: str, asked: ScoreRequest) -> str:
    """A margin, and how its minimum is taken."""
    return f"{what} ({'hard minimum' if asked.stiffness is None else f'soft minimum, stiffness {asked.stiffness:g}'})"


def labels(count: int) -> list[str]:
    """Clusters by number."""
    return [f"cluster {k}" for k in range(count)]


def several(count: int, what: str) -> None:
    """Raise where there is nothing to choose among."""
    if count < 2:
        raise InputError(f"An assignment is explained against others: at least two {what} are needed; found {count}.")


def nearest_centroid(estimator: Any, asked: ScoreRequest) -> Scored:
    """The decision function's score of each class, less the largest of all others."""
    asked.choice("margin")
    if estimator.metric != "euclidean":
        raise InputError("NearestCentroid is neuralised with the Euclidean metric alone.")
    spread = np.asarray(estimator.within_class_std_dev_)
    factor = np.where(spread != 0, 1 / np.where(spread != 0, spread, 1), 1.0)
    classes = by_name(estimator.classes_)
    layers = [
        Standardise(np.zeros(len(factor)), factor),
        Distances(np.asarray(estimator.centroids_) * factor),
        Plus(1.0, -2 * np.log(estimator.class_prior_)),
        Margins(len(classes), asked.stiffness),
    ]
    return Scored(layers, margin("score of the class less the best of all others", asked), classes)


def gaussian_mixture(estimator: Any, asked: ScoreRequest) -> Scored:
    """Log-odds of the components, log-density or outlier score."""
    means, factors = tensor(estimator.means_).numpy(), tensor(estimator.precisions_cholesky_).numpy()
    count, width = means.shape
    if estimator.covariance_type == "spherical":
        factors = np.repeat(factors[:, None], width, 1)
    elif estimator.covariance_type == "tied":
        factors = np.repeat(factors[None], count, 0)
    diagonal = factors if factors.ndim == 2 else np.diagonal(factors, axis1=1, axis2=2)
    constants = np.log(estimator.weights_) - 0.5 * width * LOG_2_PI + np.log(diagonal).sum(1)
    names = [f"component {k}" for k in range(count)]
    if asked.choice("log_odds", "log_density", "outlier") == "log_odds":
        several(count, "components")
    return of_densities(estimator, Densities(means, factors, constants), names, asked)


def naive_bayes(estimator: Any, asked: ScoreRequest) -> Scored:
    """Log-odds of the classes under independent columns."""
    variances = tensor(estimator.var_).numpy()
    if not (variances > 0).all():
        columns = np.flatnonzero((variances <= 0).any(0)).tolist()
        raise InputError(f"GaussianNB found columns without variance in a class: {columns}. Remove them and fit again.")
    constants = np.log(estimator.class_prior_) - 0.5 * np.log(2 * np.pi * variances).sum(1)
    return of_densities(
        estimator, Densities(estimator.theta_, variances**-0.5, constants), by_name(estimator.classes_), asked
    )


def quadratic_discriminant(estimator: Any, asked: ScoreRequest) -> Scored:
    """Log-odds of the classes, each with its own covariance; the densities without the constant all share."""
    asked.hard(estimator)
    asked.choice("log_odds")
    factors = [r * np.asarray(s) ** -0.5 for r, s in zip(estimator.rotations_, estimator.scalings_, strict=True)]
    widths = {f.shape for f in factors}
    if len(widths) != 1 or factors[0].shape[0] != factors[0].shape[1]:
        raise InputError("QuadraticDiscriminantAnalysis on collinear columns is not neuralised: remove them and fit again.")
    logs = np.array([np.log(s).sum() for s in estimator.scalings_])
    constants = np.log(estimator.priors_) - 0.5 * logs
    return of_densities(
        estimator, Densities(estimator.means_, np.array(factors), constants), by_name(estimator.classes_), asked
    )
