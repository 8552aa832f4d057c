"""Errors name their cause, before work; what a message says to do, done, works."""

import numpy as np
import pytest
import torch
from torch import nn

import dtd
from dtd.direction.functions import Given
from dtd.plans.rules import choose
from tests.dtd.faults import LRP0, close, cnn, images, mlp, rows


class Calls(nn.Module):
    """A dense layer and a function of it."""

    def __init__(self, function):
        super().__init__()
        self.fc, self.function = nn.Linear(4, 3).double(), function

    def forward(self, x):
        return self.function(self, x)


@pytest.mark.parametrize("rest", [None, 3, "text", (None, None)])
def test_outputs_beside_which_nothing_else_is_a_tensor(rest):
    model = Calls(lambda m, x: (m.fc(x), rest)).eval()
    found = dtd.explain(dtd.trace(model, rows()), rows(), 0, LRP0, verify=True)
    torch.testing.assert_close(found.output, model.fc(rows()).detach())


@pytest.mark.parametrize("returned", [None, (None,), "text"])
def test_models_that_return_no_tensor(returned):
    with pytest.raises(dtd.TraceError, match="must return one tensor to explain; it returns 0"):
        dtd.trace(Calls(lambda m, x: returned).eval(), rows())


def test_several_outputs_and_the_way_out_that_the_message_gives():
    model = Calls(lambda m, x: (m.fc(x), x)).eval()
    with pytest.raises(dtd.TraceError, match=r"returns 2: 0 \(1, 3\), 1 \(1, 4\).*output="):
        dtd.trace(model, rows())
    for output in (0, lambda returned: returned[0]):
        dtd.explain(dtd.trace(model, rows(), output=output), rows(), 0, LRP0, verify=True)


BOUNDS = {
    "float32": (torch.zeros(1, 4), torch.ones(1, 4)),
    "one axis": (torch.zeros(4), torch.ones(4)),
    "numpy": (np.zeros((1, 4)), np.ones((1, 4), dtype=np.float32)),
    "numpy's numbers": (np.float32(0), np.int64(1)),
    "integers": (torch.zeros(1, 4).long(), torch.ones(1, 4).long()),
}


@pytest.mark.parametrize(("low", "high"), BOUNDS.values(), ids=BOUNDS)
@pytest.mark.parametrize("explicit", [False, True])
def test_bounds_of_any_numbers(low, high, explicit):
    network, x = dtd.trace(mlp(), rows(), domain=dtd.Box(0.0, 1.0)), rows()
    found, expected = (
        dtd.Plan([("0", choose("zbox", low=a, high=b)), ("*", choose("lrp0"))]) for a, b in ((low, high), (0.0, 1.0))
    )
    found, expected = (plan.explicit() if explicit else plan for plan in (found, expected))
    for fast in (True, False):
        close(dtd.explain(network, x, 0, found, fast=fast), dtd.explain(network, x, 0, expected, fast=fast))
    if getattr(low, "ndim", 0) == 1:
        return  # a domain's bounds have the batch axis
    close(
        dtd.explain(dtd.trace(mlp(), x, domain=dtd.Box(low, high)), x, 0, LRP0),
        dtd.explain(network, x, 0, LRP0),
    )


@pytest.mark.parametrize("explicit", [False, True])
@pytest.mark.parametrize("shape", [(2, 4), (1, 7), (7,), (3, 3, 4)])
def test_bounds_that_do_not_broadcast(shape, explicit):
    network, x = dtd.trace(mlp(), rows(), domain=dtd.Box(0.0, 1.0)), rows()
    plan = dtd.Plan(
        [("0", choose("zbox", low=torch.zeros(shape).double(), high=torch.ones(shape).double())), ("*", choose("lrp0"))]
    )
    plan = plan.explicit() if explicit else plan
    for ask in (lambda: dtd.explain(network, x, 0, plan), lambda: dtd.explain(network, x, 0, plan, fast=False)):
        with pytest.raises(dtd.DomainError, match=r"'low' at layer '0' must be a number or broadcast to \(3, 4\)"):
            ask()


def test_bounds_of_more_samples_than_the_input_has():
    network = dtd.trace(mlp(), rows(), domain=dtd.Box(torch.zeros(3, 4).double(), torch.ones(3, 4).double()))
    dtd.explain(network, rows(3), 0, LRP0)
    for count in (1, 2):
        with pytest.raises(dtd.DomainError, match="must broadcast to"):
            dtd.explain(network, rows(count), 0, LRP0)


