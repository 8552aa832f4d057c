"""Roots: where they are, whether they are valid and why not, against the catalogue's conditions and by hand."""

from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

import dtd
from dtd import algebra
from dtd.audit.validity import Status, status
from dtd.root import mixed
from dtd.root.units import FieldUnits
from tests.cases import make_case
from tests.tolerance import RELATIVE


def layer_and_units(w, b, x, domain=None):
    """One dense layer and all of its units at an input."""
    model = nn.Linear(len(w[0]), len(w)).double()
    with torch.no_grad():
        model.weight.copy_(torch.tensor(w, dtype=torch.double))
        model.bias.copy_(torch.tensor(b, dtype=torch.double))
    x = torch.tensor(x, dtype=torch.double)
    network = dtd.trace(model, x, domain=domain or dtd.NonNegative())
    return network, x, FieldUnits(network.layers[0].op, x, torch.arange(len(w)))


@pytest.mark.parametrize(
    ("rule", "bias", "b", "expected"),
    [
        ("zplus", "fixed", Fraction(1, 2), (Fraction(5, 6), 0, Fraction(5, 3))),
        ("zplus", "neuron", Fraction(1, 2), (Fraction(5, 7), 0, Fraction(10, 7))),
        ("zplus", "fixed", Fraction(-1, 2), (Fraction(1, 2), 0, 1)),
        ("lrp0", "fixed", Fraction(1, 2), (Fraction(5, 4), Fraction(-5, 4), Fraction(5, 2))),
        ("lrp0", "neuron", Fraction(1, 2), (1, -1, 2)),
        ("gamma", "fixed", Fraction(1, 2), (Fraction(25, 22), Fraction(-10, 11), Fraction(25, 11))),
        ("wsquare", "fixed", Fraction(1, 2), (Fraction(5, 12), Fraction(5, 12), Fraction(5, 3))),
    ],
)
def test_known_exact_values(rule, bias, b, expected):
    network, x, _ = layer_and_units([[1, -1, 2]], [float(b)], [[1, 1, 1]])
    plan = dtd.Plan.uniform(rule, bias=bias)
    for chosen in (plan, plan.explicit()):
        out = dtd.explain(network, x, 0, chosen)
        torch.testing.assert_close(out.relevance, torch.tensor([[float(e) for e in expected]], dtype=torch.double))


CONDITIONED = {"lrp0": {}, "gamma": {"gamma": 0.25}, "zplus": {}, "alphabeta": {"alpha": 2.0, "beta": 1.0}, "zbox": {}}


@pytest.mark.parametrize("rule", sorted(CONDITIONED))
@settings(max_examples=150, deadline=None, derandomize=True, database=None)
@given(
    name=st.sampled_from(["linear", "conv2d", "conv_transpose1d", "conv2d_stride_dilation"]),
    signs=st.fixed_dictionaries({k: st.sampled_from(["mixed", "positive", "negative"]) for k in ("weight", "bias")}),
    seed=st.integers(0, 2**31),
)
def test_domain_condition_is_what_the_audit_finds(rule, name, signs, seed):
    """On active units with the bias fixed: the root is valid exactly when the catalogue's margins are all ≤ 0."""
    case = make_case(name, "nonnegative", 2, {**signs, "input": "sparse", "relevance": "mixed"}, seed)
    parameters = CONDITIONED[rule]
    if rule == "zbox":
        parameters = {"low": 0.0, "high": 4.0}
        case.x.clamp_(max=4.0)
    domain = dtd.Box(0.0, 4.0) if rule == "zbox" else dtd.NonNegative()
    layer = case.layer
    units = FieldUnits(layer.op, case.x, torch.arange(torch.Size(layer.op.out_shape).numel()))
    entry = dtd.rules.catalogue[rule]
    model = dtd.TrainingFree(entry.derived(**parameters))
    found = status(model, mixed(model.root.roots(units, domain)), units, domain)
    margins = torch.stack(entry.condition.margins(units, **parameters))
    scale = units.activations.abs().sum(-1) + units.bias.abs() + 1
    decided = (units.z > 1e-6) & (margins.abs() > 1e-9 * scale).all(0)
    predicted = (margins <= 0).all(0)
    assert torch.equal((found == Status.VALID)[decided], predicted[decided])


def test_every_reason_for_an_invalid_root():
    _, _, units = layer_and_units([[1, 1], [-1, 0], [1, -1], [1, 0]], [0.5, -0.5, 0.0, -0.25], [[1, 1]])
    model = dtd.TrainingFree(dtd.Ray(dtd.Activations()))
    found = status(model, mixed(model.root.roots(units, dtd.NonNegative())), units, dtd.NonNegative())[0].tolist()
    assert found == [Status.DOMAIN, Status.INACTIVE, Status.INACTIVE, Status.VALID]
    damped = dtd.TrainingFree(dtd.Ray(dtd.Activations(), "neuron", 0.1))
    found = status(damped, mixed(damped.root.roots(units, dtd.NonNegative())), units, dtd.NonNegative())[0].tolist()
    assert found == [Status.NOT_ZERO, Status.INACTIVE, Status.INACTIVE, Status.NOT_ZERO]
    behind = dtd.TrainingFree(dtd.Ray(dtd.Contributions(-1)))
    _, _, ahead = layer_and_units([[2, -1]], [0.0], [[1, 1]])
    found = status(behind, mixed(behind.root.roots(ahead, dtd.NonNegative())), ahead, dtd.NonNegative())
    assert found[0].tolist() == [Status.NO_ROOT]
    beyond = dtd.TrainingFree(dtd.Reference(torch.tensor([0.0, 3.0], dtype=torch.double)))
    found = status(beyond, mixed(beyond.root.roots(ahead, dtd.NonNegative())), ahead, dtd.NonNegative())
    assert found[0].tolist() == [Status.REGION]


