"""Relevance through parts of a network: parts add up to the whole under every rule; what is stopped is in the balance."""

from fractions import Fraction

import pytest
import torch
from torch import nn

import dtd
from dtd.plans.rules import catalogue, choose
from tests.models import randomised

close = torch.testing.assert_close
DOUBLE = torch.double


class Small(nn.Module):
    """Two convolutions and two dense layers, a skip connection between."""

    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Conv2d(2, 4, 3, padding=1), nn.Conv2d(4, 4, 3, padding=1)
        self.dense, self.last = nn.Linear(16, 5), nn.Linear(5, 3)

    def forward(self, x):
        x = self.first(x).relu()
        x = (self.second(x) + x).relu()
        return self.last(self.dense(nn.functional.max_pool2d(x, 2).flatten(1)).relu())


def small():
    x = torch.rand(3, 2, 4, 4, generator=torch.Generator().manual_seed(1), dtype=DOUBLE) + 0.05
    return dtd.trace(randomised(Small(), seed=7), x, domain=dtd.Box(0.0, 2.0)), x


def rule_of(name, layer, bias):
    """A rule of the catalogue with parameters that fit a layer."""
    if name == "zbox":
        return choose(name, bias, low=-1.0, high=30.0)
    if name == "pattern":
        generator = torch.Generator().manual_seed(7)
        return choose(name, bias, pattern=torch.rand(layer.op.weight.shape, generator=generator, dtype=DOUBLE) + 0.1)
    return choose(name, bias, **{"epsilon": {"epsilon": 0.3}, "alphabeta": {"alpha": 2.0, "beta": 1.0}}.get(name, {}))


def plan_of(net, name, bias, explicit=False):
    """The rule for each layer with weights that has its domain; γ for signed inputs elsewhere."""
    entries = []
    for layer in net.graph.weighted:
        if name in ("zbox",) and not isinstance(layer.domain, dtd.Box):
            chosen = choose("lrp0", bias)
        else:
            chosen = rule_of(name, layer, bias)
        entries.append((dtd.where.exactly(layer.name), chosen))
    plan = dtd.Plan(entries)
    return plan.explicit() if explicit else plan


@pytest.mark.filterwarnings("ignore::dtd.GrowthWarning")
@pytest.mark.parametrize("explicit", [False, True])
@pytest.mark.parametrize("bias", ["fixed", "neuron", "distribute"])
@pytest.mark.parametrize("rule", sorted(catalogue))
def test_parts_add_up_to_the_whole_under_every_rule(rule, bias, explicit):
    """Σ over channels of what goes through each is the whole; each balances with what is stopped.

    What goes past the layer (a skip connection beside ``second``) is in each part, and so counted once for each but one.
    """
    net, x = small()
    plan = plan_of(net, rule, bias, explicit)
    target = torch.tensor([0, 2, 1])
    whole = dtd.explain(net, x, target, plan).relevance
    scale = float(whole.abs().max())
    for name in ("second", "relu", "sum", "dense", "last"):
        size = dict((layer.name, layer.shape[0]) for layer in net.layers)[name]
        outs = [dtd.explain(net, x, target, plan, through={name: channel}) for channel in range(size)]
        past = dtd.explain(net, x, target, plan, through={name: torch.tensor(False)})
        assert bool(past.relevance.any()) == (name == "second")
        total = sum(out.relevance for out in outs) - (size - 1) * past.relevance
        assert (total - whole).abs().max() <= 1e-9 * max(scale, *(float(o.relevance.abs().max()) for o in outs))
        for out in outs[:2]:
            kept = sum(b.bias + b.zeroth + b.remainder for b in (record.balance for record in out.layers.values()))
            left = out.relevance.flatten(1).sum(1) + kept - out.initial.flatten(1).sum(1)
            assert left.abs().max() <= 1e-9 * max(1, *(float(r.magnitude.max()) for r in out.layers.values()))
            stopped = out.layers[f"{name} through"].balance
            assert stopped.gap.abs().max() <= 1e-9 * max(1, float(stopped.relevance.abs().max()))


