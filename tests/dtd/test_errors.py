"""Bad input: a defined result, or an error that says what was required, found and to do."""

from copy import deepcopy

import pandas as pd
import pytest
import torch
from torch import nn
from torch.nn import functional as F

import dtd


def mlp(dtype=torch.double):
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(4, 5), nn.ReLU(), nn.Linear(5, 3)).to(dtype).eval()


@pytest.fixture
def network():
    return dtd.trace(mlp(), torch.rand(2, 4, dtype=torch.double), domain=dtd.Box(-1.0, 1.0))


PLAN = dtd.Plan.uniform("zplus_signed")


def rand(*shape):
    return torch.rand(*shape, dtype=torch.double)


class Spectrum(nn.Module):
    def forward(self, x):
        return torch.fft.rfft(x).real


class Filtered(nn.Module):
    """Complex numbers have slopes: they are not held constant, although torch does not call them floating-point."""

    def forward(self, x):
        return x + torch.fft.irfft(torch.fft.rfft(x) * 0.5, n=x.shape[-1])


class Branch(nn.Module):
    def forward(self, x):
        return x if x.sum() > 0 else -x


class FixedBatch(nn.Module):
    def forward(self, x):
        return x.reshape(2, 2)


class Mixing(nn.Module):
    def forward(self, x):
        return x.flip(0)


class OverSamples(nn.Module):
    def forward(self, x):
        return torch.softmax(x, 0)


class Attention(nn.Module):
    def forward(self, x):
        x = x[:, None, :, None]
        return F.scaled_dot_product_attention(x, x, x, dropout_p=0.5)


@pytest.mark.parametrize(
    ("model", "match"),
    [
        (Spectrum(), "_fft_r2c.*opaque="),
        (Filtered(), "_fft_r2c.*opaque="),
        (OverSamples(), "aten.softmax.*mixes samples"),
        (Attention(), "aten.scaled_dot_product_attention.*no dropout"),
        (Mixing(), "aten.flip.*mixes samples"),
        (nn.Sequential(nn.Linear(2, 2), Spectrum()), "_fft_r2c.*in module '1'"),
    ],
)
def test_unsupported_ops_are_named_with_their_module_when_tracing(model, match):
    with pytest.raises(dtd.UnsupportedOp, match=match):
        dtd.trace(model, torch.rand(3, 2))


@pytest.mark.parametrize("model", [nn.Sequential(nn.Linear(4, 4), nn.Dropout()), nn.BatchNorm1d(4)])
def test_training_mode_is_refused(model):
    with pytest.raises(dtd.UnsupportedOp, match="call model.eval"):
        dtd.trace(model.train(), torch.rand(3, 4))


@pytest.mark.parametrize("model", [Branch(), FixedBatch()])
def test_models_that_are_no_graph_with_a_free_batch_are_refused(model):
    with pytest.raises(dtd.TraceError, match="free batch size"):
        dtd.trace(model, torch.rand(2, 2))


def test_complex_inputs_are_refused():
    with pytest.raises(dtd.InputError, match="float32 or float64.*complex64"):
        dtd.trace(mlp(torch.float), torch.rand(2, 4, dtype=torch.complex64))


def test_a_model_in_quarter_precision_is_refused_with_an_advice_that_works():
    model = nn.Sequential(nn.Embedding(7, 4), nn.Flatten(), nn.Linear(12, 2)).eval().to(torch.float8_e4m3fn)
    ids = torch.tensor([[1, 2, 6], [0, 5, 3]])
    with pytest.raises(dtd.InputError, match=r"'0\.weight' of the model is in .*copy.deepcopy\(model\).float\(\)"):
        dtd.trace(model, ids)
    copied = deepcopy(model).float()
    assert dtd.explain(dtd.trace(copied, ids), ids, 0, PLAN).relevance.isfinite().all()
    assert all(value.dtype == torch.float8_e4m3fn for value in model.parameters())


