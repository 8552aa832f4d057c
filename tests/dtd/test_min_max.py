"""The min-max relevance model: its terms against autograd at the hidden units' roots, its fit, and its file."""

import pytest
import torch
from torch import nn

import dtd
from dtd.estimate.min_max import Training
from dtd.explaining.observe import observe
from dtd.relevance.min_max import MinMax, load
from tests.tolerance import RELATIVE


@pytest.fixture(scope="module")
def fitted():
    """A small network with non-positive biases, its inputs, and models that were fitted in a moment."""
    generator = torch.Generator().manual_seed(0)
    model = nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 5), nn.ReLU(), nn.Linear(5, 1)).double().eval()
    x = torch.rand(600, 6, dtype=torch.double, generator=generator)
    with torch.no_grad():
        for layer in model[::2]:
            layer.weight.normal_(0.2, 0.6, generator=generator)
            layer.bias.uniform_(-0.2, 0, generator=generator)
        model[4].weight.abs_()
        model[4].bias.zero_()
    network = dtd.trace(model, x, domain=dtd.Box(0.0, 1.0))
    return network, x, dtd.fit_min_max(network, [x[:300], x[300:]], 0, dtd.presets.deep_taylor_2017(), Training(steps=300))


def test_terms_are_the_hidden_units_expansions_at_their_roots(fitted):
    """Each hidden unit ``max(0, a·v + d)`` at its root on the z^B ray, expanded by autograd just inside its region."""
    network, x, found = fitted
    model, a = found.models["0"], x[:7]
    out = dtd.explain(network, a, 0, found.plan(dtd.presets.deep_taylor_2017()))
    above = dtd.explain(network, a, 0, found.plan(dtd.presets.deep_taylor_2017())).layers["2"]
    upper = arrived(network, a, found, "2")
    d = (torch.einsum("bl,kpl->bkp", upper, model.u) + model.e).clamp(max=0)
    expected = torch.zeros_like(a)
    for k in range(model.v.shape[0]):
        for p in range(model.v.shape[1]):
            v, bias = model.v[k, p], d[:, k, p]
            way = a * (v != 0) - 1.0 * (v < 0)
            t = (a @ v + bias) / (way @ v)
            active = a @ v + bias > 0
            inside = (a - 0.999 * t[:, None] * way).requires_grad_()
            (slope,) = torch.autograd.grad(torch.relu(inside @ v + bias).sum(), inside)
            expected += torch.where(active[:, None], slope * t[:, None] * way, 0.0)
            root = a - t[:, None] * way
            assert bool(((root > -1e-9) & (root < 1 + 1e-9)).all(1)[active].all())
    torch.testing.assert_close(out.relevance, expected, rtol=1e-9, atol=RELATIVE[torch.float64])
    predicted = model.hidden(a, upper).sum((1, 2))
    torch.testing.assert_close(out.layers["0"].balance.first, predicted, rtol=1e-9, atol=1e-12)
    torch.testing.assert_close(out.layers["0"].balance.remainder, out.layers["0"].balance.relevance - predicted)
    assert above.balance.gap.abs().max() < 1e-12 and bool((out.relevance >= 0).all())


def arrived(network, x, found, name):
    """The relevance of a layer's output."""
    seen = observe(network, x, torch.clone, found.plan(dtd.presets.deep_taylor_2017())).arrived
    return seen[[layer.name for layer in network.layers].index(name)]


def test_training_explains_relevance_that_it_has_not_seen(fitted):
    network, x, found = fitted
    assert list(found.fit.layer) == ["0", "2"] and list(found.fit.units) == [8, 5]
    assert (found.fit.r2_test > 0.7).all()
    untrained = dtd.fit_min_max(network, [x], 0, dtd.presets.deep_taylor_2017(), Training(steps=0))
    assert (untrained.fit.r2_test < found.fit.r2_test - 0.1).all()
    for name, model in found.models.items():
        upper = arrived(network, x, found, {"0": "2", "2": "4"}[name])
        d = torch.einsum("bl,kpl->bkp", upper, model.u) + model.e
        assert d.clamp(max=0).std(0).max() > 0, "no bias depends on the relevance above"


def test_a_file_brings_the_models_back(fitted, tmp_path):
    network, x, found = fitted
    found.save(tmp_path / "models.pt")
    entries = [(name, load(tmp_path / "models.pt", name)) for name in found.models]
    plan = dtd.Plan([*entries, *dtd.Plan([(dtd.where.last, dtd.rules.choose("zplus"))]).entries])
    again = dtd.explain(network, x[:5], 0, plan).relevance
    direct = dtd.explain(network, x[:5], 0, found.plan(dtd.presets.deep_taylor_2017())).relevance
    torch.testing.assert_close(again, direct, rtol=1e-12, atol=1e-14)
    with pytest.raises(dtd.InputError, match="has no min-max model for layer '4'; it has 0, 2"):
        load(tmp_path / "models.pt", "4")


def test_an_audit_shows_the_misfit(fitted):
    network, x, found = fitted
    rows = dtd.audit(network, x[:9], 0, found.plan(dtd.presets.deep_taylor_2017())).set_index("layer")
    assert list(rows.model[rows.kind == "dense"]) == ["MinMax", "MinMax", "Linear"] and (rows.gap < 1e-12).all()
    assert abs(rows.remainder["2"]) > 1e-6 and abs(rows.remainder["4"]) < 1e-12


def test_what_does_not_fit_is_refused(fitted):
    network, x, found = fitted
    with pytest.raises(dtd.InputError, match="'batches' is read several times"):
        dtd.fit_min_max(network, iter([x]), 0, dtd.presets.deep_taylor_2017())
    with pytest.raises(dtd.InputError, match="the network has none"):
        dtd.fit_min_max(dtd.trace(nn.Linear(6, 2).double(), x), [x], 0, dtd.Plan.uniform("lrp0"))
    with pytest.raises(dtd.PlanError, match="not defined for layer '2'"):
        dtd.explain(network, x, 0, dtd.Plan([("*", found.models["0"])]))
    with pytest.raises(dtd.InputError, match="'4' is the last. Its relevance is the output itself"):
        last = MinMax(torch.zeros(1, 1, 5).double(), torch.zeros(1, 1, 1).double(), torch.zeros(1, 1).double())
        dtd.explain(network, x, 0, dtd.Plan([("4", last), ("*", dtd.rules.choose("zplus"))]))
    with pytest.raises(dtd.InputError, match="depends on 2 relevances above; layer '2' has 5 units"):
        model = found.models["0"]
        narrow = MinMax(model.v, model.u[..., :2], model.e)
        dtd.explain(network, x, 0, dtd.Plan([("0", narrow), ("*", dtd.rules.choose("zplus"))]))
    with pytest.raises(dtd.InputError, match="'held_out' must be between 0 and 1, and neither; found 0"):
        Training(held_out=0)