@pytest.mark.filterwarnings("ignore::dtd.GrowthWarning")
@pytest.mark.parametrize("rule", sorted(catalogue))
def test_subspaces_add_up_to_the_whole_under_every_rule(rule):
    """Subspaces whose projections add up to 1; where a = 0 relevance has no coefficient and lies in none of them."""
    net, x = small()
    plan = plan_of(net, rule, "fixed")
    u = torch.linalg.qr(torch.randn(4, 4, generator=torch.Generator().manual_seed(2), dtype=DOUBLE)).Q
    for name in ("relu", "sum"):
        at = dtd.explain(net, x, 1, plan, at=[name])
        value = dict(zip((each.name for each in net.layers), values_of(net, x), strict=True))[name]
        expected = dtd.explain(net, x, 1, plan, through={name: value != 0})
        for fast in (True, False):
            outs = [
                dtd.explain(net, x, 1, plan, through={name: dtd.Subspace(u[:, s])}, at=[name], fast=fast) for s in HALVES
            ]
            largest = max(float(out.at[name].passed.abs().max()) for out in outs)
            total = sum(out.at[name].passed for out in outs)
            assert (total - at.at[name].output * (value != 0)).abs().max() <= 1e-9 * largest
            most = max(float(out.relevance.abs().max()) for out in outs)
            assert (sum(out.relevance for out in outs) - expected.relevance).abs().max() <= 1e-9 * most
            for out in outs:
                assert out.layers[f"{name} through"].balance.gap.abs().max() <= 1e-9 * largest


HALVES = (slice(0, 1), slice(1, 4))


def values_of(net, x):
    """The output of every layer."""
    graph, values = net.read(x)
    return [output for _, _, _, output in graph.ascend(values)]


def test_a_subspace_is_a_layer_that_reads_it_and_one_that_writes_it_back():
    """a -> h = Uᵀ a -> a' = U h as two dense layers under LRP-0, with a mask on h: the same relevance."""
    torch.manual_seed(3)
    first, last = nn.Linear(3, 4).double(), nn.Linear(4, 2).double()
    u = torch.linalg.qr(torch.randn(4, 4, dtype=DOUBLE)).Q
    read, write = nn.Linear(4, 4, bias=False).double(), nn.Linear(4, 4, bias=False).double()
    read.weight.data, write.weight.data = u.T.clone(), u.clone()
    x = torch.rand(5, 3, dtype=DOUBLE)
    short = dtd.trace(nn.Sequential(first, nn.Sigmoid(), last), x)
    long = dtd.trace(nn.Sequential(first, nn.Sigmoid(), read, write, last), x)
    rule = choose("gamma_signed")
    for width in (1, 2, 4):
        found = dtd.explain(short, x, 1, dtd.Plan.uniform("gamma_signed"), through={"1": dtd.Subspace(u[:, :width])})
        plan = dtd.Plan([("2", choose("lrp0")), ("3", choose("lrp0")), ("*", rule)])
        expected = dtd.explain(long, x, 1, plan, through={"2": list(range(width))})
        close(found.relevance, expected.relevance)
        close(found.layers["1 through"].balance.zeroth, expected.layers["2 through"].balance.zeroth)
    oblique = torch.tensor([[1.0, 2.0], [0.0, 0.0]], dtype=DOUBLE)
    gate = dtd.Subspace(oblique)
    close(gate.passed(torch.tensor([[2.0, 3.0]]), torch.tensor([[1.0, 1.0]])), torch.tensor([[2.0, 4.0]]))


def exactly(values):
    """Numbers as fractions."""
    return [[Fraction(v) for v in row] for row in values]


def by_hand(x, w1, b1, w2, chosen, gamma):
    """LRP-γ on ``W₂ max(0, W₁ x + b₁)`` for output 0, through chosen hidden units, in exact rationals."""
    z1 = [sum(w * a for w, a in zip(row, x, strict=True)) + b for row, b in zip(w1, b1, strict=True)]
    h = [max(z, Fraction(0)) for z in z1]
    y = sum(w * a for w, a in zip(w2[0], h, strict=True))

    def shares(weights, inputs):
        boosted = [a * w * (1 + (gamma if w > 0 else 0)) for w, a in zip(weights, inputs, strict=True)]
        total = sum(boosted)
        return [part / total if total else Fraction(0) for part in boosted]

    hidden = [y * share * keep for share, keep in zip(shares(w2[0], h), chosen, strict=True)]
    lower = [Fraction(0)] * len(x)
    for k, relevance in enumerate(hidden):
        if h[k]:
            lower = [low + relevance * share for low, share in zip(lower, shares(w1[k], x), strict=True)]
    return lower