@pytest.mark.parametrize(
    ("x", "match"),
    [
        (rand(4), r"must have shape \(B, 4\)"),
        (rand(2, 5), r"must have shape \(B, 4\); found \(2, 5\)"),
        (torch.rand(2, 4), "torch.float64.*found torch.float32"),
        (torch.full((1, 4), torch.nan, dtype=torch.double), "finite; found NaN or infinity"),
        (torch.full((1, 4), torch.inf, dtype=torch.double), "finite; found NaN or infinity"),
        (rand(2, 4) + 3, r"needs values in Box\[-1, 1\]; found values from 3"),
    ],
)
def test_inputs_that_do_not_fit(network, x, match):
    with pytest.raises(dtd.DTDError, match=match):
        dtd.explain(network, x, 0, PLAN)


@pytest.mark.parametrize(
    ("target", "match"),
    [
        (3, "class from 0 to 2; found 3"),
        (torch.tensor([0, 1, 2]), r"one for each of the 2 samples; found a tensor of shape \(3,\)"),
        (rand(2, 2), r"shape \(2, 3\); found \(2, 2\)"),
        (lambda y: y[:, 0], r"must return initial relevance of shape \(2, 3\); found \(2,\)"),
        (torch.full((2, 3), torch.nan), "Initial relevance must be finite"),
    ],
)
def test_targets_that_do_not_fit(network, target, match):
    with pytest.raises(dtd.DTDError, match=match):
        dtd.explain(network, rand(2, 4), target, PLAN)


def test_targets_that_fit_agree(network):
    x = rand(2, 4)
    one = dtd.explain(network, x, 1, PLAN)
    onehot = torch.tensor([[0.0, 1.0, 0.0]], dtype=torch.double)
    for target in (torch.tensor([1, 1]), torch.tensor(1), [1, 1], lambda y: y * onehot, one.initial):
        assert torch.equal(dtd.explain(network, x, target, PLAN).relevance, one.relevance)


def test_non_finite_weights_are_named():
    model = mlp()
    with torch.no_grad():
        model[2].weight[0, 0] = torch.nan
    with pytest.raises(dtd.NonFiniteError, match=r"'2.weight' holds NaN"):
        dtd.trace(model, rand(2, 4))


def test_overflow_names_the_layer():
    model = nn.Linear(2, 1, bias=False).double()
    with torch.no_grad():
        model.weight.copy_(torch.tensor([[1.0, -1.0]]))
    network = dtd.trace(model, rand(2, 2))
    x = torch.tensor([[1e300, 1e300 * (1 - 1e-15)]], dtype=torch.double)
    with pytest.raises(dtd.NonFiniteError, match="Relevance overflows at layer 'dense'"):
        dtd.explain(network, x, torch.tensor([[1e300]], dtype=torch.double), dtd.Plan.uniform("lrp0"))


@pytest.mark.parametrize("batch", [0, 1])
def test_batches_of_one_and_none(network, batch):
    out = dtd.explain(network, rand(batch, 4), 0, PLAN)
    assert out.relevance.shape == (batch, 4) and out.conservation().shape == (batch,)
    assert out.layers["0"].balance.gap.shape == (batch,)
    rows = dtd.audit(network, rand(batch, 4), 0, PLAN)
    with_roots = rows[rows.root != ""]
    assert len(rows) == 3 and len(with_roots) == 2 and (batch or with_roots.units.eq(0).all())


def test_batches_do_not_mix(network):
    x = rand(5, 4)
    together = dtd.explain(network, x, 0, PLAN).relevance
    apart = torch.cat([dtd.explain(network, x[i : i + 1], 0, PLAN).relevance for i in range(5)])
    torch.testing.assert_close(together, apart, rtol=1e-12, atol=1e-14)


def test_non_contiguous_inputs():
    model = nn.Conv2d(2, 3, 3).double()
    network = dtd.trace(model, rand(2, 2, 5, 5))
    x = rand(2, 5, 5, 2).permute(0, 3, 1, 2)
    plan = dtd.Plan.uniform("lrp0")
    a = dtd.explain(network, x, lambda y: y, plan).relevance
    b = dtd.explain(network, x.contiguous(), lambda y: y, plan).relevance
    torch.testing.assert_close(a, b, rtol=1e-12, atol=1e-14)


