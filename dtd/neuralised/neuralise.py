"""From a fitted estimator, or a pipeline of them, to a torch module."""

from math import isfinite
from numbers import Real
from typing import Any

from torch import nn

from dtd.errors import InputError, check_parameter
from dtd.neuralised.columns import Beside, Columns, after_encoding, after_filling, chosen_columns
from dtd.neuralised.estimators import KERNEL_MACHINES, MODELS, TRANSFORMS, built, check_fitted, kind_of
from dtd.neuralised.kernels import check_kernel
from dtd.neuralised.layers import Branches, Plus
from dtd.neuralised.result import Neuralised
from dtd.neuralised.scores import Scored, ScoreRequest

Prepared = tuple[Columns, list[nn.Module]]  # how raw rows become inputs, and the layers that come first


def neuralise(
    estimator: Any, score: str | None = None, *, stiffness: float | None = None, reference: float = 0.0
) -> Neuralised:
    """A fitted estimator of scikit-learn as a torch module that computes the estimator's own score, to rounding.

    The module is in double precision; :func:`dtd.trace` takes it like any network, and :func:`dtd.presets.neuralised` is a
    plan for it. What is one-hot encoded and filled in beforehand is :meth:`Neuralised.encode`; relevance comes back to the
    raw columns by :meth:`Neuralised.by_column`.

    Args:
        estimator: fitted; a model, a transform, or a Pipeline.
        score: what is computed; the first is the default. Regressions: ``"prediction"``. Linear and support vector
            classifiers, perceptrons: ``"decision"``, for several classes also ``"log_odds"`` of each against all others;
            SVC with an rbf kernel ``"log_ratio"``, which has the same zeros. KMeans: ``"assignment"``, the squared distance
            to the nearest other centre less that to its own. Gaussian mixtures and Bayes: ``"log_odds"``,
            ``"log_density"``, ``"outlier"``. OneClassSVM: ``"decision"`` or ``"outlier"``, ``log ρ − log Σ α K``.
            KernelDensity: ``"log_density"``, ``"outlier"``. NearestCentroid and KNeighborsClassifier: ``"margin"``.
        stiffness: of a soft minimum in place of the hard one, where an assignment or margin is explained.
        reference: what is subtracted from a regression's prediction, so that relevance explains the rest.

    Raises:
        InputError: an estimator that is not fitted, sparse or not known; a precomputed kernel; a score that it does not
            have; columns that make it degenerate.

    >>> import numpy as np, torch, dtd
    >>> from sklearn.cluster import KMeans
    >>> rows = np.array([[0.0, 0.0], [0.0, 2.0], [6.0, 0.0], [6.0, 2.0]])
    >>> model = dtd.neuralise(KMeans(2, n_init=1, init=np.array([[0.0, 1.0], [6.0, 1.0]])).fit(rows))
    >>> x = model.encode([[1.0, 1.0]])  # squared distances 1 and 25
    >>> model(x).tolist()
    [[24.0, -24.0]]
    >>> dtd.explain(dtd.trace(model, x), x, 0, dtd.presets.neuralised()).relevance.tolist()
    [[24.0, 0.0]]
    """
    check_numbers(stiffness, reference)
    asked = ScoreRequest(score, stiffness, float(reference))
    steps = flattened(estimator)
    last = steps[-1]
    if kind_of(last) in KERNEL_MACHINES:
        check_kernel(last)
    columns, layers = steps_of(steps[:-1], Columns.plain(raw_names(estimator, steps)))
    if kind_of(last) in MODELS:
        scored = built(last, asked)
    else:
        columns, more = steps_of([last], columns, bool(layers))
        asked.choice("transform")
        names = columns.names
        if kind_of(last) in TRANSFORMS and not kind_of(last).endswith("Scaler"):
            names = tuple(built(last, ScoreRequest()).outputs)
        scored = Scored(more, "transformed data", names)
    if asked.reference and "reference" not in scored.score:
        raise InputError(f"'reference' is a regression's; {type(last).__name__} has none.")
    return Neuralised(nn.Sequential(*layers, *scored.layers), type(last).__name__, scored.score, scored.outputs, columns)


