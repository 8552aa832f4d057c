"""Which estimators are neuralised, and by what; scikit-learn itself is not imported."""

from collections.abc import Callable, Mapping
from typing import Any

from dtd.errors import InputError
from dtd.neuralised import clusters, instances, kernels, linears
from dtd.neuralised.scores import Scored, ScoreRequest

Writer = Callable[[Any, ScoreRequest], Scored]

REGRESSIONS = ("LinearRegression", "Ridge", "RidgeCV", "Lasso", "LassoCV", "ElasticNet", "LinearSVR")
MODELS: Mapping[str, Writer] = {
    **dict.fromkeys(REGRESSIONS, linears.regression),
    **dict.fromkeys(
        ("LogisticRegression", "LogisticRegressionCV", "LinearSVC", "RidgeClassifier", "LinearDiscriminantAnalysis"),
        linears.classification,
    ),
    **dict.fromkeys(("MLPClassifier", "MLPRegressor"), linears.perceptron),
    **dict.fromkeys(("SVC", "NuSVC"), kernels.support_vector_classifier),
    **dict.fromkeys(("SVR", "NuSVR", "KernelRidge"), kernels.regressor),
    "OneClassSVM": instances.one_class,
    "KernelDensity": instances.kernel_density,
    "KNeighborsClassifier": instances.neighbours,
    **dict.fromkeys(("KMeans", "MiniBatchKMeans"), clusters.k_means),
    "NearestCentroid": clusters.nearest_centroid,
    "GaussianMixture": clusters.gaussian_mixture,
    "GaussianNB": clusters.naive_bayes,
    "QuadraticDiscriminantAnalysis": clusters.quadratic_discriminant,
}
KERNEL_MACHINES = ("SVC", "NuSVC", "SVR", "NuSVR", "KernelRidge", "OneClassSVM")
TRANSFORMS: Mapping[str, Writer] = {
    **dict.fromkeys(("PCA", "TruncatedSVD", "FastICA"), linears.projection),
    **dict.fromkeys(("StandardScaler", "MinMaxScaler", "MaxAbsScaler", "RobustScaler"), linears.scaler),
}
COMPOSED = ("Pipeline", "ColumnTransformer", "SimpleImputer", "OneHotEncoder")


def kind_of(estimator: Any) -> str:
    """The name of scikit-learn's class that an estimator is of; raises :class:`InputError` for anything else."""
    for cls in type(estimator).__mro__:
        known = cls.__name__ in MODELS or cls.__name__ in TRANSFORMS or cls.__name__ in COMPOSED
        if cls.__module__.startswith("sklearn.") and known:
            return cls.__name__
    raise InputError(
        f"{type(estimator).__name__} is not neuralised. Known estimators of scikit-learn: {', '.join(MODELS)}; transforms: "
        f"{', '.join(TRANSFORMS)}; and any Pipeline of them, with {', '.join(COMPOSED[1:])}. A model of your own is a torch "
        "module: dtd.trace takes it as it is."
    )


def check_fitted(estimator: Any) -> None:
    """Raise :class:`InputError` for an estimator that was not fitted: it has no attribute that ends in '_'."""
    fitted = any(name.endswith("_") and not name.startswith("_") for name in vars(estimator))
    if not fitted:
        raise InputError(f"{type(estimator).__name__} was not fitted: call fit(X, y) first.")


def built(estimator: Any, asked: ScoreRequest) -> Scored:
    """An estimator as layers."""
    kind = kind_of(estimator)
    check_fitted(estimator)
    return (MODELS[kind] if kind in MODELS else TRANSFORMS[kind])(estimator, asked)