@settings(max_examples=100, deadline=None, derandomize=True, database=None)
@given(seed=st.integers(0, 2**31), name=st.sampled_from(["linear", "conv2d", "conv_transpose1d", "avg_pool2d_ceil"]))
@pytest.mark.parametrize("model", [dtd.Linear, dtd.TrainingFree])
def test_reference_points_balance_and_fused_equals_explicit(model, seed, name):
    """A reference point is no root: zeroth term and remainder appear, and every part is the same in both readings."""
    signs = {"weight": "mixed", "bias": "mixed", "input": "mixed", "relevance": "mixed"}
    case = make_case(name, "real", 2, signs, seed)
    layer = case.layer
    chosen = model(dtd.Reference(0.3 * torch.ones(1, *case.network.shape, dtype=torch.double)))
    units = FieldUnits(layer.op, case.x, torch.arange(torch.Size(layer.op.out_shape).numel()))
    terms = chosen.terms(units, layer.domain, case.relevance.flatten(1))
    point = torch.full_like(units.activations, 0.3) * units.real
    z_there = (point * units.weights).sum(-1) + units.bias
    ratio = z_there / units.z
    value = ratio if model is dtd.Linear else ratio.clamp(min=0)
    scale = max(1.0, ratio.abs().max().item()) * RELATIVE[torch.float64]
    torch.testing.assert_close(terms.zeroth, case.relevance.flatten(1) * value, rtol=0, atol=10 * scale)
    parts = terms.first.sum(-1) + terms.bias + terms.zeroth + terms.remainder
    torch.testing.assert_close(parts, case.relevance.flatten(1), rtol=0, atol=10 * scale)
    assert model is dtd.TrainingFree or terms.remainder.abs().max() < 10 * scale
    with torch.no_grad():
        _, saved = chosen.forward(layer, (case.x,))
        fused = chosen.backward(layer, saved, case.relevance)
    for part in ("zeroth", "remainder", "bias"):
        expected = getattr(terms, part).sum(1)
        torch.testing.assert_close(getattr(fused.balance, part), expected, rtol=1e-9, atol=100 * scale)
    torch.testing.assert_close(fused.balance.first, terms.first.sum((1, 2)), rtol=1e-9, atol=100 * scale)


def test_roots_are_roots_and_wsquare_is_the_nearest():
    _, x, units = layer_and_units([[1.0, -2.0, 3.0]], [0.7], [[1, 1, 2]], dtd.Real())
    w, b, z = units.weights[0], units.bias[0], units.z[0, 0]
    for direction in (dtd.Activations(), dtd.Weights(), dtd.Flat(), dtd.Gamma(0.5), dtd.ToBox(-1.0, 3.0), dtd.Toward(0.5)):
        (_, root), *_ = dtd.Ray(direction).roots(units, dtd.Real())
        point = root.points(units)[0, 0]
        assert abs(point @ w + b) < 1e-12
        if isinstance(direction, dtd.Weights):
            assert abs((x[0] - point).norm() - z.abs() / w.norm()) < 1e-12


def test_a_mix_of_roots_is_the_mixed_root():
    _, _, units = layer_and_units([[1.0, -2.0, 3.0]], [0.7], [[1, 1, 2]])
    plus, minus = dtd.Ray(dtd.Contributions(1)), dtd.Ray(dtd.Contributions(-1), line=True)
    roots = dtd.Mix(((2.0, plus), (-1.0, minus))).roots(units, dtd.NonNegative())
    point = mixed(roots).points(units)[0, 0]
    assert abs(point @ units.weights[0] + units.bias[0]) < 1e-12
    with pytest.raises(dtd.InputError, match="'weights' must be an affine combination"):
        dtd.Mix(((2.0, plus), (1.0, minus)))


@pytest.mark.parametrize("domain", [dtd.NonNegative(), dtd.Box(-1.0, 2.0), dtd.Real()])
def test_reach_is_the_last_point_inside(domain):
    generator = torch.Generator().manual_seed(0)
    a = torch.rand(50, 4, generator=generator, dtype=torch.double)
    v = torch.randn(50, 4, generator=generator, dtype=torch.double)
    t = domain.reach(a, v)
    finite = t.isfinite()
    inside = a[finite] - t[finite, None] * v[finite]
    assert bool(domain.contains(inside, 1e-12).all())
    assert not bool(domain.contains(a[finite] - (t[finite, None] + 1e-6) * v[finite], 1e-12).all(-1).any())
    assert isinstance(domain, dtd.Real) == bool((~finite).all())


def test_algebra_reads_tensors_numbers_and_object_arrays_alike():
    values = [Fraction(-3, 2), Fraction(0), Fraction(5, 4)]
    array = np.array(values, dtype=object)
    tensor = torch.tensor([float(v) for v in values], dtype=torch.double)
    for function in (algebra.step, algebra.positive, algebra.negative, algebra.sign, algebra.nonzero, algebra.reciprocal):
        one_by_one = [float(function(v)) for v in values]
        assert [float(v) for v in function(array)] == one_by_one
        assert function(tensor).tolist() == pytest.approx(one_by_one)
    with pytest.raises(TypeError, match=r"algebra.step has no reading for str; register one"):
        algebra.step("a")