def check_numbers(stiffness: Any, reference: Any) -> None:
    """Raise :class:`InputError` for settings that are no finite numbers."""
    for name, value in (("stiffness", 1.0 if stiffness is None else stiffness), ("reference", reference)):
        number = isinstance(value, Real) and not isinstance(value, bool) and isfinite(value)
        check_parameter(number, name, "one finite number", repr(value))


def flattened(estimator: Any) -> list[Any]:
    """The steps of a pipeline, of those within it too; what passes everything through is left out."""
    if kind_of(estimator) != "Pipeline":
        return [estimator]
    steps = [step for _, step in estimator.steps if step is not None and not isinstance(step, str)]
    if not steps:
        raise InputError("The pipeline has no step.")
    return [each for step in steps for each in flattened(step)]


def raw_names(estimator: Any, steps: list[Any]) -> list[str]:
    """The names of the columns that an estimator was fitted on, or numbers for them."""
    for each in (estimator, steps[0]):
        if hasattr(each, "feature_names_in_"):
            return [str(name) for name in each.feature_names_in_]
    check_fitted(steps[0])
    for each in (estimator, *steps):
        if hasattr(each, "n_features_in_"):
            return [f"x{k}" for k in range(each.n_features_in_)]
    raise InputError(f"{type(steps[0]).__name__} does not say how many columns it was fitted on: call fit(X, y) first.")


def steps_of(steps: list[Any], columns: Columns, begun: bool = False) -> Prepared:
    """Transformers one after another: those that fill in and encode first, then those that are layers."""
    layers: list[nn.Module] = []
    for step in steps:
        kind = kind_of(step)
        check_fitted(step)
        if kind in MODELS:
            raise InputError(f"{kind} can only be the last step of a pipeline.")
        if kind in TRANSFORMS:
            layers += built(step, ScoreRequest()).layers
            continue
        if layers or begun:
            raise InputError(f"{kind} must come before scaling and projections, so that relevance arrives at raw columns.")
        if kind == "ColumnTransformer":
            columns, layers = side_by_side(step, columns)
        else:
            columns = after_filling(columns, step) if kind == "SimpleImputer" else after_encoding(columns, step)
    return columns, layers


def side_by_side(transformer: Any, columns: Columns) -> Prepared:
    """The parts of a ColumnTransformer, each with its own columns."""
    parts: list[Columns] = []
    taken: list[tuple[int, ...]] = []
    bodies: list[nn.Module] = []
    weights = transformer.transformer_weights or {}
    for name, part, chosen in transformer.transformers_:
        at = chosen_columns(chosen, columns.names)
        if not at or (isinstance(part, str) and part == "drop"):
            continue
        plain = Columns.plain([columns.names[k] for k in at])
        steps = [] if passes(part) else flattened(part)
        made, layers = steps_of(steps, plain)
        if name in weights:
            layers = [*layers, Plus(weights[name], 0.0)]
        parts.append(made)
        taken.append(at)
        bodies.append(nn.Sequential(*layers))
    names = [name for part in parts for name in part.names]
    sources = [at[owner] for part, at in zip(parts, taken, strict=True) for owner in part.owners]
    joined = columns.then(Beside(tuple(parts), tuple(taken)), names, sources)
    if not any(len(body) for body in bodies):  # type: ignore[arg-type]
        return joined, []
    return joined, [Branches(bodies, [len(part.names) for part in parts])]


def passes(part: Any) -> bool:
    """Whether a part of a ColumnTransformer hands its columns on."""
    identity = type(part).__name__ == "FunctionTransformer" and part.func is None
    return identity or (isinstance(part, str) and part == "passthrough")
