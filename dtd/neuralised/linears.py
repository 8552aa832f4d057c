"""Linear models, linear transforms, scalers and multi-layer perceptrons."""

from typing import Any

import numpy as np
from torch import nn

from dtd.errors import InputError
from dtd.neuralised.kernels import less, targets
from dtd.neuralised.layers import Margins, Plus, Standardise, dense_of, tensor
from dtd.neuralised.scores import Scored, ScoreRequest, by_name

ACTIVATIONS = {"identity": nn.Identity, "logistic": nn.Sigmoid, "tanh": nn.Tanh, "relu": nn.ReLU}


def regression(estimator: Any, asked: ScoreRequest) -> Scored:
    """The prediction, less a reference value."""
    asked.hard(estimator)
    asked.choice("prediction")
    weight = np.atleast_2d(tensor(estimator.coef_).numpy())
    bias = np.broadcast_to(np.atleast_1d(estimator.intercept_), len(weight)) - asked.reference
    return Scored([dense_of(weight, bias)], less("prediction", asked), targets(len(weight)), linear=True)


def classification(estimator: Any, asked: ScoreRequest) -> Scored:
    """The decision function; for several classes also the log-odds of each against all others."""
    asked.hard(estimator)
    classes, weight = by_name(estimator.classes_), np.atleast_2d(tensor(estimator.coef_).numpy())
    layer = dense_of(weight, np.broadcast_to(estimator.intercept_, len(weight)))
    if len(classes) == 2:
        asked.choice("decision")
        return Scored([layer], "decision function", [f"{classes[1]} against {classes[0]}"], linear=True)
    if asked.choice("decision", "log_odds") == "decision":
        return Scored([layer], "decision function", classes, linear=True)
    return Scored([layer, Plus(-1.0, 0.0), Margins(len(classes), 1.0)], "log-odds of each against all others", classes)


def projection(estimator: Any, asked: ScoreRequest) -> Scored:
    """The transformed data of a linear transform."""
    asked.hard(estimator)
    asked.choice("transform")
    weight = tensor(estimator.components_).numpy()
    mean = getattr(estimator, "mean_", None)
    if getattr(estimator, "whiten", False) is True and hasattr(estimator, "explained_variance_"):
        scale = np.sqrt(estimator.explained_variance_)
        weight = weight / np.maximum(scale, np.finfo(float).eps)[:, None]
    names = [f"{type(estimator).__name__.lower()}{k}" for k in range(len(weight))]
    layers = [dense_of(weight, np.zeros(len(weight)))]
    if mean is not None:
        layers = [Standardise(mean, np.ones(len(mean))), *layers]  # type: ignore[list-item]
    return Scored(layers, "transformed data", names, linear=True)


def scaler(estimator: Any, asked: ScoreRequest) -> Scored:
    """Columns less a centre, times a factor."""
    asked.choice("transform")
    name, width = type(estimator).__name__, estimator.n_features_in_
    if name == "MinMaxScaler":
        if estimator.clip:
            raise InputError("MinMaxScaler with clip=True cuts values off; neuralise one without it.")
        factor = estimator.scale_
        centre = -np.asarray(estimator.min_) / factor
    elif name == "MaxAbsScaler":
        centre, factor = np.zeros(width), 1 / np.asarray(estimator.scale_)
    else:
        mean = getattr(estimator, "mean_", getattr(estimator, "center_", None))
        used = getattr(estimator, "with_mean", getattr(estimator, "with_centering", True))
        centre = mean if used and mean is not None else np.zeros(width)
        scale = estimator.scale_
        factor = np.ones(width) if scale is None else 1 / np.asarray(scale)
    return Scored([Standardise(centre, factor)], "scaled columns", [str(k) for k in range(width)], linear=True)


def perceptron(estimator: Any, asked: ScoreRequest) -> Scored:
    """The outputs before the last activation; of a regression less a reference value."""
    asked.hard(estimator)
    layers: list[nn.Module] = []
    last, classes = len(estimator.coefs_) - 1, getattr(estimator, "classes_", None)
    for k, (weight, bias) in enumerate(zip(estimator.coefs_, estimator.intercepts_, strict=True)):
        shift = asked.reference if k == last and classes is None else 0.0
        layers.append(dense_of(np.asarray(weight).T, np.asarray(bias) - shift))
        if k < last and estimator.activation != "identity":
            layers.append(ACTIVATIONS[estimator.activation]())
    if classes is None:
        asked.choice("prediction")
        score = "log-prediction" if estimator.out_activation_ == "exp" else "prediction"  # of the Poisson loss
        return Scored(layers, less(score, asked), targets(len(estimator.intercepts_[-1])))
    labels = by_name(classes)
    if estimator.out_activation_ == "softmax":
        if asked.choice("decision", "log_odds") == "decision":
            return Scored(layers, "logits", labels)
        return Scored([*layers, Plus(-1.0, 0.0), Margins(len(labels), 1.0)], "log-odds of each against all others", labels)
    asked.choice("decision")
    count = len(estimator.intercepts_[-1])
    outputs = [f"{labels[1]} against {labels[0]}"] if count == 1 else [f"label {label}" for label in labels[:count]]
    return Scored(layers, "log-odds", outputs)
