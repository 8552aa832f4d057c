"""What an error advises, done, works: each refusal beside the same call as its message says that it should be."""

from collections.abc import Callable
from typing import NamedTuple

import pytest
import torch
from torch import nn

import dtd
from dtd import rules, where


def rows(count: int = 2, width: int = 4) -> torch.Tensor:
    return torch.rand(count, width, generator=torch.Generator().manual_seed(0), dtype=torch.double)


def images() -> torch.Tensor:
    return torch.rand(2, 1, 4, 4, generator=torch.Generator().manual_seed(0), dtype=torch.double)


def model(*layers: nn.Module) -> nn.Sequential:
    torch.manual_seed(0)
    for layer in layers:
        if hasattr(layer, "reset_parameters"):
            layer.reset_parameters()
    return nn.Sequential(*layers).double().eval()


def mlp(*behind: nn.Module) -> nn.Sequential:
    return model(nn.Linear(4, 5), nn.ReLU(), nn.Linear(5, 3), *behind)


def cnn() -> nn.Sequential:
    return model(nn.Conv2d(1, 2, 2), nn.Flatten(), nn.Linear(18, 3))


class Two(nn.Module):
    """Two inputs."""

    def forward(self, x, y):
        return x + y


class OwnModule(nn.Module):
    """An op without a decomposition, in a module of its own."""

    def forward(self, x):
        return torch.special.bessel_j0(x)


class Advice(NamedTuple):
    """A call, the advice in its refusal (a pattern), and the call as advised."""

    wrong: Callable
    says: str
    advised: Callable


LRP0, PLAN = dtd.Plan.uniform("lrp0"), dtd.Plan.uniform("epsilon", "neuron", epsilon=0.1)
OWN = dtd.Plan([("*", dtd.TrainingFree(dtd.Ray(dtd.Gamma(0.1))))])
NET, X = dtd.trace(mlp().requires_grad_(False), rows()), rows()
SEQUENCE = dtd.trace(nn.Linear(4, 3).double(), torch.rand(2, 5, 4).double())
SOFT = dtd.trace(mlp(nn.Softmax(1)), X)
FILTERS = dtd.trace(cnn(), images())
EXACT = dtd.Exact(dtd.Activations())
STRAIGHT = dtd.trace(model(nn.Linear(4, 3)), X)


def learned(x: torch.Tensor) -> torch.Tensor:
    return dtd.explain(NET, x, 0, LRP0, create_graph=True).relevance


def made_in_inference_mode() -> nn.Module:
    with torch.inference_mode():
        return nn.Linear(4, 3).double()


def as_clones(inside: nn.Module) -> nn.Module:
    inside.load_state_dict({k: t.clone() for k, t in inside.state_dict().items()}, assign=True)
    return inside


def with_values(empty: nn.Module) -> nn.Module:
    """The module on the processor, with values."""
    made = empty.to_empty(device="cpu")
    made.load_state_dict({name: torch.ones_like(t) for name, t in made.state_dict().items()})
    return made


def run_first(lazy: nn.Module) -> nn.Module:
    """The module after it has run on an example."""
    lazy(X.float())
    return lazy


