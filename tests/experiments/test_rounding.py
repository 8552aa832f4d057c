"""The rounding bound holds, and it is not idle."""

from copy import deepcopy

import pytest
import torch
from torch import Tensor, nn

from dtd.domain import Box
from dtd.explaining.explain import explain
from dtd.network import Network, trace
from dtd.plans.rules import catalogue
from experiments.measures.agreement import ROUNDOFF
from experiments.measures.rounding import bounds
from experiments.models.cnn import CNN
from experiments.models.layers import randomise
from experiments.models.mlp import MLP
from experiments.plans import Measured, Request, measure

PARAMETERS = {"epsilon": {"epsilon": 0.1}}
MODELS = {"mlp": lambda: MLP([64, 20, 12, 5]), "cnn": lambda: CNN(4, 5)}
Prepared = tuple[Network, Network, Tensor, Tensor, Measured]


@pytest.fixture(scope="module", params=MODELS)
def prepared(request) -> Prepared:
    """A random network in float64 and in float32, samples, their predicted classes, and what rules take from data."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = MODELS[request.param]().eval().requires_grad_(False)
        randomise(model)
        for module in model.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.running_mean.normal_()
                module.running_var.uniform_(0.5, 2.0)
        x = torch.rand(6, 1, 8, 8)
    double = trace(deepcopy(model).double(), x.double(), Box(0.0, 1.0))
    return double, trace(model, x, Box(0.0, 1.0)), x, model(x).argmax(1), measure(double, x.double(), x.double())


def shares(prepared: Prepared, request: Request) -> Tensor:
    """|float32 − float64| of the derived and of the explicit relevance, in units of the bound. # shape: (2, B, *in)"""
    double, single, x, target, measured = prepared
    exact, rounded = request.assign(double, measured).plan, request.assign(single, measured.to(torch.float32)).plan
    limit = ROUNDOFF[torch.float32] * bounds(double, exact.bind(double), x.double(), target).network
    found = []
    for fine, coarse in ((exact, rounded), (exact.explicit(), rounded.explicit())):
        difference = explain(single, x, target, coarse).relevance - explain(double, x.double(), target, fine).relevance
        found.append(difference.abs() / limit.clamp(min=1e-300))
    return torch.stack(found)


@pytest.mark.parametrize("bias", ["fixed", "neuron", "distribute"])
@pytest.mark.parametrize("rule", catalogue)
def test_float32_stays_within_the_bound_and_near_it(prepared, rule, bias):
    largest = shares(prepared, Request(rule, bias, PARAMETERS.get(rule, {}))).max()
    assert largest <= 1, f"{largest:.3g} times the bound"
    assert largest > 1e-3, f"a bound {1 / largest:.3g} times too wide checks nothing"
