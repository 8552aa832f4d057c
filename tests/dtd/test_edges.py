"""Corners where a pass, a root or a trace once went wrong, or easily could."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

import dtd
from dtd.plans.rules import choose


def dense(weight, bias=0.0):
    model = nn.Linear(len(weight[0]), len(weight)).double().eval()
    with torch.no_grad():
        model.weight.copy_(torch.tensor(weight, dtype=torch.double))
        model.bias.fill_(bias)
    return model


def row(*values):
    return torch.tensor([values], dtype=torch.double)


def same(y):
    return y


@pytest.mark.parametrize(
    "parts",
    [
        (dtd.Ray(dtd.Activations(), "neuron"), dtd.Ray(dtd.Activations(), "fixed")),
        (dtd.Ray(dtd.Activations(), "neuron"), dtd.Reference(0.2)),
        (dtd.Ray(dtd.Activations(), "neuron"), dtd.Ray(dtd.ToBox(0.0, 2.0))),
    ],
)
def test_mixes_of_bias_conventions_balance(parts):
    network = dtd.trace(dense([[1.0, 2.0]], 3.0), row(1, 1))
    plan = dtd.Plan([("*", dtd.Mix(tuple((0.5, part) for part in parts)))])
    out = dtd.explain(network, row(1, 1), 0, plan)
    audited = dtd.audit(network, row(1, 1), 0, plan)
    assert out.layers["dense"].balance.gap.abs().max() < 1e-12
    assert abs(audited["first"][0] - out.relevance.sum().item()) < 1e-12


@pytest.mark.parametrize("module", [nn.ConvTranspose1d(1, 1, 1, stride=2), nn.Conv1d(1, 1, 1, padding=1)])
def test_a_unit_that_reads_padding_alone_keeps_its_bias_share(module):
    module = module.double()
    with torch.no_grad():
        module.weight.fill_(1.0), module.bias.fill_(1.0)
    x = torch.ones(1, 1, 2, dtype=torch.double)
    network = dtd.trace(module, x)
    plan = dtd.Plan.uniform("lrp0", bias="distribute")
    for chosen in (plan, plan.explicit()):
        (record,) = dtd.explain(network, x, same, chosen).layers.values()
        alone = record.layer.op.out_shape[1] - 2
        assert record.balance.gap.abs().max() < 1e-12 and record.balance.bias.item() == pytest.approx(alone if alone else 0)
    assert dtd.audit(network, x, same, plan)["gap"].max() < 1e-12


def test_a_reference_that_is_a_root_is_read_alike_by_both_readings():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(1, 8, 3), nn.ReLU()).double().eval()
    with torch.no_grad():
        model[0].bias.copy_(-(model[0].weight * 0.5).sum((1, 2, 3)))
    x = torch.rand(2, 1, 9, 9, dtype=torch.double)
    network, plan = dtd.trace(model, x), dtd.Plan([("*", dtd.Reference(0.5))])
    balance = dtd.explain(network, x, same, plan).layers["0"].balance
    rows = dtd.audit(network, x, same, plan)
    assert rows.valid[0] == 1.0
    assert balance.first.sum().item() == pytest.approx(rows["first"][0], rel=1e-9)
    assert abs(balance.remainder.sum().item()) < 1e-9 * balance.relevance.sum().item()


def test_numbers_as_bounds_are_not_rounded_to_single_precision():
    class Flipped(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc = dense([[-1.0, 1.0]], 0.4)

        def forward(self, x):
            return self.fc(x.flip(1))

    network = dtd.trace(Flipped(), row(0.5, 0.7), domain=dtd.Box(0.0, 0.7))
    assert network["fc"].domain.bounds() == (0.0, 0.7)
    with pytest.raises(dtd.DomainError, match="low <= high"):
        dtd.Box(1 + 1e-9, 1.0)
    with pytest.raises(dtd.DomainError, match="use NonNegative"):
        dtd.Box(0.0, float("inf"))


def change_in_place(model):
    with torch.no_grad():
        model[0].weight.neg_()


def change_state(model):
    model.load_state_dict({key: -value for key, value in model.state_dict().items()}, assign=True)


def change_parameter(model):
    model[0].weight = nn.Parameter(-model[0].weight.detach())


def change_module(model):
    torch.manual_seed(9)
    model[0] = nn.Linear(3, 3).double()


@pytest.mark.parametrize("change", [change_in_place, change_state, change_parameter, change_module])
def test_every_change_of_the_model_is_followed(change):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 3), nn.ReLU(), nn.Linear(3, 2)).double().eval()
    x, plan = torch.rand(2, 3, dtype=torch.double), dtd.Plan.uniform("gamma")
    network = dtd.trace(model, x)
    dtd.explain(network, x, 0, plan)
    change(model)
    fresh = dtd.explain(dtd.trace(model, x), x, 0, plan)
    assert torch.equal(dtd.explain(network, x, 0, plan).relevance, fresh.relevance)


def test_conversion_and_refresh():
    model = nn.Sequential(nn.Linear(3, 3), nn.BatchNorm1d(3)).eval()
    network = dtd.trace(model, torch.rand(2, 3))
    model.double()
    model[1].running_mean.fill_(5.0)
    x = torch.rand(2, 3, dtype=torch.double)
    torch.testing.assert_close(dtd.explain(network, x, 0, dtd.Plan.uniform("lrp0")).output, model(x).detach())
    model[1].running_mean.data.fill_(1.0)
    network.refresh()
    torch.testing.assert_close(dtd.explain(network, x, 0, dtd.Plan.uniform("lrp0")).output, model(x).detach())


def test_normalisation_inside_the_model_passes_the_relevance_of_zero_pixels():
    class Normalised(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc = dense([[1.0, -2.0, 0.5]])

        def forward(self, x):
            return self.fc((x - 0.13) / 0.31)

    x = row(0, 0, 0)
    plan = dtd.Plan.uniform("wsquare")
    for chosen in (plan, plan.explicit()):
        assert dtd.explain(dtd.trace(Normalised(), x), x, 0, chosen).conservation().item() == pytest.approx(1.0)


def test_a_root_that_rounding_cannot_tell_from_none_is_not_valid():
    network = dtd.trace(dense([[0.1, 0.2, -0.3]], 0.5), row(1, 1, 1))
    rows = dtd.audit(network, row(1, 1, 1), 0, dtd.Plan.uniform("lrp0"))
    assert rows.valid[0] == 0.0 and rows.not_zero[0] == 1.0


def test_single_precision_does_not_call_a_damped_point_a_root():
    torch.manual_seed(0)
    model, x = nn.Linear(4096, 10), torch.rand(1, 4096)
    plan = dtd.Plan.uniform("epsilon", epsilon=1e-2)
    rows = dtd.audit(dtd.trace(model, x, domain=dtd.NonNegative()), x, same, plan)
    assert rows.valid[0] == 0.0 and rows.not_zero[0] == 1.0


def test_overflow_behind_a_bounded_function_is_an_error():
    model = nn.Sequential(nn.Linear(2, 1, bias=False), nn.Tanh()).double()
    with torch.no_grad():
        model[0].weight.fill_(1e308)
    with pytest.raises(dtd.NonFiniteError, match="layer '0'.*pre-activations are not finite"):
        dtd.explain(dtd.trace(model, row(1, 1)), row(1, 1), 0, dtd.Plan.uniform("lrp0"))


def test_infinite_padding_before_max_pooling():
    class Padded(nn.Module):
        def forward(self, x):
            return F.max_pool1d(F.pad(x, (1, 1), value=float("-inf")), 3, 1)

    x = torch.tensor([[[1.0, 2.0]]], dtype=torch.double)
    out = dtd.explain(dtd.trace(Padded(), x), x, same, dtd.Plan([]))
    assert out.relevance.tolist() == [[[0.0, 4.0]]]


def test_tied_weights_trace():
    model = nn.Sequential(nn.Linear(3, 3), nn.ReLU(), nn.Linear(3, 3)).double().eval()
    model[2].weight = model[0].weight
    x = torch.rand(2, 3, dtype=torch.double)
    out = dtd.explain(dtd.trace(model, x), x, 0, dtd.Plan.uniform("lrp0"))
    torch.testing.assert_close(out.output, model(x).detach())


class ByBatch(nn.Module):
    def forward(self, x):
        return x / x.shape[0]


class Noise(nn.Module):
    def forward(self, x):
        return x + torch.randn(3)


class ByZero(nn.Module):
    def forward(self, x):
        return x / 0


@pytest.mark.parametrize(
    ("model", "error", "match"),
    [
        (ByBatch(), dtd.TraceError, "depends on values or on the batch size"),
        (Noise(), dtd.UnsupportedOp, "random numbers"),
        (ByZero(), dtd.NonFiniteError, "A constant of 'aten.div"),
    ],
)
def test_what_has_no_reading_is_an_error(model, error, match):
    with pytest.raises(error, match=match):
        dtd.trace(model, torch.rand(2, 3))


def test_conversions_that_change_nothing_are_passed():
    class Same(nn.Module):
        def forward(self, x):
            return x.to(x.dtype).double() * 2

    x = row(1, 2)
    assert dtd.explain(dtd.trace(Same(), x), x, same, dtd.Plan([])).relevance.tolist() == [[2.0, 4.0]]


@pytest.mark.parametrize(
    ("rule", "parameters", "match"),
    [
        ("pattern", {}, "Rule 'pattern' needs 'pattern'"),
        ("epsilon", {"epsilon": -0.5}, ">= 0"),
        ("pattern", {"pattern": torch.ones(2)}, r"weight shape \(1, 2\); found \(2,\)"),
        ("zplus", {}, "needs values in NonNegative"),
        ("zbox", {"low": 0.0, "high": 0.5}, r"needs values in Box\[0, 0.5\]"),
    ],
)
@pytest.mark.parametrize("explicit", [False, True])
def test_parameters_and_preconditions_are_the_same_for_both_readings(rule, parameters, match, explicit):
    network, x = dtd.trace(dense([[1.0, 2.0]]), row(1, 1)), row(1, -1)
    if explicit and rule == "pattern" and parameters:
        pytest.skip("the formula multiplies elementwise")
    with pytest.raises(dtd.DTDError, match=match):
        plan = dtd.Plan([("*", choose(rule, **parameters))])
        dtd.explain(network, x, 0, plan.explicit() if explicit else plan)


@pytest.mark.parametrize(
    ("rule", "match"),
    [("gamma", "'gama'; it has gamma"), ("wsquare", "'gama'; it has none but bias"), ("zbox", "'gama'; it has low, high")],
)
def test_a_parameter_that_a_rule_does_not_have_is_refused_at_once(rule, match):
    with pytest.raises(dtd.InputError, match=f"Rule '{rule}' has no parameter .*{match}"):
        choose(rule, gama=1.0)


def test_channel_bounds_without_a_batch_axis_are_refused():
    with pytest.raises(dtd.DomainError, match=r"have its 4 axes, the batch included"):
        dtd.trace(nn.Conv2d(3, 1, 1), torch.rand(2, 3, 2, 2), domain=dtd.Box(torch.zeros(3, 1, 1), torch.ones(3, 1, 1)))


def test_the_box_root_stays_in_the_box_where_a_weight_is_zero():
    network = dtd.trace(dense([[0.0, 1.0]], -1.0), row(2, 2), domain=dtd.Box(1.0, 2.0))
    rows = dtd.audit(network, row(2, 2), 0, dtd.Plan.uniform("zbox"))
    assert rows.valid[0] == 1.0
