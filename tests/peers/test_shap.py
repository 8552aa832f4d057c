"""shap's exact explainer of linear models: equal to the expansion at the mean, column by column."""

import numpy as np
import pytest
import torch
from sklearn import datasets, discriminant_analysis, linear_model, svm

import dtd

shap = pytest.importorskip("shap")
pytestmark = pytest.mark.peers

X, Y = datasets.load_wine(return_X_y=True)
X = ((X - X.mean(0)) / X.std(0))[:, :6] + 0.3
TWO, TARGET, NEW = (Y == 1).astype(int), X[:, 0] * X[:, 1] - X[:, 2], X[::7] + 0.1
MODELS = {
    "linear": (linear_model.LinearRegression(), TARGET),
    "ridge": (linear_model.Ridge(), TARGET),
    "lasso": (linear_model.Lasso(0.1), TARGET),
    "logistic": (linear_model.LogisticRegression(), TWO),
    "linear svc": (svm.LinearSVC(), TWO),
    "ridge classifier": (linear_model.RidgeClassifier(), TWO),
    "lda": (discriminant_analysis.LinearDiscriminantAnalysis(), TWO),
    "logistic, three": (linear_model.LogisticRegression(), Y),
}


@pytest.mark.parametrize("name", MODELS)
def test_relevance_at_the_mean_is_shaps_exact_values(name):
    estimator, y = MODELS[name]
    fitted = estimator.fit(X, y)
    module = dtd.neuralise(fitted)
    x, mean = module.encode(NEW), torch.tensor(X.mean(0))[None]
    background = shap.maskers.Independent(X, max_samples=len(X))
    several = len(module.outputs) > 1
    weights = fitted.coef_ if several else np.ravel(fitted.coef_)
    explained = shap.LinearExplainer((weights, fitted.intercept_ if several else np.ravel(fitted.intercept_)[0]), background)
    expected = explained(NEW)
    network = dtd.trace(module, x)
    for target in range(len(module.outputs)):
        out = dtd.explain(network, x, target, dtd.presets.neuralised(reference=mean))
        values = expected.values[..., target] if several else expected.values
        np.testing.assert_allclose(out.relevance, values, atol=1e-10)
        (record,) = out.layers.values()
        base = expected.base_values[..., target] if several else expected.base_values
        np.testing.assert_allclose(record.balance.zeroth, np.broadcast_to(base, len(NEW)), atol=1e-10)