def test_plans_must_cover_and_match(network):
    with pytest.raises(dtd.PlanError, match=r"No entry of the plan speaks for 2 \(dense, receives NonNegative\)"):
        dtd.Plan([("0", dtd.rules.choose("lrp0"))]).bind(network)
    with pytest.raises(dtd.PlanError, match=r"match no layer: name\('conv"):
        dtd.Plan([("conv*", dtd.rules.choose("lrp0")), (dtd.where.every, dtd.rules.choose("lrp0"))]).bind(network)
    with pytest.raises(dtd.InputError, match="No rule 'gama'; the catalogue has lrp0, epsilon, gamma"):
        dtd.Plan.uniform("gama")
    with pytest.raises(dtd.PlanError, match="model must be a relevance model"):
        dtd.Plan([("*", "gamma")])
    with pytest.raises(dtd.PlanError, match="explicit form"):
        dtd.Plan([("*", dtd.Ray(dtd.Activations()))]).explicit()
    with pytest.raises(dtd.PlanError, match="explicit rule"):
        dtd.audit(network, rand(1, 4), 0, PLAN.explicit())


def test_preconditions_are_checked_where_they_are_used(network):
    with pytest.raises(dtd.DomainError, match="ZPlus at layer '0' needs values in NonNegative; found values from -1"):
        dtd.explain(network, -torch.ones(1, 4, dtype=torch.double), 0, dtd.Plan.uniform("zplus"))
    with pytest.raises(dtd.DomainError, match=r"z\^B needs a box; the layer's inferred domain is NonNegative"):
        dtd.explain(network, rand(1, 4), 0, dtd.Plan.uniform("zbox"))
    with pytest.raises(dtd.DomainError, match=r"low <= high"):
        dtd.Box(1.0, 0.0)
    with pytest.raises(dtd.InputError, match="'gamma' must be >= 0"):
        dtd.explain(network, rand(1, 4), 0, dtd.Plan.uniform("gamma", gamma=-1.0))
    with pytest.raises(dtd.InputError, match="'bias' must be one of fixed, neuron, distribute"):
        dtd.explain(network, rand(1, 4), 0, dtd.Plan.uniform("gamma", bias="zero"))
    with pytest.raises(dtd.InputError, match="'alpha - beta' must be 1"):
        dtd.explain(network, rand(1, 4), 0, dtd.Plan.uniform("alphabeta", alpha=2.0, beta=0.5))


def test_memory_bound_of_the_audit(network):
    x = rand(3, 4)
    small = dtd.audit(network, x, 0, PLAN, memory=2000)
    large = dtd.audit(network, x, 0, PLAN)
    pd.testing.assert_frame_equal(small, large, rtol=1e-12)
    with pytest.raises(dtd.BudgetError, match="memory bound is 100"):
        dtd.audit(network, x, 0, PLAN, memory=100)


def test_a_preset_that_was_not_called_is_named(network):
    with pytest.raises(dtd.PlanError, match=r"presets are functions: call them"):
        dtd.explain(network, rand(1, 4), 0, dtd.presets.epsilon_plus)


@pytest.mark.parametrize(
    "ask", [dtd.explain, dtd.audit, dtd.root_regions, lambda n, x, y, plan: next(dtd.explain_each(n, x, [y], plan))]
)
def test_a_model_that_was_not_traced_and_what_is_no_plan_are_named(network, ask):
    with pytest.raises(dtd.InputError, match=r"'network' must come from dtd.trace.*; found Sequential"):
        ask(mlp(), rand(1, 4), 0, PLAN)
    with pytest.raises(dtd.PlanError, match="'plan' must be a dtd.Plan .*; found str"):
        ask(network, rand(1, 4), 0, "gamma")


def test_a_domain_that_is_none_is_refused():
    with pytest.raises(dtd.DomainError, match=r"'domain' must be a dtd.Box.*; found 'box'"):
        dtd.trace(mlp(), rand(2, 4), domain="box")
