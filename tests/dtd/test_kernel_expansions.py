"""Kernel expansions as layers: what each layer's domain, rules, roots and balance are, and where an intercept's share stays.

``Σ_j w_j e^{−γ‖x − u_j‖²} + b`` is written as a squared distance, a scale, an exponential and a dense layer.
"""

import numpy as np
import pytest
import torch
from scipy.special import logsumexp
from sklearn import datasets, svm
from sklearn.kernel_ridge import KernelRidge

import dtd
from dtd.relevance.default import default
from proofs.registry import PROOFS

X, Y = datasets.load_wine(return_X_y=True)
X = ((X - X.mean(0)) / X.std(0))[:, :4]
TWO, TARGET = (Y == 1).astype(int), X[:, 0] ** 2 - X[:, 1]
NEW = torch.tensor(X[::9] + 0.1)
KINDS = ["squared_distance", "scale", "exp", "dense"]


def parts_of(model):
    """Vectors, weights, intercept and γ of a fitted expansion."""
    if isinstance(model, KernelRidge):
        return model.X_fit_, model.dual_coef_, 0.0, model.gamma
    return model.support_vectors_, model.dual_coef_[0], model.intercept_[0], model._gamma


@pytest.fixture(params=["svr", "svc", "kernel ridge"])
def expansion(request):
    model = {"svr": svm.SVR(), "svc": svm.SVC(gamma=0.2), "kernel ridge": KernelRidge(kernel="rbf", gamma=0.3)}[
        request.param
    ]
    model.fit(X, TWO if request.param == "svc" else TARGET)
    return parts_of(model), dtd.neuralise(model)


def test_each_layer_has_a_domain_a_default_rule_and_an_explicit_one(expansion):
    _, module = expansion
    box = dtd.Box(-4.0, 4.0)
    network = dtd.trace(module, NEW, box)
    assert [layer.kind for layer in network.layers] == KINDS
    distance, _, kernel, dense = network.layers
    values, at = {}, NEW
    for layer in network.layers:
        assert bool(layer.domain.contains(at).all()) and bool(layer.image.contains(layer(at)).all())
        values[layer.kind] = at = layer(at)
    low, high = map(torch.as_tensor, kernel.image.bounds())
    assert 0 <= low.min() <= values["exp"].min() and values["exp"].max() <= high.max() <= 1 and dense.domain is kernel.image
    assert isinstance(default(distance.op), dtd.SphereRoot) and type(default(kernel.op)).__name__ == "Identity"
    plan = dtd.presets.neuralised()
    found, explicit = (dtd.explain(network, NEW, 0, each).relevance for each in (plan, plan.explicit()))
    torch.testing.assert_close(found, explicit)
    assert PROOFS["kernel_expansion"].reference and PROOFS["squared_distance"].reference


def test_relevance_is_the_kernels_shared_by_their_distances(expansion):
    """``Σ_j w_j K_j (x − u_j)_i²/‖x − u_j‖²`` by definition, and the intercept is kept back."""
    (u, w, b, gamma), module = expansion
    network = dtd.trace(module, NEW)
    out = dtd.explain(network, NEW, 0, dtd.presets.neuralised())
    squares = (NEW.numpy()[:, None] - u) ** 2
    kernel = w * np.exp(-gamma * squares.sum(-1))
    total = squares.sum(-1)
    shares = np.divide(squares, total[..., None], out=np.zeros_like(squares), where=total[..., None] > 0)
    np.testing.assert_allclose(out.relevance, (kernel[..., None] * shares).sum(1), atol=1e-9)
    np.testing.assert_allclose(out.layers[network.layers[-1].name].balance.bias, np.full(len(NEW), b), atol=1e-9)
    np.testing.assert_allclose(out.output[:, 0], kernel.sum(1) + b, atol=1e-9)


def test_the_audit_finds_a_root_at_every_centre_and_none_of_the_exponential(expansion):
    (u, *_), module = expansion
    network = dtd.trace(module, NEW)
    rows = dtd.audit(network, NEW, 0, dtd.presets.neuralised()).set_index("kind")
    assert list(rows.index) == KINDS and rows.model["exp"] == "Identity"
    assert rows[["units", "valid", "distance"]].isna().loc["exp"].all()  # what an exponential passes has no point
    assert rows["first"]["exp"] == pytest.approx(rows.relevance["exp"])
    apart = torch.cdist(NEW, torch.tensor(u))
    assert rows.valid["squared_distance"] == pytest.approx((apart > 0).double().mean().item())
    assert rows.distance["squared_distance"] == pytest.approx(apart[apart > 0].median().item(), rel=0.02)
    assert (rows.gap.abs() < 1e-9).all()


def test_one_kernel_and_two_by_hand():
    """γ = ¼ at (3, 4): from (0, 0) the kernel is e^{−25/4}, by 9/25 and 16/25; from (3, 0) e^{−4}, all the second's."""
    model = KernelRidge(kernel="rbf", gamma=0.25).fit(np.array([[0.0, 0.0]]), [1.0])
    x = torch.tensor([[3.0, 4.0]], dtype=torch.double)
    for rows, weights in (([[0.0, 0.0]], [2.0]), ([[0.0, 0.0], [3.0, 0.0]], [2.0, -1.0])):
        model.X_fit_, model.dual_coef_ = np.array(rows), np.array(weights)
        out = dtd.explain(dtd.trace(dtd.neuralise(model), x), x, 0, dtd.presets.neuralised())
        far = 2 * np.exp(-6.25)
        near = -np.exp(-4.0) if len(rows) == 2 else 0.0
        np.testing.assert_allclose(out.relevance, [[far * 9 / 25, far * 16 / 25 + near]])


@pytest.mark.parametrize("shift", [0.0, 0.4, -0.4])
def test_the_intercept_of_a_log_ratio_keeps_its_share_of_its_side(shift):
    """Its term is ``|b|`` beside the kernels: of its side's logarithm S it keeps ``p_b S`` back, the rest arrives."""
    model = svm.SVC(gamma=0.2).fit(X, TWO)
    model.intercept_[:] = model._intercept_[:] = shift
    network = dtd.trace(dtd.neuralise(model, "log_ratio"), NEW)
    out = dtd.explain(network, NEW, 0, dtd.presets.neuralised("fixed"))
    u, w = model.support_vectors_, model.dual_coef_[0]
    squares = (NEW.numpy()[:, None] - u) ** 2
    expected, kept = np.zeros((len(NEW), 4)), np.zeros(len(NEW))
    for sign in (1, -1):
        on = sign * w > 0
        log = np.log(sign * w[on]) - 0.2 * squares[:, on].sum(-1)
        constant = np.full((len(NEW), 1), np.log(sign * shift) if sign * shift > 0 else -np.inf)
        side = logsumexp(np.concatenate([log, constant], 1), axis=1)
        p = np.exp(log - side[:, None])
        shares = squares[:, on] / squares[:, on].sum(-1, keepdims=True)
        expected += sign * side[:, None] * (p[..., None] * shares).sum(1)
        kept += sign * side * np.exp(constant[:, 0] - side)
    np.testing.assert_allclose(out.relevance, expected, atol=1e-9)
    np.testing.assert_allclose(out.output[:, 0] - out.relevance.sum(1), kept, atol=1e-9)
    stays = [record.balance.bias + record.balance.zeroth for record in out.layers.values()]
    np.testing.assert_allclose(torch.stack(stays).sum(0), kept, atol=1e-9)
    assert (np.abs(kept).max() > 0.01) == (shift != 0)