@pytest.mark.parametrize("chosen", [[True, False, False], [False, True, True], [True, True, True], [2, -1, 0.5]])
def test_masks_are_those_of_a_pass_by_hand(chosen):
    x = [Fraction(1, 2), Fraction(3, 4)]
    w1, b1 = exactly([[1, 2], [-1, 3], [2, -0.5]]), [Fraction(1, 4), Fraction(-1, 2), Fraction(1, 8)]
    w2 = exactly([[1, -0.5, 2], [0, 1, 1]])
    model = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 2, bias=False)).double()
    for layer, weight in ((model[0], w1), (model[2], w2)):
        layer.weight.data = torch.tensor([[float(v) for v in row] for row in weight], dtype=DOUBLE)
    model[0].bias.data = torch.tensor([float(b) for b in b1], dtype=DOUBLE)
    a = torch.tensor([[float(v) for v in x]], dtype=DOUBLE)
    net = dtd.trace(model, a, domain=dtd.NonNegative())
    expected = [float(v) for v in by_hand(x, w1, b1, w2, [Fraction(c) for c in chosen], Fraction(1, 4))]
    for name in ("0", "1"):
        for fast in (True, False):
            through = {name: torch.tensor(chosen)}
            found = dtd.explain(net, a, 0, dtd.Plan.uniform("gamma", gamma=0.25), through=through, fast=fast)
            close(found.relevance[0], torch.tensor(expected, dtype=DOUBLE))


def test_exact_relevance_goes_through_too():
    """The decomposition above, recomputed with its gate, is what the exact model expands: with a linear head, c = w₂ m."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2, bias=False)).double()
    x = torch.rand(2, 3, dtype=DOUBLE) + 0.1
    net = dtd.trace(model, x, domain=dtd.Box(0.0, 2.0))
    exact = dtd.Plan([("0", dtd.Exact(dtd.Activations())), ("2", choose("lrp0"))])
    linear = dtd.Plan([("0", choose("lrp0")), ("2", choose("lrp0"))])
    weights = torch.rand(2, 4, dtype=DOUBLE)
    for name, gate in (("1", [0, 2]), ("0", 3), ("1", weights), ("1", dtd.Subspace(torch.eye(4, dtype=DOUBLE)[:, 1:3]))):
        found, expected = (dtd.explain(net, x, 1, plan, through={name: gate}, at=["1"]) for plan in (exact, linear))
        close(found.relevance, expected.relevance)
        close(found.at["1"].passed, expected.at["1"].passed)


def test_parts_of_attention_add_up():
    model = randomised(nn.TransformerEncoderLayer(4, 2, 8, batch_first=True, dropout=0.0))
    x = torch.rand(2, 3, 4, dtype=DOUBLE)
    net = dtd.trace(model, x)
    target = lambda y: y  # noqa: E731
    whole = dtd.explain(net, x, target).relevance
    for layer in net.layers[:-1]:
        halves = torch.arange(layer.shape[-1]) < layer.shape[-1] // 2
        masks = (halves, ~halves, torch.tensor(False))
        one, other, past = (dtd.explain(net, x, target, through={layer.name: mask}).relevance for mask in masks)
        close(one + other - past, whole, rtol=1e-8, atol=1e-8)


def test_what_does_not_fit_is_refused():
    net, x = small()
    for through, message in (
        ({"seconds": 1}, "no layer 'seconds'. The layers are first"),
        ({"second": 4}, "A channel of layer 'second' is a number from 0 to 3"),
        ({"second": torch.ones(5)}, r"must broadcast to \(3, 4, 4, 4\), like \(C, 1, 1\)"),
        ({"second": torch.ones(2, 4, 4, 4)}, r"must broadcast to \(3, 4, 4, 4\)"),
        ({"second": "all"}, "must be a mask or weights"),
        ({"second": dtd.Subspace(torch.eye(3))}, "has 3 channels; axis 0 of its output"),
        ({"second": dtd.Unit("first", channel=0)}, "'through' at layer 'second' is a unit of layer 'first'"),
        (["second"], "'through' maps layers' names"),
    ):
        with pytest.raises(dtd.InputError, match=message):
            dtd.explain(net, x, 0, through=through)
    with pytest.raises(dtd.NonFiniteError, match="must be finite"):
        dtd.explain(net, x, 0, through={"second": torch.full((4, 1, 1), torch.nan)})
    with pytest.raises(dtd.InputError, match="orthonormal columns"):
        dtd.Subspace(torch.ones(3, 3))
