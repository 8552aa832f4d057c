"""Classes that a user writes receive objects of their own: each kind here overwrites all that it is handed, and nothing else
changes."""

from dataclasses import dataclass

import pytest
import torch
from torch import Tensor, nn

import dtd
from dtd.affine import AffineMap
from dtd.callers.copies import Handed
from dtd.propagation import Contextual, Propagation
from dtd.root import Search
from tests.dtd.faults import LRP0, close, mlp, rows

BOX = dtd.Box(torch.zeros(1, 4).double(), torch.ones(1, 4).double())


def overwrite(value, seen=None):
    """NaN, or 0 for integers, in every tensor that can be reached."""
    seen = set() if seen is None else seen
    if id(value) in seen:
        return
    seen.add(id(value))
    if isinstance(value, Tensor):
        value.fill_(torch.nan if value.is_floating_point() else 0)
    elif isinstance(value, (tuple, list)):
        for each in value:
            overwrite(each, seen)
    elif isinstance(value, dict):
        overwrite(list(value.values()), seen)
    elif isinstance(value, Handed):
        overwrite(vars(value), seen)


@dataclass(frozen=True)
class Bound(dtd.Direction):
    """γ's direction; overwrites the domain and the biases that it is handed."""

    def factors(self, domain):
        found = dtd.Gamma(0.25).factors(domain)
        overwrite(domain)
        return tuple(dtd.Factor(lambda a, f=f: spoiled(f.activation, a), lambda w, f=f: spoiled(f.weight, w)) for f in found)

    def bias(self, b):
        return spoiled(dtd.Gamma(0.25).bias, b)

    def bias_on(self, b, z):
        found = dtd.Gamma(0.25).bias_on(b, z) + 0
        overwrite((b, z))
        return found

    def bound(self, domain):
        overwrite(domain)
        return self


def spoiled(function, value):
    """A function's value at a tensor, which is then overwritten."""
    found = function(value)
    found = found.clone() if isinstance(found, Tensor) else found
    overwrite(value)
    return found


@dataclass(frozen=True)
class Stepping(Search):
    """The root on a ray by a denominator of one's own."""

    direction: dtd.Direction
    bias: str = "neuron"

    def denominator(self, n, z, context):
        found = n + 0 * context(lambda values: spoiled(torch.abs, values))
        overwrite((n, z))
        return found

    def found(self, denominator, z):
        found = denominator != 0
        overwrite((denominator, z))
        return found


@dataclass(frozen=True)
class Searching(dtd.RootStrategy):
    """The roots of another strategy, as explicit ones."""

    strategy: dtd.RootStrategy

    def roots(self, units, domain):
        for name in ("activations", "weights", "bias", "z"):
            getattr(units, name)
        cached = [units.activations, units.weights, units.bias, units.z]
        found = [(weight, dtd.Root(root.shift.clone(), root.bias_shift.clone(), root.exists.clone())) for weight, root in
                 self.strategy.roots(units, domain)]  # fmt: skip
        units.of_activations(lambda a: a.fill_(torch.nan)), units.of_weights(lambda w: w.fill_(torch.nan))
        overwrite((units, domain, cached))
        yield from found

    def check(self, layer, a):
        overwrite((layer, a))


@dataclass(frozen=True)
class Own(dtd.RelevanceModel):
    """The linear model."""

    def value(self, r):
        return spoiled(lambda r: r * 1, r)

    def slope(self, r, tolerance):
        found = torch.ones_like(r)
        overwrite((r, tolerance))
        return found

    def defined(self, z):
        return spoiled(lambda z: z != 0, z)

    def in_region(self, r, tolerance):
        found = torch.ones_like(r, dtype=torch.bool)
        overwrite((r, tolerance))
        return found


@dataclass(frozen=True, eq=False)
class Passing(Propagation):
    """LRP-0 as a rule of one's own, with a layer, activations, relevance and what it saved overwritten."""

    rule: Propagation

    def accepts(self, layer):
        overwrite(layer)
        return isinstance(layer.op, AffineMap)

    def sample_wise(self, layer):
        overwrite(layer)
        return True

    def forward(self, layer, inputs):
        y, saved = self.rule.forward(layer, tuple(a.clone() for a in inputs))
        overwrite((layer, inputs))
        return y, saved

    def backward(self, layer, saved, relevance):
        found = self.rule.backward(layer, saved, relevance.clone())
        overwrite((layer, saved, relevance))
        return found


@dataclass(frozen=True, eq=False)
class Looking(Contextual):
    """The same by way of what the layers above received."""

    rule: Propagation

    def accepts(self, layer):
        return isinstance(layer.op, AffineMap)

    def forward(self, layer, inputs):
        y = layer(*inputs).clone()
        overwrite((layer, inputs))
        return y, None

    def decompose(self, layer, context, relevance):
        a = context.values[layer.inputs[0]].clone()
        found = self.rule.backward(layer, self.rule.forward(layer, (a,))[1], relevance.clone())
        overwrite((layer, context, relevance, context.above.scale))
        return found


@dataclass(frozen=True, eq=False)
class Formula(dtd.lrp.LRPZero):
    """LRP-0 with a step of its own."""

    def pairs(self, *values):
        found = [(a.clone(), w.clone()) for a, w in super().pairs(*values)]
        overwrite(values)
        return found


