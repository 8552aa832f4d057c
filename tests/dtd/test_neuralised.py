"""Estimators as layers: scikit-learn's own score for each, and what relevance they hand down."""

import copy
import pickle
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.special import expit, logit, softmax
from sklearn import (
    cluster,
    datasets,
    decomposition,
    discriminant_analysis,
    kernel_ridge,
    linear_model,
    mixture,
    naive_bayes,
    neighbors,
    neural_network,
    preprocessing,
    svm,
)

import dtd

ROOT = Path(__file__).parents[2]
X, Y = datasets.load_wine(return_X_y=True)
X = (X - X.mean(0)) / X.std(0)
X, TWO, TARGET = X[:, :5] + 0.3, (Y == 1).astype(int), X[:, 6] - 2 * X[:, 7] ** 2
NEW = X[::7] + 0.1


def column(values):
    """One score as the module's output."""
    return np.asarray(values).reshape(len(NEW), -1)


def margins(d):
    """``min_{k≠c} d_k − d_c``."""
    return np.stack([np.delete(d, c, 1).min(1) - d[:, c] for c in range(d.shape[1])], 1)


def log_odds(joint):
    """Of each class against all others, from the logarithms of joint densities."""
    total = np.stack([np.delete(joint, c, 1) for c in range(joint.shape[1])], 1)
    top = total.max(-1, keepdims=True)
    return joint - (top[..., 0] + np.log(np.exp(total - top).sum(-1)))


def joint(model):
    """A Gaussian mixture's log-densities of its parts, by scikit-learn."""
    return model._estimate_weighted_log_prob(NEW)


def pairs(model):
    """One-against-one decision functions."""
    model.set_params(decision_function_shape="ovo")
    return model.decision_function(NEW)


def nearest(model):
    """Squared distances to the nearest row of each class."""
    d = ((NEW[:, None] - X[None]) ** 2).sum(-1)
    own = np.stack([d[:, c == Y].min(1) for c in np.unique(Y)], 1)
    others = np.stack([d[:, c != Y].min(1) for c in np.unique(Y)], 1)
    return others - own


def predicted(m):
    return m.predict(NEW)


def decided(m):
    return m.decision_function(NEW)


