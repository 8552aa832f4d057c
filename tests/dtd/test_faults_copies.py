"""What a user's function receives is its own: writing into it changes nothing else."""

from dataclasses import dataclass

import pytest
import torch
from torch import nn

import dtd
from dtd.propagation import Propagation
from tests.dtd.faults import GAMMA, LRP0, close, mlp, rows

TARGETS = {
    "fill": lambda y: y.fill_(1),
    "softmax": lambda y: y.copy_(y.softmax(1)),
    "centred": lambda y: y.sub_(y.mean(1, keepdim=True)),
    "itself": lambda y: y,
    "part": lambda y: y[:1].expand(len(y), -1),
}


@pytest.mark.parametrize("fast", [True, False])
@pytest.mark.parametrize("plan", [LRP0, GAMMA], ids=["lrp0", "gamma"])
@pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS)
def test_targets_that_write_into_their_argument(target, plan, fast):
    model, x = mlp(), rows()
    network = dtd.trace(model, x)
    found = dtd.explain(network, x, target, plan, fast=fast)
    expected = dtd.explain(network, x, target(model(x).detach().clone()).clone(), plan, fast=fast)
    close(found, expected)
    torch.testing.assert_close(found.output, model(x).detach())
    assert found.layers["2"].balance.gap.abs().max() < 1e-12


@pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS)
def test_the_next_target_is_none_the_worse(target):
    network, x = dtd.trace(mlp(), rows()), rows()
    first, second = dtd.explain_each(network, x, [target, 1], LRP0)
    close(second, dtd.explain(network, x, 1, LRP0))
    close(first, dtd.explain(network, x, target, LRP0))


def test_results_share_no_memory_with_each_other_or_with_what_was_given():
    network, x = dtd.trace(nn.ReLU(), rows()), rows()
    given = torch.ones_like(x)
    found = dtd.explain(network, x, given, dtd.Plan([]))
    tensors = (found.relevance, found.output, found.initial, given, x)
    assert len({tensor.untyped_storage().data_ptr() for tensor in tensors}) == len(tensors)
    first, second = dtd.explain_each(network, x, [given, given], dtd.Plan([]))
    first.output.zero_(), first.relevance.zero_(), given.zero_()
    close(second, found)


def test_writing_into_the_initial_relevance_makes_the_balances_stale():
    found = dtd.explain(dtd.trace(mlp(), rows()), rows(), 0, LRP0)
    found.initial.mul_(2)
    with pytest.raises(dtd.StaleError, match="Explain again"):
        found.layers  # noqa: B018


@pytest.mark.parametrize("explicit", [False, True])
@pytest.mark.parametrize("fast", [True, False])
def test_damping_that_writes_into_its_argument(explicit, fast):
    network, x = dtd.trace(mlp(), rows()), rows()
    plans = [dtd.Plan.uniform("epsilon", epsilon=f) for f in (lambda z: z.abs_().mul_(0.1), lambda z: z.abs() * 0.1)]
    writing, pure = (plan.explicit() if explicit else plan for plan in plans)
    close(dtd.explain(network, x, 0, writing, fast=fast), dtd.explain(network, x, 0, pure, fast=fast))
    if not explicit:
        found, expected = (dtd.audit(network, x, 0, plan) for plan in (writing, pure))
        assert found.equals(expected)


def test_a_metric_that_writes_into_its_argument():
    network, x = dtd.trace(mlp(), rows()), rows()
    writing, pure = (dtd.Plan([("*", dtd.Nearest(f))]) for f in (lambda a: a.abs_().add_(0.1), lambda a: a.abs() + 0.1))
    close(dtd.explain(network, x, 0, writing), dtd.explain(network, x, 0, pure))


@dataclass(frozen=True)
class Written(dtd.Direction):
    """LRP-γ's direction by functions that write into what they are given, or do not."""

    writes: bool

    def factors(self, domain):
        if self.writes:
            return (dtd.Factor(lambda a: a.mul_(1), lambda w: w.gt_(0).mul_(0.25).add_(1)),)
        return (dtd.Factor(lambda a: a * 1, lambda w: 1 + 0.25 * (w > 0)),)


