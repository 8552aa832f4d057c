"""Relevance that can be differentiated: against finite differences in double precision, in use, and what is refused."""

import copy
import pickle

import pytest
import torch
from torch import Tensor, nn
from torch.autograd import gradcheck

import dtd
from dtd import presets
from tests.dtd.test_without_fast import NETWORKS, parts
from tests.models import randomised

RULES = ("lrp0", "gamma", "gamma_signed", "zplus_signed", "alphabeta", "wsquare", "flat", "epsilon")
PLANS = {
    "default": None,
    "epsilon_plus": presets.epsilon_plus(),
    "attnlrp": presets.attnlrp(),
    "lstm_2017": presets.lstm_2017(),
}


class Plain(nn.Module):
    """Convolution with batch norm that folds, max pooling, a sum."""

    def __init__(self):
        super().__init__()
        self.first, self.norm = nn.Conv2d(1, 2, 3, padding=1), nn.BatchNorm2d(2)
        self.second, self.pool, self.last = nn.Conv2d(2, 2, 3, padding=1), nn.MaxPool2d(2), nn.Linear(8, 3)

    def forward(self, x: Tensor) -> Tensor:
        h = torch.relu(self.norm(self.first(x)))
        return self.last(self.pool(h + torch.relu(self.second(h))).flatten(1))


def dense() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(4, 5), nn.ReLU(), nn.Linear(5, 3)).double().eval()


def inputs_of(*shapes: tuple[int, ...], batch: int = 1) -> tuple[Tensor, ...]:
    generator = torch.Generator().manual_seed(5)
    return tuple(torch.rand(batch, *shape, generator=generator).double().requires_grad_() for shape in shapes)


def checked(model: nn.Module, given: tuple[Tensor, ...], plan: dtd.Plan | None) -> None:
    """Finite differences in every input and every parameter, and the same numbers as without a graph."""
    plainly = tuple(x.detach() for x in given)
    network = dtd.trace(model, plainly if len(given) > 1 else plainly[0])

    def relevance(*_: Tensor) -> tuple[Tensor, ...]:
        found = dtd.explain(network, given if len(given) > 1 else given[0], 1, plan, create_graph=True)
        return tuple(parts(found.relevance))

    expected = dtd.explain(network, plainly if len(given) > 1 else plainly[0], 1, plan).relevance
    for one, other in zip(relevance(), parts(expected), strict=True):
        torch.testing.assert_close(one.detach(), other, rtol=1e-9, atol=1e-12)
    assert gradcheck(relevance, (*given, *model.parameters()))


@pytest.mark.parametrize("bias", ["fixed", "neuron", "distribute"])
@pytest.mark.parametrize("rule", RULES)
def test_every_rule(rule, bias):
    checked(dense(), inputs_of((4,), batch=2), dtd.Plan.uniform(rule, bias=bias))


@pytest.mark.parametrize("rule", ["gamma", "epsilon", "alphabeta"])
def test_explicit_rules(rule):
    checked(dense(), inputs_of((4,), batch=2), dtd.Plan.uniform(rule).explicit())


@pytest.mark.parametrize("plan", ["default", "epsilon_plus"])
def test_convolutions_with_folded_norms_pooling_and_sums(plan):
    torch.manual_seed(0)
    checked(randomised(Plain().double()), inputs_of((1, 4, 4)), PLANS[plan])


@pytest.mark.parametrize("plan", ["default", "attnlrp", "lstm_2017"])
@pytest.mark.parametrize("name", ["attention", "gated", "joined"])
def test_networks_of_today(name, plan):
    make, shapes = NETWORKS[name]
    checked(randomised(make()), inputs_of(*shapes), PLANS[plan])


def test_tangents_and_roots_towards_data():
    model = nn.Sequential(nn.Linear(4, 5), nn.GELU(), nn.Linear(5, 3)).double().eval()
    curved = dtd.Entry(dtd.where.kind("gelu"), dtd.Tangent())
    checked(model, inputs_of((4,), batch=2), dtd.Plan([curved, dtd.Entry(dtd.where.every, dtd.rules.choose("lrp0"))]))