@pytest.mark.parametrize(
    "bound", ["0", None, torch.zeros(0), torch.zeros(1, 4, device="meta"), torch.zeros(2).to_sparse(), True, [[0], ["a"]]]
)
def test_what_is_no_bound(bound):
    with pytest.raises(dtd.DomainError, match="Box needs"):
        dtd.Box(bound, 1.0)


@pytest.mark.parametrize("made", [{}, {"*": 1}, None, 3, "gamma"])
def test_what_is_no_plan(made):
    with pytest.raises(dtd.PlanError, match="A plan is made of a list of entries"):
        dtd.Plan(made)


@pytest.mark.parametrize("value", ["a", None, [0.1], torch.tensor([0.1, 0.2]), 1j, np.array(0.1), True, np.ones(1)])
@pytest.mark.parametrize("made", [dtd.Gamma, dtd.lrp.LRPGamma, lambda v: choose("gamma", gamma=v)])
def test_a_gamma_that_is_no_number(made, value):
    with pytest.raises(dtd.InputError, match="'gamma' must be >= 0") as error:
        made(value) if made is not dtd.lrp.LRPGamma else made(gamma=value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("value", [torch.tensor(0.25), np.float32(0.25), np.float64(0.25), np.array(0.25).item()])
@pytest.mark.parametrize("rule", ["gamma", "gamma_signed"])
def test_a_gamma_that_is_a_number_of_another_kind(rule, value):
    network, x = dtd.trace(mlp(), rows()), rows()
    plans = [dtd.Plan.uniform(rule, gamma=v) for v in (value, 0.25)]
    for fast in (True, False):
        close(*(dtd.explain(network, x, 0, plan, fast=fast) for plan in plans))
    close(*(dtd.explain(network, x, 0, plan.explicit()) for plan in plans))


class Counts(nn.Module):
    """Writes to a buffer when it runs."""

    def __init__(self, in_place, always=True):
        super().__init__()
        self.fc, self.in_place, self.always = mlp()[0], in_place, always
        self.register_buffer("calls", torch.zeros((), dtype=torch.double))

    def forward(self, x):
        if self.always or self.training:
            if self.in_place:
                self.calls += 1
            else:
                self.calls = self.calls + 1
        return self.fc(x) * (1 + self.calls)


@pytest.mark.parametrize("in_place", [True, False])
def test_models_that_write_to_their_buffers(in_place):
    with pytest.raises(dtd.TraceError, match=r"writes to its own parameters or buffers.*if self.training"):
        dtd.trace(Counts(in_place).eval(), rows())
    dtd.explain(dtd.trace(Counts(in_place, always=False).eval(), rows()), rows(), 0, LRP0, verify=True)


def test_models_that_write_to_their_inputs():
    model, x = Calls(lambda m, x: m.fc(x.mul_(2).relu_())).eval(), rows()
    network = dtd.trace(model, x)
    torch.testing.assert_close(x, rows())
    found = dtd.explain(network, x, 0, LRP0, verify=True)
    torch.testing.assert_close(x, rows())
    torch.testing.assert_close(found.output, model(rows()).detach())


@pytest.mark.parametrize("wrap", [nn.DataParallel, torch.compile, lambda m: nn.Sequential(torch.compile(m))])
def test_wrapped_models(wrap):
    close(
        dtd.explain(dtd.trace(wrap(mlp()), rows()), rows(), 0, LRP0), dtd.explain(dtd.trace(mlp(), rows()), rows(), 0, LRP0)
    )


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("wrap", [torch.jit.script, lambda m: torch.jit.trace(m, rows())])
def test_models_of_torch_jit_are_named(wrap):
    with pytest.raises(dtd.TraceError, match="compiled by torch.jit; trace the model that it was made from"):
        dtd.trace(wrap(mlp()), rows())


def test_any_number_of_arguments():
    class Sum(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc = mlp()[0]

        def forward(self, *xs):
            return sum(self.fc(x) for x in xs)

    x = rows()
    found = dtd.explain(dtd.trace(Sum().eval(), (x, x * 2)), (x, x * 2), 0, LRP0, verify=True)
    assert found.relevance.keys() == {"xs.0", "xs.1"}


@pytest.mark.parametrize("norm", [nn.BatchNorm1d, nn.BatchNorm2d])
def test_batch_norm_without_statistics_and_the_way_out(norm):
    x = rows() if norm is nn.BatchNorm1d else images()
    body = (lambda: nn.Linear(4, 4)) if norm is nn.BatchNorm1d else lambda: nn.Conv2d(2, 4, 1)
    with pytest.raises(dtd.UnsupportedOp, match=r"no running statistics.*track_running_stats=True.*GroupNorm"):
        dtd.trace(nn.Sequential(body(), norm(4, track_running_stats=False)).double().eval(), x)
    model = nn.Sequential(body(), norm(4)).double()
    model(x)
    dtd.trace(model.eval(), x)
    dtd.trace(nn.Sequential(body(), nn.GroupNorm(2, 4)).double().eval(), x)


def test_training_mode_and_the_way_out():
    model = cnn().train()
    with pytest.raises(dtd.UnsupportedOp, match="call model.eval()"):
        dtd.trace(model, images())
    dtd.trace(model.eval(), images())


def test_a_model_that_fails_by_itself_is_said_to():
    with pytest.raises(dtd.TraceError, match=r"The model itself fails on one sample.*has no attribute 'nothing'"):
        dtd.trace(Calls(lambda m, x: m.nothing).eval(), rows())


@pytest.mark.parametrize("given", [torch.randint(0, 3, (2, 4)), rows() > 0.5])
def test_integers_for_numbers_and_the_way_out(given):
    network = dtd.trace(mlp(), rows())
    with pytest.raises(dtd.InputError, match=r"must be torch.float64, as traced; found torch.*Call x.to\(torch.float64\)"):
        dtd.explain(network, given, 0, LRP0)
    dtd.explain(network, given.to(torch.float64), 0, LRP0)


def test_masks_that_hold_minus_infinity_and_weights_that_may_not():
    class Masked(nn.Module):
        def __init__(self, value):
            super().__init__()
            self.fc = nn.Linear(4, 4).double()
            self.register_buffer("mask", torch.tensor([0.0, 0.0, value, value], dtype=torch.double))

        def forward(self, x):
            return (self.fc(x) + self.mask).softmax(-1)

    found = dtd.explain(dtd.trace(Masked(-torch.inf).eval(), rows()), rows(), 0, verify=True)
    assert bool(found.output[:, 2:].eq(0).all())
    with pytest.raises(dtd.NonFiniteError, match="'mask' holds NaN or infinity"):
        dtd.trace(Masked(torch.inf).eval(), rows())


@pytest.mark.parametrize(
    ("limit", "match"),
    [
        ({"units": -1}, "'units' must be a positive integer"),
        ({"units": 1.5}, "'units' must be a positive integer"),
        ({"memory": "a"}, "'memory' must be a positive integer"),
        ({"seed": 1.5}, "'seed' must be an integer"),
        ({"nearest": 3}, "'nearest' must be dtd.Nearest"),
    ],
)
def test_limits_of_an_audit(limit, match):
    with pytest.raises(dtd.InputError, match=match):
        dtd.audit(dtd.trace(mlp(), rows()), rows(), 0, LRP0, **limit)


@pytest.mark.parametrize(
    "target",
    [
        None,
        "a",
        1.0,
        True,
        [0, 1],
        np.array([True, False, True]),
        [[0], [1, 2]],
        np.float64(1),
        {1},
        lambda y: y.numpy(),
        lambda y: y > 0,
        torch.tensor(1.0),
    ],
)
def test_what_is_no_target(target):
    with pytest.raises(dtd.InputError):
        dtd.explain(dtd.trace(mlp(), rows()), rows(), target, LRP0)


@pytest.mark.parametrize("odd", [lambda y: y.to_sparse(), lambda y: y.to("meta"), lambda y: y + 1j])
def test_targets_without_their_numbers(odd):
    network = dtd.trace(mlp(), rows())
    for target in (odd, odd(torch.ones(3, 3).double())):
        with pytest.raises(dtd.InputError):
            dtd.explain(network, rows(), target, LRP0)


@pytest.mark.parametrize("constant", [torch.tensor([1, 2, 3, 7]), torch.tensor([0.1, 0.2, 0.3, 0.7]), torch.tensor(3)])
def test_constants_of_lower_precision_are_computed_with_in_the_networks(constant):
    model = Calls(lambda m, x: x / constant + (1 + x) * constant).eval()
    found = dtd.explain(dtd.trace(model, rows()), rows(), lambda y: y, dtd.Plan([]), verify=True)
    torch.testing.assert_close(found.output, model(rows()), rtol=1e-15, atol=1e-15)


def test_bounds_follow_the_activations_to_their_device_and_dtype():
    a = torch.empty(2, 4, dtype=torch.double, device="meta")
    given = Given(torch.ones(1, 4))(a)
    assert (given.device, given.dtype) == (a.device, a.dtype)
