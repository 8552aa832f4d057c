"""Rows and settings that no estimator takes are named before work, and what an error advises works."""

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
import torch
from scipy.special import expit
from sklearn import base, cluster, decomposition, linear_model, neighbors, neural_network, preprocessing, svm
from sklearn.kernel_ridge import KernelRidge

import dtd

RNG = np.random.default_rng(0)
ROWS = RNG.normal(size=(40, 3))
HOLES = np.where(RNG.random(ROWS.shape) < 0.5, 0.0, ROWS)
TWO, THREE, TARGET = (ROWS[:, 0] > 0).astype(int), (ROWS[:, 0] > 0) + (ROWS[:, 1] > 0) * 1, ROWS[:, 0] - ROWS[:, 1]
RIDGE, MEANS = linear_model.Ridge().fit(ROWS, TARGET), cluster.KMeans(3, n_init=1, random_state=0).fit(ROWS)

KEEP_ROWS = {
    "svc": (svm.SVC(), TWO, None),
    "svc, three": (svm.SVC(), THREE, None),
    "svc, ratio": (svm.SVC(), TWO, "log_ratio"),
    "svr": (svm.SVR(), TARGET, None),
    "one class": (svm.OneClassSVM(), None, None),
    "one class, outlier": (svm.OneClassSVM(gamma=0.2), None, "outlier"),
    "kernel ridge": (KernelRidge(kernel="rbf"), TARGET, None),
    "neighbour": (neighbors.KNeighborsClassifier(1), TWO, None),
}


@pytest.mark.parametrize("name", KEEP_ROWS)
def test_models_that_keep_sparse_rows_are_refused_and_dense_ones_are_not(name):
    estimator, y, score = KEEP_ROWS[name]
    sparse = base.clone(estimator).fit(scipy.sparse.csr_matrix(HOLES), y)
    with pytest.raises(dtd.InputError, match="sparse data|dense data"):
        dtd.neuralise(sparse, score)
    assert dtd.neuralise(base.clone(estimator).fit(HOLES, y), score)(torch.tensor(HOLES)).isfinite().all()


KEEP_NO_ROWS = {
    "ridge": (linear_model.Ridge(), "predict"),
    "logistic": (linear_model.LogisticRegression(), "decision_function"),
    "linear svc": (svm.LinearSVC(), "decision_function"),
    "svd": (decomposition.TruncatedSVD(2), "transform"),
    "scaler": (preprocessing.MaxAbsScaler(), "transform"),
}


@pytest.mark.parametrize("name", KEEP_NO_ROWS)
def test_models_that_keep_no_rows_may_be_fitted_on_sparse_ones(name):
    estimator, method = KEEP_NO_ROWS[name]
    fitted = base.clone(estimator).fit(scipy.sparse.csr_matrix(HOLES), TWO)
    module = dtd.neuralise(fitted)
    np.testing.assert_allclose(
        module(module.encode(HOLES)).detach().numpy().squeeze(), getattr(fitted, method)(HOLES), atol=1e-12
    )


SPARSE = {
    "matrix": scipy.sparse.csr_matrix(HOLES),
    "array": scipy.sparse.coo_array(HOLES),
    "frame": pd.DataFrame.sparse.from_spmatrix(scipy.sparse.csr_matrix(HOLES)),
    "tensor": torch.tensor(HOLES).to_sparse(),
}


@pytest.mark.parametrize("kind", SPARSE)
def test_sparse_rows_are_refused(kind):
    module = dtd.neuralise(RIDGE)
    with pytest.raises(dtd.InputError, match="Sparse data.*toarray"):
        module.encode(SPARSE[kind])
    assert torch.equal(module.encode(SPARSE["matrix"].toarray()), torch.tensor(HOLES))


@pytest.mark.parametrize("machine", [svm.SVC, svm.NuSVC, svm.SVR, svm.NuSVR, svm.OneClassSVM, KernelRidge])
@pytest.mark.parametrize("kernel", ["precomputed", lambda a, b: a @ b.T], ids=["matrix", "function"])
def test_kernels_given_as_matrices_and_functions_are_refused(machine, kernel):
    rows = ROWS @ ROWS.T if kernel == "precomputed" else ROWS
    fitted = machine(kernel=kernel).fit(rows, TWO)
    for score in (None, "log_ratio", "outlier"):
        with pytest.raises(dtd.InputError, match=f"{machine.__name__} has the kernel.*'rbf'.*given as a matrix"):
            dtd.neuralise(fitted, score)


def test_distances_given_as_a_matrix_are_refused():
    apart = np.linalg.norm(ROWS[:, None] - ROWS, axis=-1)
    fitted = neighbors.KNeighborsClassifier(3, metric="precomputed").fit(apart, TWO)
    with pytest.raises(dtd.InputError, match="Euclidean metric"):
        dtd.neuralise(fitted, stiffness=1.0)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "1", np.array([1.0, 2.0]), True])
def test_settings_are_finite_numbers(value):
    with pytest.raises(dtd.InputError, match="'stiffness' must be one finite number"):
        dtd.neuralise(MEANS, stiffness=value)
    with pytest.raises(dtd.InputError, match="'reference' must be one finite number"):
        dtd.neuralise(RIDGE, reference=value)


def test_numbers_of_numpy_are_taken():
    assert torch.equal(dtd.neuralise(RIDGE, reference=np.float32(0.5)).body[0].bias, torch.tensor([RIDGE.intercept_ - 0.5]))


def test_rows_of_another_precision_are_named_and_a_module_may_change_its_own():
    module = dtd.neuralise(RIDGE)
    with pytest.raises(dtd.InputError, match="float64; found rows of torch.float32.*encode"):
        module(torch.tensor(ROWS).float())
    rows = torch.tensor(ROWS).float()
    torch.testing.assert_close(dtd.neuralise(RIDGE).float()(rows)[:, 0], torch.tensor(RIDGE.predict(ROWS)).float())


@pytest.mark.parametrize("count", [2, 3])
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_a_perceptron_of_several_labels_has_an_output_for_each(count):
    labels = np.stack([ROWS[:, k] > 0 for k in range(count)], 1).astype(int)
    fitted = neural_network.MLPClassifier((4,), max_iter=20, random_state=0).fit(ROWS, labels)
    module = dtd.neuralise(fitted)
    found = module(module.encode(ROWS)).detach().numpy()
    assert module.outputs == tuple(f"label {k}" for k in range(count)) and found.shape == labels.shape
    np.testing.assert_allclose(expit(found), fitted.predict_proba(ROWS), atol=1e-12)
    assert module.target("label 1") == 1


def test_clusters_and_classes_that_do_not_exist():
    module = dtd.neuralise(MEANS)
    network, x = dtd.trace(module, torch.tensor(ROWS)), torch.tensor(ROWS)
    with pytest.raises(dtd.InputError, match="class from 0 to 2; found 3"):
        dtd.explain(network, x, 3, dtd.presets.neuralised())
    for missing in ("cluster 3", 3, None):
        with pytest.raises(dtd.InputError, match="No output of.*'cluster 2'"):
            module.target(missing)
