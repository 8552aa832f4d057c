"""Pipelines: relevance at the raw columns of a data frame by name; and what is refused, named before any work."""

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
import torch
from sklearn import (
    cluster,
    compose,
    decomposition,
    impute,
    linear_model,
    mixture,
    naive_bayes,
    neighbors,
    pipeline,
    preprocessing,
    svm,
    tree,
)

import dtd

RNG = np.random.default_rng(0)
N = 60
FRAME = pd.DataFrame(
    {
        "age": RNG.normal(40, 10, N),
        "city": RNG.choice(["Bern", "Oslo", "Rome"], N),
        "income": RNG.normal(3, 1, N),
        "sex": RNG.choice(["f", "m"], N),
    }
)
FRAME.loc[::7, "income"] = np.nan
Y = (FRAME.age / 10 + (FRAME.city == "Oslo") * 3 + FRAME.income.fillna(3) > 8).astype(int)
GRID = RNG.normal(size=(40, 3))


def mixed(last, **options):
    """Imputed and scaled numbers beside one-hot categories."""
    numbers = pipeline.make_pipeline(impute.SimpleImputer(strategy="median"), preprocessing.StandardScaler())
    parts = [("numbers", numbers, ["income", "age"]), ("words", preprocessing.OneHotEncoder(**options), ["city", "sex"])]
    return pipeline.make_pipeline(compose.ColumnTransformer(parts), last)


@pytest.mark.parametrize("options", [{}, {"drop": "first"}, {"sparse_output": False, "handle_unknown": "ignore"}])
@pytest.mark.parametrize("last", [linear_model.LogisticRegression(), svm.SVC(), mixture.GaussianMixture(2, reg_covar=0.1)])
def test_relevance_arrives_at_the_raw_columns_by_name(last, options):
    model = mixed(last, **options).fit(FRAME, Y)
    module = dtd.neuralise(model)
    assert module.columns == ("age", "city", "income", "sex") and "city=Oslo" in module.features
    x = module.encode(FRAME)
    expected = model.decision_function(FRAME) if hasattr(model, "decision_function") else None
    if expected is not None:
        np.testing.assert_allclose(module(x).detach()[:, 0], expected, atol=1e-10)
    out = dtd.explain(dtd.trace(module, x), x, 0, dtd.presets.neuralised())
    found = module.by_column(out.relevance)
    assert list(found.columns) == list(FRAME.columns) and len(found) == N
    np.testing.assert_allclose(found.sum(1), out.relevance.sum(1))
    onehot = [k for k, name in enumerate(module.features) if name.startswith("city=")]
    np.testing.assert_allclose(found.city, out.relevance[:, onehot].sum(1))


def test_a_linear_pipeline_by_hand():
    model = mixed(linear_model.LogisticRegression()).fit(FRAME, Y)
    module = dtd.neuralise(model)
    x = module.encode(FRAME)
    found = module.by_column(dtd.explain(dtd.trace(module, x), x, 0, dtd.presets.neuralised()).relevance)
    z, weight = model[0].transform(FRAME), model[-1].coef_[0]
    z = z.toarray() if hasattr(z, "toarray") else z
    np.testing.assert_allclose(found.income, z[:, 0] * weight[0], atol=1e-12)
    np.testing.assert_allclose(found.age, z[:, 1] * weight[1], atol=1e-12)
    np.testing.assert_allclose(found.city, z[:, 2:5] @ weight[2:5], atol=1e-12)


def test_rows_are_taken_by_name_in_any_order():
    module = dtd.neuralise(mixed(linear_model.LogisticRegression()).fit(FRAME, Y))
    turned = FRAME[["sex", "income", "city", "age"]].assign(more=1)
    assert torch.equal(module.encode(FRAME), module.encode(turned))


@pytest.mark.parametrize("chosen", [[0, 2], slice(0, 3, 2), [True, False, True], ["a", "c"], slice("a", "a")])
def test_columns_are_chosen_in_every_way(chosen):
    frame = pd.DataFrame(GRID, columns=list("abc"))
    parts = [("scaled", preprocessing.MinMaxScaler(), chosen)]
    model = pipeline.make_pipeline(
        compose.ColumnTransformer(parts, remainder="passthrough"), linear_model.LinearRegression()
    ).fit(frame, GRID[:, 0] ** 2)
    module = dtd.neuralise(model)
    x = module.encode(frame)
    np.testing.assert_allclose(module(x).detach()[:, 0], model.predict(frame), atol=1e-12)
    out = dtd.explain(dtd.trace(module, x), x, 0, dtd.presets.neuralised())
    assert list(module.by_column(out.relevance).columns) == list("abc")


def test_steps_follow_each_other_and_transforms_may_come_last():
    scaled = pipeline.make_pipeline(preprocessing.StandardScaler(), decomposition.PCA(2))
    both = pipeline.make_pipeline(scaled, cluster.KMeans(3, n_init=2, random_state=0)).fit(GRID)
    distances = both.transform(GRID) ** 2
    found = dtd.neuralise(both)(torch.tensor(GRID)).detach()
    assert (found.argmax(1).numpy() == distances.argmin(1)).all()
    scaled.fit(GRID)
    np.testing.assert_allclose(dtd.neuralise(scaled)(torch.tensor(GRID)).detach(), scaled.transform(GRID), atol=1e-12)