def two(rule):
    return dtd.Plan([("*", rule)])


GAMMA = dtd.Gamma(0.25)
KINDS = {
    "direction": (two(dtd.Linear(dtd.Ray(Bound(), "neuron"))), two(dtd.Linear(dtd.Ray(GAMMA, "neuron")))),
    "search": (two(dtd.Linear(Stepping(GAMMA))), two(dtd.Linear(dtd.Ray(GAMMA, "neuron", line=True)))),
    "roots": (two(dtd.Linear(Searching(dtd.Ray(GAMMA)))), two(dtd.Linear(dtd.Ray(GAMMA)))),
    "roots in a mix": (
        two(dtd.Linear(dtd.Mix(((2.0, Searching(dtd.Ray(GAMMA))), (-1.0, dtd.Ray(dtd.Weights())))))),
        two(dtd.Linear(dtd.Mix(((2.0, dtd.Ray(GAMMA)), (-1.0, dtd.Ray(dtd.Weights())))))),
    ),
    "relevance model": (two(Own(dtd.Reference(0.1))), two(dtd.Linear(dtd.Reference(0.1)))),
    "relevance model at roots": (two(Own(dtd.Nearest())), two(dtd.Linear(dtd.Nearest()))),
    "propagation": (two(Passing(dtd.lrp.LRPZero())), two(dtd.lrp.LRPZero())),
    "looking above": (two(Looking(dtd.lrp.LRPZero())), two(dtd.lrp.LRPZero())),
    "formula": (two(Formula()), two(dtd.lrp.LRPZero())),
}


class Branches(nn.Module):
    """Two layers read the same activations, so that what one writes would be seen by the other."""

    def __init__(self):
        super().__init__()
        self.a, self.b = mlp(), mlp()
        with torch.no_grad():
            self.b[0].weight.mul_(0.5)

    def forward(self, x):
        return self.a(x) + self.b(x)


@pytest.mark.parametrize("fast", [True, False])
@pytest.mark.parametrize(("plan", "plain"), KINDS.values(), ids=KINDS)
def test_what_is_overwritten_is_a_copy(plan, plain, fast):
    model, x = Branches().eval(), rows()
    before, given = {k: v.clone() for k, v in model.state_dict().items()}, x.clone()
    network = dtd.trace(model, x, domain=BOX)
    for target in (0, 1):
        close(dtd.explain(network, x, target, plan, fast=fast), dtd.explain(network, x, target, plain, fast=fast))
    for found, expected in zip(*(dtd.explain_each(network, x, [0, 1, 0], each) for each in (plan, plain)), strict=True):
        close(found, expected)
        for name, record in found.layers.items():
            assert float((record.balance.first - expected.layers[name].balance.first).abs().max()) < 1e-10
    assert torch.equal(x, given) and torch.equal(BOX.low, torch.zeros(1, 4).double())
    assert all(torch.equal(v, before[k]) for k, v in model.state_dict().items())


@pytest.mark.parametrize("kind", ["direction", "search", "roots", "relevance model at roots"])
def test_an_audit_hands_out_copies_too(kind):
    model, x = Branches().eval(), rows()
    network = dtd.trace(model, x, domain=BOX)
    found, expected = (dtd.audit(network, x, 0, plan) for plan in KINDS[kind])
    for name in ("relevance", "first", "bias", "zeroth", "remainder"):
        assert float((found[name] - expected[name]).abs().max()) < 1e-10
    torch.testing.assert_close(dtd.explain(network, x, 0, LRP0, verify=True).output, model(x).detach())


def test_an_opaque_layer_that_writes_into_its_argument_is_explained_as_the_model_computes_or_refused():
    class Writes(nn.Module):
        def forward(self, a):
            return a.mul_(2).tanh_()

    class Whole(nn.Module):
        def __init__(self, reads):
            super().__init__()
            self.fc, self.o, self.reads = mlp()[0], Writes(), reads

        def forward(self, x):
            h = self.fc(x)
            y = self.o(h)
            return y + h if self.reads else y

    x = rows()
    plan = dtd.Plan([("o", dtd.Generic()), ("*", dtd.lrp.LRPZero())])
    for reads in (False, True):
        model = Whole(reads).eval()
        try:
            network = dtd.trace(model, x, opaque=[Writes])
        except dtd.DTDError:
            continue
        given = x.clone()
        found = dtd.explain(network, given, 0, plan, verify=True)
        torch.testing.assert_close(found.output, model(x.clone()).detach())
        assert torch.equal(given, x)


def test_an_output_function_that_writes_into_what_the_model_returns():
    model, x = mlp(), rows()
    network = dtd.trace(model, x, output=lambda y: y.mul_(2))
    torch.testing.assert_close(dtd.explain(network, x, 0, LRP0, verify=True).output, 2 * model(x).detach())


def test_shipped_objects_are_handed_what_there_is():
    """No copy: the methods of the package's own classes are those that were written."""
    for kind in (dtd.Ray, dtd.Nearest, dtd.Gamma, dtd.TrainingFree, dtd.Linear, dtd.lrp.LRPZero, dtd.Identity, dtd.Box):
        for base in kind.__mro__:
            assert not any(hasattr(method, "__wrapped__") for method in vars(base).values() if callable(method)), kind
    assert hasattr(Passing.forward, "__wrapped__")