MLP = {"hidden_layer_sizes": (7, 4), "max_iter": 30, "random_state": 0}
NETS = neural_network.MLPClassifier, neural_network.MLPRegressor
FAMILY = {
    "linear": (linear_model.LinearRegression(), TARGET, None, predicted),
    "two targets": (linear_model.Ridge(), np.stack([TARGET, 1 - TARGET**2], 1), None, predicted),
    "lasso": (linear_model.Lasso(0.1), TARGET, None, predicted),
    "logistic": (linear_model.LogisticRegression(), TWO, None, decided),
    "logistic, three": (linear_model.LogisticRegression(), Y, "decision", decided),
    "log-odds": (linear_model.LogisticRegression(), Y, "log_odds", lambda m: logit(m.predict_proba(NEW))),
    "linear svc": (svm.LinearSVC(), Y, None, decided),
    "svc rbf": (svm.SVC(), TWO, None, decided),
    "svc rbf, ratio": (svm.SVC(), TWO, "log_ratio", lambda m: ratio(m)),
    "svc poly": (svm.SVC(kernel="poly", degree=3, coef0=1.0), TWO, None, decided),
    "svc linear": (svm.SVC(kernel="linear"), TWO, None, decided),
    "svc sigmoid": (svm.SVC(kernel="sigmoid", gamma=0.1), TWO, None, decided),
    "svc, three": (svm.SVC(), Y, None, pairs),
    "svc poly, three": (svm.SVC(kernel="poly"), Y, None, pairs),
    "svr": (svm.SVR(), TARGET, None, predicted),
    "kernel ridge": (kernel_ridge.KernelRidge(kernel="rbf", gamma=0.3), TARGET, None, predicted),
    "kernel ridge, poly": (kernel_ridge.KernelRidge(kernel="polynomial", degree=2), TARGET, None, predicted),
    "one class": (svm.OneClassSVM(nu=0.2), None, None, decided),
    "one class, poly": (svm.OneClassSVM(nu=0.2, kernel="poly"), None, None, decided),
    "one class, outlier": (
        svm.OneClassSVM(nu=0.2, gamma=0.2),
        None,
        "outlier",
        lambda m: np.log(-m.intercept_) - np.log(m.decision_function(NEW) - m.intercept_),
    ),
    "kde": (neighbors.KernelDensity(bandwidth=0.7), None, None, lambda m: m.score_samples(NEW)),
    "kde, outlier": (neighbors.KernelDensity(bandwidth=0.7), None, "outlier", lambda m: -m.score_samples(NEW)),
    "kde, exponential": (neighbors.KernelDensity(kernel="exponential"), None, None, lambda m: m.score_samples(NEW)),
    "k-means": (cluster.KMeans(4, n_init=2, random_state=0), None, None, lambda m: margins(m.transform(NEW) ** 2)),
    "mini batches": (
        cluster.MiniBatchKMeans(3, n_init=2, random_state=0),
        None,
        None,
        lambda m: margins(m.transform(NEW) ** 2),
    ),
    "nearest centroid": (neighbors.NearestCentroid(), Y, None, lambda m: -margins_of_scores(m.decision_function(NEW))),
    "neighbour": (neighbors.KNeighborsClassifier(1), Y, None, nearest),
    "lda": (discriminant_analysis.LinearDiscriminantAnalysis(), Y, None, decided),
    "lda, two": (discriminant_analysis.LinearDiscriminantAnalysis(), TWO, None, decided),
    "qda": (discriminant_analysis.QuadraticDiscriminantAnalysis(), Y, None, lambda m: log_odds(m.decision_function(NEW))),
    "naive bayes": (naive_bayes.GaussianNB(), Y, None, lambda m: log_odds(m.predict_joint_log_proba(NEW))),
    "pca": (decomposition.PCA(3), None, None, lambda m: m.transform(NEW)),
    "pca, white": (decomposition.PCA(3, whiten=True), None, None, lambda m: m.transform(NEW)),
    "svd": (decomposition.TruncatedSVD(3), None, None, lambda m: m.transform(NEW)),
    "ica": (decomposition.FastICA(3, random_state=0), None, None, lambda m: m.transform(NEW)),
    "standard": (preprocessing.StandardScaler(), None, None, lambda m: m.transform(NEW)),
    "standard, mean only": (preprocessing.StandardScaler(with_std=False), None, None, lambda m: m.transform(NEW)),
    "min and max": (preprocessing.MinMaxScaler((-1, 2)), None, None, lambda m: m.transform(NEW)),
    "robust": (preprocessing.RobustScaler(), None, None, lambda m: m.transform(NEW)),
    "perceptron": (NETS[0](**MLP), TWO, None, lambda m: logit(m.predict_proba(NEW)[:, 1])),
    "perceptron, regression": (NETS[1](**MLP, activation="tanh"), TARGET, None, predicted),
    **{
        f"mixture, {kind}": (
            mixture.GaussianMixture(3, covariance_type=kind, random_state=0),
            None,
            None,
            lambda m: log_odds(joint(m)),
        )
        for kind in ("full", "tied", "diag", "spherical")
    },
    "mixture, density": (mixture.GaussianMixture(3), None, "log_density", lambda m: m.score_samples(NEW)),
    "mixture, outlier": (mixture.GaussianMixture(3), None, "outlier", lambda m: -m.score_samples(NEW)),
}


def margins_of_scores(scores):
    """Scores of which the largest wins, as distances; negated once more by the caller."""
    return -margins(-scores)


def ratio(m):
    """``log Σ₊ − log Σ₋`` of an SVC, with its intercept on its side."""
    kernel = np.exp(-m._gamma * ((NEW[:, None] - m.support_vectors_) ** 2).sum(-1)) * m.dual_coef_
    b = m.intercept_[0]
    up, down = np.where(kernel > 0, kernel, 0).sum(1) + max(b, 0), -np.where(kernel < 0, kernel, 0).sum(1) + max(-b, 0)
    assert np.allclose(up - down, m.decision_function(NEW))
    return np.log(up) - np.log(down)


@pytest.fixture(scope="module", params=FAMILY)
def case(request):
    estimator, y, score, expected = FAMILY[request.param]
    made = copy.deepcopy(estimator).fit(X, y) if y is not None else copy.deepcopy(estimator).fit(X)
    module = dtd.neuralise(made, score)
    return made, module, column(expected(made)), request.param


def test_the_module_computes_the_estimators_own_score(case):
    _, module, expected, _ = case
    x = module.encode(NEW)
    found = module(x)
    assert found.dtype == torch.double and found.shape == expected.shape == (len(NEW), len(module.outputs))
    scale = max(1.0, float(np.abs(expected).max()))
    torch.testing.assert_close(found.detach(), torch.tensor(expected), rtol=0, atol=1e-10 * scale)