CONSTANT = np.c_[GRID, np.ones(len(GRID))]
TWO = (GRID[:, 0] > 0).astype(int)
REFUSED = {
    "not fitted": (lambda: linear_model.Ridge(), "Ridge was not fitted: call fit"),
    "a step not fitted": (lambda: mixed(linear_model.Ridge()), "not fitted"),
    "unknown": (
        lambda: tree.DecisionTreeRegressor().fit(GRID, TWO),
        "DecisionTreeRegressor is not neuralised.*KMeans",
    ),
    "no estimator": (lambda: 3, "int is not neuralised"),
    "precomputed": (lambda: svm.SVC(kernel="precomputed").fit(GRID @ GRID.T, TWO), "'precomputed'.*'rbf'"),
    "sparse": (lambda: svm.SVC().fit(scipy.sparse.csr_matrix(GRID), TWO), "sparse.*toarray"),
    "one cluster": (lambda: cluster.KMeans(1, n_init=1).fit(GRID), "at least two clusters"),
    "votes": (lambda: neighbors.KNeighborsClassifier(5).fit(GRID, TWO), "5 neighbours.*stiffness"),
    "tophat": (lambda: neighbors.KernelDensity(kernel="tophat").fit(GRID), "tophat.*gaussian"),
    "constant": (lambda: constant_bayes(), "GaussianNB found columns without variance in a class: .3."),
    "late imputer": (
        lambda: pipeline.make_pipeline(preprocessing.StandardScaler(), impute.SimpleImputer(), linear_model.Ridge()).fit(
            GRID, TWO
        ),
        "SimpleImputer must come before",
    ),
    "empty column": (
        lambda: pipeline.make_pipeline(impute.SimpleImputer(), linear_model.Ridge()).fit(
            np.c_[GRID, np.full(len(GRID), np.nan)], TWO
        ),
        "no value at all in .'x3'.",
    ),
    "indicator": (
        lambda: pipeline.make_pipeline(impute.SimpleImputer(add_indicator=True), linear_model.Ridge()).fit(GRID, TWO),
        "add_indicator",
    ),
    "clipped": (lambda: preprocessing.MinMaxScaler(clip=True).fit(GRID), "clip"),
    "manhattan": (lambda: neighbors.NearestCentroid(metric="manhattan").fit(GRID, TWO), "Euclidean"),
}


def constant_bayes():
    """A column without variance, and no smoothing."""
    return naive_bayes.GaussianNB(var_smoothing=0.0).fit(CONSTANT, TWO)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_neuralised_is_named(name):
    make, match = REFUSED[name]
    with pytest.raises(dtd.InputError, match=match):
        dtd.neuralise(make())


def test_settings_are_checked():
    ridge, means = linear_model.Ridge().fit(GRID, TWO), cluster.KMeans(2, n_init=1).fit(GRID)
    with pytest.raises(dtd.InputError, match="score.*'prediction'.*decision"):
        dtd.neuralise(ridge, "decision")
    with pytest.raises(dtd.InputError, match="stiffness.*Ridge"):
        dtd.neuralise(ridge, stiffness=1.0)
    with pytest.raises(dtd.InputError, match="stiffness.*> 0"):
        dtd.neuralise(means, stiffness=-1.0)
    with pytest.raises(dtd.InputError, match="'reference' is a regression's; KMeans"):
        dtd.neuralise(means, reference=1.0)


def test_rows_are_checked():
    module = dtd.neuralise(cluster.KMeans(2, n_init=1).fit(pd.DataFrame(GRID, columns=list("abc"))))
    with pytest.raises(dtd.InputError, match="fitted on 3 columns; found 2"):
        module.encode(GRID[:, :2])
    with pytest.raises(dtd.InputError, match="NaN or infinity in .'b'.*SimpleImputer"):
        module.encode(np.where(np.arange(3) == 1, np.nan, GRID))
    with pytest.raises(dtd.InputError, match="Sparse.*toarray"):
        module.encode(scipy.sparse.csr_matrix(GRID))
    with pytest.raises(dtd.InputError, match="rows and columns"):
        module.encode(GRID[0])
    with pytest.raises(dtd.InputError, match="cannot be encoded"):
        module.encode(pd.DataFrame({"a": ["one"], "b": [1.0], "c": [2.0]}))
    with pytest.raises(dtd.InputError, match="No output of 'cluster 7'.*'cluster 1'"):
        module.target("cluster 7")
    assert module.target("cluster 1") == 1
    with pytest.raises(dtd.InputError, match="shape .B, 3."):
        module.by_column(torch.ones(2, 4))


def test_a_constant_column_gets_nothing():
    model = pipeline.make_pipeline(preprocessing.StandardScaler(), linear_model.Ridge()).fit(CONSTANT, TWO)
    module = dtd.neuralise(model)
    x = module.encode(CONSTANT)
    relevance = dtd.explain(dtd.trace(module, x), x, 0, dtd.presets.neuralised()).relevance
    assert relevance[:, 3].abs().max() == 0 and relevance[:, :3].abs().max() > 0