class Two(nn.Module):
    """Two inputs, of which one says the class in training only. There are no biases in which a network could hide."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.layers = nn.Sequential(nn.Linear(2, 16, bias=False), nn.ReLU(), nn.Linear(16, 2, bias=False))

    def forward(self, x: Tensor) -> Tensor:
        return self.layers(x)


def trained(weight: float, steps: int = 100) -> tuple[list[float], float]:
    """The explanation loss over training, and accuracy where the second input has lost its meaning.

    Both inputs say the class in training. The loss is the cross entropy plus ``weight`` times the mean square of the second
    input's relevance to the log-odds.
    """
    generator = torch.Generator().manual_seed(1)
    y = torch.randint(0, 2, (128,), generator=generator)
    sign = 2.0 * y[:, None] - 1
    x = torch.cat([0.5 * sign, 2.0 * sign], 1) + 0.3 * torch.randn(128, 2, generator=generator)
    model, losses = Two().double(), []
    x, network = x.double(), dtd.trace(model.eval(), x[:1].double())
    optimiser = torch.optim.Adam(model.parameters(), lr=0.02)
    plan = dtd.Plan.uniform("epsilon", epsilon=1e-3)
    signs = 2.0 * nn.functional.one_hot(y, 2) - 1  # what is explained is the log-odds of the right class
    for _ in range(steps):
        found = dtd.explain(network, x, lambda output: output * signs, plan, create_graph=True)
        wrong = found.relevance[:, 1].square().mean()
        losses.append(wrong.item())
        optimiser.zero_grad()
        (nn.functional.cross_entropy(found.output, y) + weight * wrong).backward()
        optimiser.step()
    moved = torch.cat([x[:, :1], x[torch.randperm(128, generator=generator), 1:]], 1)
    return losses, (model(moved).argmax(1) == y).double().mean().item()


def test_right_for_the_right_reasons():
    loose, confused = trained(weight=0.0)
    held, right = trained(weight=1.0)
    assert held[-1] < 0.02 * held[0] and held[-1] < 1e-3 * loose[-1]
    assert right > 0.95 and confused < 0.6


def test_an_input_is_optimised_for_its_relevance():
    network, (x,) = dtd.trace(dense(), torch.zeros(1, 4).double()), inputs_of((4,))
    plan = dtd.Plan.uniform("gamma", gamma=0.25)
    before = dtd.explain(network, x.detach(), 0, plan).relevance[0, 3]
    for _ in range(12):
        (slope,) = torch.autograd.grad(dtd.explain(network, x, 0, plan, create_graph=True).relevance[0, 3], x)
        x = (x + 0.02 * slope).detach().requires_grad_()
    assert dtd.explain(network, x.detach(), 0, plan).relevance[0, 3] > before + 0.015


def test_layers_targets_and_output_are_part_of_the_computation():
    model, (x,) = dense(), inputs_of((4,), batch=2)
    network, plan = dtd.trace(model, x.detach()), dtd.Plan.uniform("gamma", gamma=0.25)

    def kept(x: Tensor) -> Tensor:
        found = dtd.explain(network, x, lambda y: y - y.mean(1, keepdim=True), plan, create_graph=True)
        return sum(
            r.balance.zeroth + r.balance.bias + 2 * r.balance.first for r in found.layers.values()
        ) + found.output.sum(1)

    assert gradcheck(kept, (x,))
    weights = torch.rand(2, 3).double().requires_grad_()
    assert gradcheck(lambda w: dtd.explain(network, x.detach(), w, plan, create_graph=True).relevance, (weights,))


def test_hidden_layers_and_what_goes_through_them():
    model, (x,) = dense(), inputs_of((4,), batch=2)
    network, plan = dtd.trace(model, x.detach()), dtd.Plan.uniform("gamma", gamma=0.25)
    some = torch.tensor([1.0, 0, 1, 1, 0])

    def hidden(x: Tensor) -> tuple[Tensor, ...]:
        found = dtd.explain(network, x, 1, plan, at=["0"], through={"1": some}, create_graph=True)
        unit = dtd.explain(network, x, dtd.Unit("0", channel=3), plan, create_graph=True)
        return found.relevance, found.at["0"].output, found.layers["1 through"].balance.zeroth, unit.relevance

    assert gradcheck(hidden, (x,))
    plainly = dtd.explain(network, x.detach(), 1, plan, at=["0"], through={"1": some})
    torch.testing.assert_close(hidden(x)[1].detach(), plainly.at["0"].output)
    kept = copy.deepcopy(dtd.explain(network, x, 1, plan, at=["0"], create_graph=True))
    assert not kept.at["0"].output.requires_grad


def test_a_frozen_model_is_enough_with_an_input_and_the_other_way_round():
    model, (x,) = dense(), inputs_of((4,))
    network = dtd.trace(model, x.detach())
    dtd.explain(network, x.detach(), 0, create_graph=True).relevance.sum().backward()
    assert model[0].weight.grad is not None and x.grad is None
    model.requires_grad_(False)
    with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16):
        found = dtd.explain(network, x, 0, create_graph=True)
    found.relevance.sum().backward()
    assert x.grad is not None and found.relevance.dtype == torch.float64
    assert not dtd.explain(network, x, 0).relevance.requires_grad


def test_copies_are_numbers():
    network, (x,) = dtd.trace(dense(), torch.zeros(1, 4).double()), inputs_of((4,))
    found = dtd.explain(network, x, 0, create_graph=True)
    for again in (pickle.loads(pickle.dumps(found)), copy.deepcopy(found)):
        assert torch.equal(again.relevance, found.relevance) and not again.relevance.requires_grad
        for name, record in again.layers.items():
            assert torch.equal(record.balance.first, found.layers[name].balance.first)


def test_what_has_no_derivative_is_refused():
    model, (x,) = dense(), inputs_of((4,))
    network = dtd.trace(model, x.detach())
    for plan in (
        dtd.Plan([dtd.Entry(dtd.where.every, dtd.Nearest())]),
        dtd.Plan([(dtd.where.every, dtd.Exact(dtd.Weights()))]),
    ):
        with pytest.raises(dtd.PlanError, match="at layer '0' searches its roots"):
            dtd.explain(network, x, 0, plan, create_graph=True)
    with pytest.raises(dtd.InputError, match="do not depend on the output as far as autograd knows"):
        dtd.explain(network, x, lambda y: y.detach(), create_graph=True)
    for options in ({"memory": 10**6}, {"pass_dtype": torch.bfloat16}):
        with pytest.raises(dtd.InputError, match="left out with create_graph"):
            dtd.explain(network, x, 0, create_graph=True, **options)
    model.requires_grad_(False)
    with pytest.raises(dtd.InputError, match="needs something to differentiate by"):
        dtd.explain(network, x.detach(), 0, create_graph=True)