def test_it_is_traced_explained_and_audited(case):
    _, module, _, name = case
    x = module.encode(NEW[:4])
    network, plan = dtd.trace(module, x), dtd.presets.neuralised()
    out = dtd.explain(network, x, len(module.outputs) - 1, plan)
    torch.testing.assert_close(out.output, module(x))
    assert all(
        bool(layer.balance.gap.abs().max() <= 1e-9 * layer.balance.relevance.abs().max()) for layer in out.layers.values()
    )
    kept = sum((b.bias + b.zeroth + b.remainder for b in (record.balance for record in out.layers.values())), start=0)
    left = out.relevance.sum(1) + kept - out.output[:, -1]
    assert bool((left.abs() < 1e-8 * out.relevance.abs().sum(1).clamp(min=1)).all()), name
    rows = dtd.audit(network, x, len(module.outputs) - 1, plan)
    assert (rows.gap < 1e-8).all()


def test_it_says_what_it_computes_and_copies_do_too(case):
    _, module, _, _ = case
    said = repr(module)
    assert module.score in said and module.outputs[0] in said and "x0" in said and len(said) < 400
    x = module.encode(NEW)
    for other in (copy.deepcopy(module), pickle.loads(pickle.dumps(module))):
        assert repr(other) == said and torch.equal(other(x), module(x))


@pytest.mark.parametrize("name", ["logistic, three", "log-odds"])
def test_softmax_of_the_scores_is_the_estimators_probability(name):
    model = linear_model.LogisticRegression().fit(X, Y)
    found = dtd.neuralise(model, FAMILY[name][2])(torch.tensor(NEW)).detach().numpy()
    expected = model.predict_proba(NEW)
    np.testing.assert_allclose(softmax(found, 1) if name != "log-odds" else expit(found), expected, atol=1e-12)


def test_a_perceptron_of_three_classes_has_the_estimators_probabilities():
    model = NETS[0](**MLP).fit(X, Y)
    np.testing.assert_allclose(
        softmax(dtd.neuralise(model)(torch.tensor(NEW)).detach().numpy(), 1), model.predict_proba(NEW)
    )


def explained(module, rows, target=0, plan=None):
    x = module.encode(rows)
    return dtd.explain(dtd.trace(module, x), x, target, plan or dtd.presets.neuralised())


def test_a_linear_model_has_its_exact_shapley_values_at_the_mean():
    """``w_j (x_j − E x_j)``, the closed form; the rest, the value at the mean, is the zeroth term."""
    model = linear_model.Ridge().fit(X, TARGET)
    mean = torch.tensor(X.mean(0))[None]
    module = dtd.neuralise(model)
    out = explained(module, NEW, plan=dtd.presets.neuralised(reference=mean))
    np.testing.assert_allclose(out.relevance, model.coef_ * (NEW - X.mean(0)), atol=1e-12)
    (record,) = out.layers.values()
    np.testing.assert_allclose(record.balance.zeroth, model.predict(X.mean(0)[None]).repeat(len(NEW)), atol=1e-12)
    whole = explained(module, NEW)
    np.testing.assert_allclose(whole.relevance, model.coef_ * NEW, atol=1e-12)


def test_a_regression_is_explained_against_a_reference_value():
    model = svm.SVR().fit(X, TARGET)
    module = dtd.neuralise(model, reference=2.5)
    np.testing.assert_allclose(module(torch.tensor(NEW)).detach()[:, 0], model.predict(NEW) - 2.5, atol=1e-12)
    assert "less the reference value 2.5" in repr(module)


def test_k_means_hands_down_the_terms_at_the_midpoint_of_two_centres():
    """Kauffmann 2022: the logit's linear function ``2 (u_c − u_k)·(x − m)``, term by term."""
    model = cluster.KMeans(4, n_init=2, random_state=0).fit(X)
    module, d = dtd.neuralise(model), model.transform(NEW) ** 2
    own = d.argmin(1)
    out = explained(module, NEW, torch.tensor(own))
    for b in range(len(NEW)):
        other = np.argsort(d[b])[1]
        u, v = model.cluster_centers_[own[b]], model.cluster_centers_[other]
        np.testing.assert_allclose(out.relevance[b], 2 * (u - v) * (NEW[b] - (u + v) / 2), atol=1e-10)
    assert (module(torch.tensor(NEW)).argmax(1).numpy() == model.predict(NEW)).all()


def test_soft_assignments_are_log_odds_and_grow_hard():
    model = cluster.KMeans(4, n_init=2, random_state=0).fit(X)
    soft = dtd.neuralise(model, stiffness=0.7)
    p = softmax(-0.7 * model.transform(NEW) ** 2, 1)
    np.testing.assert_allclose(0.7 * soft(torch.tensor(NEW)).detach(), logit(p), atol=1e-8)
    hard = explained(dtd.neuralise(model), NEW).relevance
    gaps = [
        (explained(dtd.neuralise(model, stiffness=beta), NEW).relevance - hard).abs().max().item()
        for beta in (0.5, 5.0, 500.0)
    ]
    assert gaps[0] > gaps[1] > gaps[2] and gaps[2] < 1e-6