@pytest.mark.parametrize("fast", [True, False])
def test_a_direction_whose_functions_write_leaves_the_model_alone(fast):
    model, x = mlp(), rows()
    network, before = dtd.trace(model, x), model[0].weight.detach().clone()
    writing, pure = (dtd.explain(network, x, 0, dtd.Plan([("*", dtd.Ray(Written(w)))]), fast=fast) for w in (True, False))
    assert torch.equal(model[0].weight, before)
    close(writing, pure)
    close(writing, dtd.explain(network, x, 0, GAMMA))


@dataclass(frozen=True, eq=False)
class Overwriting(Propagation):
    """LRP-0 of one's own, which then writes over everything that it was given."""

    rule: Propagation

    def accepts(self, layer):
        return True

    def forward(self, layer, inputs):
        y, saved = self.rule.forward(layer, tuple(a.clone() for a in inputs))
        inputs[0].fill_(torch.nan)
        return y, saved

    def backward(self, layer, saved, relevance):
        found = self.rule.backward(layer, saved, relevance.clone())
        relevance.fill_(torch.nan)
        return found


@pytest.mark.parametrize("fast", [True, False])
def test_a_relevance_model_of_ones_own_that_overwrites_its_arguments(fast):
    class Branches(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b = mlp()[0], mlp()[0]

        def forward(self, x):
            return self.a(x) + self.b(x)

    x = rows()
    network = dtd.trace(Branches().eval(), x)
    plan = dtd.Plan([("a", Overwriting(dtd.lrp.LRPZero())), ("*", dtd.lrp.LRPZero())])
    before = x.clone()
    close(dtd.explain(network, x, 0, plan, fast=fast), dtd.explain(network, x, 0, LRP0.explicit()))
    assert torch.equal(x, before)


@pytest.mark.parametrize(
    ("made", "match"),
    [
        (lambda z: None, r"'damping' must return a number or a tensor that broadcasts to \(3, 5\); found NoneType"),
        (lambda z: torch.ones(7), r"broadcasts to \(3, 5\); found \(7,\)"),
        (lambda z: -z.abs(), "function with values >= 0; found"),
        (lambda z: z * torch.nan, "function with values >= 0; found .nan"),
    ],
)
def test_what_a_damping_function_returns_is_checked(made, match):
    network, lrp0 = dtd.trace(mlp(), rows()), dtd.Ray(dtd.Activations())
    plan = dtd.Plan([("2", lrp0), ("*", dtd.Ray(dtd.Activations(), damping=made))])
    with pytest.raises(dtd.InputError, match=match):
        dtd.explain(network, rows(), 0, plan)


def test_a_metric_or_a_reference_that_is_a_number_is_not_rounded_to_single_precision():
    network, x = dtd.trace(mlp(), rows()), rows()
    for made in (lambda v: dtd.Nearest(v), lambda v: dtd.Generic(v, at="reference"), lambda v: dtd.Reference(v)):
        close(*(dtd.explain(network, x, 0, dtd.Plan([("*", made(v))])) for v in (0.1, torch.tensor(0.1).double() * 0 + 0.1)))


def test_a_damping_function_may_return_a_number():
    network, x = dtd.trace(mlp(), rows()), rows()
    close(
        dtd.explain(network, x, 0, dtd.Plan.uniform("epsilon", epsilon=lambda z: 0.1)),
        dtd.explain(network, x, 0, dtd.Plan.uniform("epsilon", epsilon=0.1)),
    )


@pytest.mark.parametrize("rule", ["pattern", "zbox"])
def test_tensors_of_a_plan_that_are_written_to_count_as_they_are_now(rule):
    network, x = dtd.trace(mlp(), rows(), domain=dtd.Box(-5.0, 5.0)), rows()
    given = dtd.estimate_patterns(network, [x]) if rule == "pattern" else {"low": torch.zeros(1, 4).double()}
    first = dtd.rules.choose("zbox", low=given["low"], high=6.0) if rule == "zbox" else dtd.rules.choose("lrp0")
    plan = dtd.Plan.uniform("pattern", pattern=given) if rule == "pattern" else dtd.Plan([("0", first), *LRP0.entries])
    before = dtd.explain(network, x, 0, plan).relevance
    for tensor in given.values():
        tensor.sub_(0.5)
    found = dtd.explain(network, x, 0, plan)
    assert not torch.allclose(found.relevance, before)
    close(found, dtd.explain(network, x, 0, plan, fast=False))
