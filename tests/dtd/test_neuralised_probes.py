"""Estimators whose settings change their score: the module is held against scikit-learn on rows of its own."""

import numpy as np
import pytest
import torch
from sklearn.compose import ColumnTransformer
from sklearn.kernel_ridge import KernelRidge
from sklearn.linear_model import LinearRegression, RidgeClassifier
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, OneHotEncoder, StandardScaler

import dtd

ROWS = np.random.default_rng(0).random((30, 3)) + 0.5
PROBES = np.random.default_rng(1).random((5, 3)) + 0.5
Y = ROWS @ [2.0, -1.0, 0.5] + 3
POINT = torch.tensor([[12.0, 3.0]], dtype=torch.double)
TABLE = np.array([[10.0, 1.0], [12.0, 3.0], [14.0, 2.0], [16.0, 5.0]])


def module_at(estimator, rows=PROBES):
    module = dtd.neuralise(estimator)
    return module(module.encode(rows)).detach().numpy().squeeze(1)


def test_branches_of_a_column_transformer_have_weights():
    parts = [("scaled", StandardScaler(), [0, 1]), ("kept", "passthrough", [2])]
    joined = ColumnTransformer(parts, transformer_weights={"scaled": 3.0, "kept": 0.5})
    model = make_pipeline(joined, LinearRegression()).fit(ROWS, np.sin(Y))
    np.testing.assert_allclose(module_at(model), model.predict(PROBES), atol=1e-10)


def test_a_kernel_of_a_degree_that_is_no_integer():
    model = KernelRidge(kernel="poly", degree=2.5, gamma=1.0).fit(ROWS, Y)
    np.testing.assert_allclose(module_at(model), model.predict(PROBES), rtol=1e-8)


def test_a_classifier_of_two_classes_by_ridge_regression():
    model = RidgeClassifier().fit(ROWS, Y > np.median(Y))
    np.testing.assert_allclose(module_at(model), model.decision_function(PROBES), atol=1e-10)


def test_the_poisson_loss_is_explained_on_the_logarithm():
    try:
        model = MLPRegressor((4,), loss="poisson", max_iter=20, random_state=0).fit(ROWS, Y)
    except TypeError:
        pytest.skip("this scikit-learn has no Poisson loss")
    assert dtd.neuralise(model).score == "log-prediction"
    np.testing.assert_allclose(module_at(model), np.log(model.predict(PROBES)), atol=1e-10)


def test_several_outputs_and_joined_categories_are_refused():
    with pytest.raises(dtd.InputError, match="several outputs"):
        dtd.neuralise(KNeighborsClassifier(1).fit(ROWS, np.stack([Y > 4, Y > 5], 1)))
    letters = np.array([["a"], ["b"], ["c"], ["a"]])
    encoder = make_pipeline(OneHotEncoder(max_categories=2, sparse_output=False), LinearRegression())
    with pytest.raises(dtd.InputError, match="max_categories"):
        dtd.neuralise(encoder.fit(letters, [0.0, 1.0, 2.0, 3.0]))


@pytest.mark.parametrize("scaler", [StandardScaler, MinMaxScaler])
def test_a_reference_behind_a_scaler_is_refused_and_its_advice_works(scaler):
    model = make_pipeline(scaler(), LinearRegression()).fit(TABLE, TABLE @ [2.0, 1.0])
    module = dtd.neuralise(model)
    network, mean = dtd.trace(module, POINT), torch.tensor(TABLE.mean(0))
    with pytest.raises(dtd.PlanError, match="reads what other layers") as refused:
        dtd.explain(network, POINT, 0, dtd.presets.neuralised(reference=mean))
    layer = next(each.name for each in network.layers if f"Plan([('{each.name}'" in str(refused.value))
    scaled = torch.tensor(model[0].transform(mean[None].numpy()))
    plan = dtd.Plan([(layer, dtd.Generic(scaled, at="reference")), *dtd.presets.neuralised("fixed").entries])
    out = dtd.explain(network, POINT, 0, plan)
    received = torch.tensor(model[0].transform(POINT.numpy())) - scaled
    shares = torch.tensor(model[1].coef_) * received
    torch.testing.assert_close(out.layers[layer].balance.first, shares.sum(1))
