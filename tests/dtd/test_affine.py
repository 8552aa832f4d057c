"""The contract of an affine map, for every layer: it is the module, its transpose is its adjoint, its rows are its rows."""

import pytest
import torch

import dtd
from dtd.network.activations import activations
from dtd.root.units import FieldUnits
from tests.cases import LAYERS, make_case
from tests.models import MODELS, model_and_input

MIXED = dict.fromkeys(("weight", "bias", "input", "relevance"), "mixed")


@pytest.fixture(params=sorted(LAYERS))
def case(request):
    return make_case(request.param, "real", 2, MIXED, seed=3)


def test_the_map_is_the_module(case):
    z = case.layer.op.apply(case.x)
    torch.testing.assert_close(z.flatten(1), case.module(case.x).flatten(1).detach(), rtol=1e-12, atol=1e-13)


def test_transpose_is_the_adjoint_for_any_weight(case):
    affine = case.layer.op
    generator = torch.Generator().manual_seed(5)
    rho = torch.randn(affine.weight.shape, generator=generator, dtype=torch.double)
    s = torch.randn(2, *affine.out_shape, generator=generator, dtype=torch.double)
    up, down = (s * affine.linear(case.x, rho)).sum(), (affine.transpose(s, rho) * case.x).sum()
    torch.testing.assert_close(up, down, rtol=1e-10, atol=1e-12)


def test_rows_and_receptive_fields_rebuild_every_unit(case):
    affine = case.layer.op
    units = FieldUnits(affine, case.x, torch.arange(torch.Size(affine.out_shape).numel()))
    torch.testing.assert_close(units.z, affine.apply(case.x).flatten(1), rtol=1e-10, atol=1e-12)
    jacobian = torch.autograd.functional.jacobian(lambda a: affine.apply(a).flatten(), case.x[:1]).flatten(1)
    rows = torch.zeros_like(jacobian).flatten()
    place = units.index[:, None] * jacobian.shape[1] + units.field.clamp(min=0)
    rows.scatter_add_(0, place.flatten(), (units.weights * units.real).flatten())
    torch.testing.assert_close(rows.view_as(jacobian), jacobian, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("name", sorted(MODELS))
@pytest.mark.parametrize("domain", [dtd.Box(0.0, 1.0), dtd.NonNegative(), dtd.Real()])
@pytest.mark.parametrize("folded", [True, False])
def test_inferred_domains_hold_what_is_reached(name, domain, folded):
    model, x = model_and_input(name, batch=64)
    x = x if domain.nonnegative else 4 * x - 2
    network = dtd.trace(model, x, domain=domain, fold_batch_norm=folded)
    for layer, a, y in activations(network, x):
        assert bool(layer.domain.contains(a, 1e-12).all()), f"{layer.name} receives values outside {layer.domain}"
        assert bool(layer.image.contains(y, 1e-12).all()), f"{layer.name} returns values outside {layer.image}"


def test_tensor_bounds_travel_with_the_data():
    model, x = model_and_input("one_dimensional", batch=64)
    low = torch.tensor([[[-1.0], [0.5]]], dtype=torch.double)
    high = torch.tensor([[[2.0], [0.75]]], dtype=torch.double)
    network = dtd.trace(model, x, domain=dtd.Box(low, high), fold_batch_norm=False)
    x = low + (high - low) * x
    for layer, a, y in activations(network, x):
        assert bool(layer.domain.contains(a, 1e-12).all() and layer.image.contains(y, 1e-12).all()), layer.name
    norm = network["norm"]
    scale = norm.op.weight
    width = torch.as_tensor(norm.image.high) - torch.as_tensor(norm.image.low)
    torch.testing.assert_close(width.flatten(), (scale.abs() * (high - low)[0]).expand(2, 8).flatten())


@pytest.mark.parametrize(
    ("weight", "bias", "expected"), [(1.0, 0.5, dtd.NonNegative), (-1.0, 0.5, dtd.Real), (1.0, -0.5, dtd.Real)]
)
def test_only_non_negative_weights_and_biases_keep_a_dense_layer_non_negative(weight, bias, expected):
    model = torch.nn.Linear(2, 1).double()
    with torch.no_grad():
        model.weight.fill_(weight), model.bias.fill_(bias)
    network = dtd.trace(model, torch.rand(2, 2, dtype=torch.double), domain=dtd.NonNegative())
    assert type(network.layers[0].image) is expected