def test_naive_bayes_hands_each_column_its_own_log_ratio():
    """Two classes: the log-odds are a sum over columns and a constant, which stays in its own column of the balance."""
    model = naive_bayes.GaussianNB().fit(X, TWO)
    out = explained(dtd.neuralise(model), NEW, 1)
    squares = [0.5 * (NEW - model.theta_[c]) ** 2 / model.var_[c] for c in (0, 1)]
    np.testing.assert_allclose(out.relevance, squares[0] - squares[1], atol=1e-9)
    fixed = explained(dtd.neuralise(model), NEW, 1, dtd.presets.neuralised("fixed"))
    log = model.predict_joint_log_proba(NEW)
    shares = [part / part.sum(1, keepdims=True) for part in squares]
    np.testing.assert_allclose(fixed.relevance, shares[1] * log[:, 1:] - shares[0] * log[:, :1], atol=1e-8)
    np.testing.assert_allclose(fixed.relevance.sum(1), out.output[:, 1], atol=1e-8)


def test_a_log_ratio_of_kernels_hands_down_the_midpoint_terms_of_all_pairs():
    """``γ Σ_jk p_j p_k 2 (u_j − u_k)_i (x − (u_j + u_k)/2)_i`` over both sides: linear functions of x, pair by pair."""
    model = svm.SVC(gamma=0.2).fit(X, TWO)
    model.intercept_[:] = model._intercept_[:] = 0.0
    out = explained(dtd.neuralise(model, "log_ratio"), NEW)
    dual, u = model.dual_coef_[0], model.support_vectors_
    for b, x in enumerate(NEW):
        weight = np.log(np.abs(dual)) - 0.2 * ((x - u) ** 2).sum(1)
        p, q = (softmax(np.where(side, weight, -np.inf)) for side in (dual > 0, dual < 0))
        terms = sum(
            p[j] * q[k] * 2 * (u[j] - u[k]) * (x - (u[j] + u[k]) / 2)
            for j in np.flatnonzero(p > 1e-14)
            for k in np.flatnonzero(q > 1e-14)
        )
        np.testing.assert_allclose(out.relevance[b], 0.2 * terms, atol=1e-8)


def test_an_outlier_of_one_row_by_hand():
    """One row (0, 0) and h = 1: the score is (9 + 16)/2 + log 2π, of which the columns make 9/2 and 16/2."""
    module = dtd.neuralise(neighbors.KernelDensity(bandwidth=1.0).fit(np.zeros((1, 2))), "outlier")
    out, score = explained(module, [[3.0, 4.0]]), 12.5 + np.log(2 * np.pi)
    assert out.output.item() == pytest.approx(score)
    np.testing.assert_allclose(out.relevance, [[4.5, 8.0]])
    assert sum(record.balance.bias.item() for record in out.layers.values()) == pytest.approx(np.log(2 * np.pi))
    fixed = explained(module, [[3.0, 4.0]], plan=dtd.presets.neuralised("fixed"))
    np.testing.assert_allclose(fixed.relevance, [[score * 9 / 25, score * 16 / 25]])


def test_an_outlier_of_two_rows_by_hand():
    """Rows (0, 0) and (2, 0), seen from (1, 1): both are as near, and each gives its squares by half: 1/2 and 1/2."""
    module = dtd.neuralise(neighbors.KernelDensity(bandwidth=1.0).fit([[0.0, 0.0], [2.0, 0.0]]), "outlier")
    out = explained(module, [[1.0, 1.0]])
    assert out.output.item() == pytest.approx(1 + np.log(2 * np.pi))
    np.testing.assert_allclose(out.relevance, [[0.5, 0.5]])


def test_constants_are_not_distributed():
    with pytest.raises(dtd.InputError, match="constants.*'fixed' or 'neuron'"):
        dtd.presets.neuralised("distribute")


def test_nothing_of_scikit_learn_is_needed_to_import_dtd():
    code = "import sys, dtd; sys.exit(any(name.split('.')[0] == 'sklearn' for name in sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


def test_the_page_prints_what_it_says():
    page = (ROOT / "docs" / "neuralised.md").read_text(encoding="utf-8")
    (code,), (printed,) = (re.findall(rf"```{language}\n(.*?)```", page, re.DOTALL) for language in ("python", "text"))
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == printed
    assert f"tested for {len(FAMILY)} cases" in page