CASES = {
    "a class of a sequence": Advice(
        lambda: dtd.explain(SEQUENCE, torch.ones(2, 5, 4).double(), 0, LRP0),
        "Give the initial relevance as a tensor of that shape",
        lambda: dtd.explain(SEQUENCE, torch.ones(2, 5, 4).double(), torch.ones(2, 5, 3).double(), LRP0),
    ),
    "patches that do not fit": Advice(
        lambda: dtd.pairs(dtd.trace(cnn(), images()), images(), images(), LRP0).pooled(dtd.Patches(3, 3)),
        "divisors of the image's sides",
        lambda: dtd.pairs(dtd.trace(cnn(), images()), images(), images(), LRP0).pooled(dtd.Patches(2, 2)),
    ),
    "nothing to differentiate": Advice(
        lambda: learned(X.clone()),
        r"Call x.requires_grad_\(\)",
        lambda: learned(X.clone().requires_grad_()).sum().backward(),
    ),
    "a contrast behind softmax": Advice(
        lambda: dtd.explain(SOFT, X, dtd.LogOdds(0), LRP0),
        "Trace it without",
        lambda: dtd.explain(dtd.trace(SOFT.model[:3], X), X, dtd.LogOdds(0), LRP0),
    ),
    "targets of several kinds": Advice(
        lambda: list(dtd.explain_each(NET, X, [0, dtd.Difference(1, 2)], LRP0)),
        "dtd.explain for each",
        lambda: [dtd.explain(NET, X, each, LRP0) for each in (0, dtd.Difference(1, 2))],
    ),
    "no explicit form": Advice(
        lambda: OWN.explicit(),
        "Use dtd.rules.choose",
        lambda: dtd.Plan([("*", rules.choose("gamma", gamma=0.1))]).explicit(),
    ),
    "a preset that was not called": Advice(
        lambda: dtd.explain(NET, X, 0, dtd.presets.epsilon_plus),
        "presets are functions: call them",
        lambda: dtd.explain(NET, X, 0, dtd.presets.epsilon_plus()),
    ),
    "roots that do not fit": Advice(
        lambda: dtd.audit(NET, X, 0, LRP0, memory=8), "Raise 'memory'", lambda: dtd.audit(NET, X, 0, LRP0, memory=2**20)
    ),
    "dropout in training mode": Advice(
        lambda: dtd.trace(mlp(nn.Dropout()).train(), X),
        r"call model.eval\(\)",
        lambda: dtd.trace(mlp(nn.Dropout()).eval(), X),
    ),
    "batch norm without statistics": Advice(
        lambda: dtd.trace(model(nn.Linear(4, 4), nn.BatchNorm1d(4, track_running_stats=False)), X),
        "GroupNorm",
        lambda: dtd.trace(model(nn.Linear(4, 4), nn.GroupNorm(2, 4)), X),
    ),
    "a compiled model": Advice(
        lambda: dtd.trace(torch.jit.script(mlp()), X), "trace the model that it was made from", lambda: dtd.trace(mlp(), X)
    ),
    "inference mode": Advice(
        lambda: dtd.trace(made_in_inference_mode(), X),
        "assign=True",
        lambda: dtd.trace(as_clones(made_in_inference_mode()), X),
    ),
    "a sparse input": Advice(
        lambda: dtd.explain(NET, X.to_sparse(), 0, LRP0),
        r"x.to_dense\(\)",
        lambda: dtd.explain(NET, X.to_sparse().to_dense(), 0, LRP0),
    ),
    "another dtype": Advice(
        lambda: dtd.explain(NET, (9 * X).long(), 0, LRP0),
        r"Call x.to\(torch.float64\)",
        lambda: dtd.explain(NET, (9 * X).long().to(torch.float64), 0, LRP0),
    ),
    "outside of the domain": Advice(
        lambda: dtd.explain(dtd.trace(mlp(), X, dtd.Box(0.0, 1.0)), 3 * X, 0, LRP0),
        "Trace with the domain that the data has",
        lambda: dtd.explain(dtd.trace(mlp(), X, dtd.Box(0.0, 3.0)), 3 * X, 0, LRP0),
    ),
    "z^B without a box": Advice(
        lambda: dtd.explain(STRAIGHT, X, 0, dtd.Plan.uniform("zbox")),
        r"Trace with domain=dtd.Box\(low, high\)",
        lambda: dtd.explain(dtd.trace(STRAIGHT.model, X, dtd.Box(0.0, 1.0)), X, 0, dtd.Plan.uniform("zbox")),
    ),
    "z+ on real inputs": Advice(
        lambda: dtd.explain(STRAIGHT, X - 0.5, 0, dtd.Plan([("*", dtd.Ray(dtd.ZPlus()))])),
        "Use zplus_signed",
        lambda: dtd.explain(STRAIGHT, X - 0.5, 0, dtd.Plan.uniform("zplus_signed")),
    ),
    "a generic model that does not fit": Advice(
        lambda: dtd.explain(NET, X, 0, dtd.Plan([(where.every, dtd.Generic(memory=8))])),
        "Raise 'memory'|expand at the reference",
        lambda: dtd.explain(NET, X, 0, dtd.Plan([(where.every, dtd.Generic(at="reference", memory=8))])),
    ),
    "several inputs as a pair": Advice(
        lambda: dtd.pairs(dtd.trace(Two(), (X, X)), (X, X), (X, X), LRP0),
        "Trace",
        lambda: dtd.pairs(dtd.trace(mlp(), X), X, X, LRP0),
    ),
    "an op that is not known": Advice(
        lambda: dtd.trace(model(nn.Linear(4, 4), OwnModule(), nn.Linear(4, 2)), X),
        r"opaque=\[TheModule\]",
        lambda: dtd.explain(
            dtd.trace(model(nn.Linear(4, 4), OwnModule(), nn.Linear(4, 2)), X, opaque=[OwnModule]),
            X,
            0,
            dtd.Plan([(where.kind("opaque"), dtd.Generic(at="reference")), ("*", rules.choose("lrp0"))]),
        ),
    ),
    "a batch that a plan looks at": Advice(
        lambda: dtd.explain(NET, X, 0, dtd.Plan.uniform("epsilon", epsilon=lambda z: 0.3 * z.abs().mean()), memory=10**6),
        r"Explain x.split\(n\) one after the other",
        lambda: [
            dtd.explain(NET, part, 0, dtd.Plan.uniform("epsilon", epsilon=lambda z: 0.3 * z.abs().mean()))
            for part in X.split(1)
        ],
    ),
    "a search that is differentiated": Advice(
        lambda: dtd.explain(NET, X.clone().requires_grad_(), 0, dtd.Plan([("*", dtd.Nearest())]), create_graph=True),
        "Use a rule of the catalogue there, or dtd.Tangent",
        lambda: dtd.explain(
            NET, X.clone().requires_grad_(), 0, dtd.Plan([("*", rules.choose("wsquare"))]), create_graph=True
        ),
    ),
    "second-order terms that do not fit": Advice(
        lambda: dtd.second_order(NET, X, 0, memory=100),
        "Raise it, explain fewer samples at once",
        lambda: (dtd.second_order(NET, X, 0, memory=256), dtd.second_order(NET, X[:1], 0, memory=128)),
    ),
    "walks of several samples": Advice(
        lambda: dtd.walks(SEQUENCE, torch.ones(2, 5, 4).double(), lambda y: y, LRP0, layers=[SEQUENCE.layers[0].name]),
        r"Take one, x\[:1\]",
        lambda: dtd.walks(SEQUENCE, torch.ones(1, 5, 4).double(), lambda y: y, LRP0, layers=[SEQUENCE.layers[0].name]),
    ),
    "evaluations that do not fit": Advice(
        lambda: dtd.explain(
            NET, X, 0, dtd.Plan([("0", dtd.Exact(dtd.Activations(), budget=1)), ("*", rules.choose("lrp0"))])
        ),
        "Explain fewer samples, take another model in some layers, or raise it",
        lambda: dtd.explain(NET, X, 0, dtd.Plan([("0", EXACT), ("*", rules.choose("lrp0"))])),
    ),
    "a root of the exact model that does not fit": Advice(
        lambda: dtd.explain(
            NET, X, 0, dtd.Plan([("0", dtd.Exact(dtd.Activations(), memory=1)), ("*", rules.choose("lrp0"))])
        ),
        "Take another model in some of the layers above, or raise it",
        lambda: dtd.explain(NET, X, 0, dtd.Plan([("0", EXACT), ("*", rules.choose("lrp0"))])),
    ),
    "explicit z+ on negative inputs": Advice(
        lambda: dtd.explain(STRAIGHT, X - 0.5, 0, dtd.Plan.uniform("zplus").explicit()),
        "Use the signed form",
        lambda: dtd.explain(STRAIGHT, X - 0.5, 0, dtd.Plan.uniform("zplus_signed").explicit()),
    ),
    "explicit z^B without bounds": Advice(
        lambda: dtd.explain(STRAIGHT, X, 0, dtd.Plan.uniform("zbox").explicit()),
        "Give",
        lambda: dtd.explain(STRAIGHT, X, 0, dtd.Plan.uniform("zbox", low=0.0, high=1.0).explicit()),
    ),
    "a subspace on another axis": Advice(
        lambda: dtd.explain(FILTERS, images(), 0, LRP0, through={"0": dtd.Subspace(torch.eye(3).double()[:, :1])}),
        r"Give dtd.Subspace\(matrix, axis=",
        lambda: dtd.explain(FILTERS, images(), 0, LRP0, through={"0": dtd.Subspace(torch.eye(3).double()[:, :1], axis=1)}),
    ),
    "weights without values": Advice(
        lambda: dtd.trace(nn.Linear(4, 3, device="meta").double(), X),
        r"to_empty\(device='cpu'\)",
        lambda: dtd.trace(with_values(nn.Linear(4, 3, device="meta").double()), X),
    ),
    "weights without a shape": Advice(
        lambda: dtd.trace(nn.LazyLinear(3), X.float()),
        "run the model on an example first",
        lambda: dtd.trace(run_first(nn.LazyLinear(3)), X.float()),
    ),
}


@pytest.mark.filterwarnings("ignore::dtd.GrowthWarning", "ignore::UserWarning", "ignore::DeprecationWarning")
@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_what_the_message_says_to_do_works(case):
    with pytest.raises(dtd.DTDError, match=case.says):
        case.wrong()
    case.advised()
