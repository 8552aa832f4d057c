"""Second-order terms against polynomials and Hessians, and apart from products of first-order terms."""

import pytest
import torch
from torch import Tensor, nn

import dtd


class Polynomial(nn.Module):
    """``2 x_0 + x_0 x_1 + 3 x_2²`` and, as another output, ``x_0³``."""

    def forward(self, x: Tensor) -> Tensor:
        first = 2 * x[:, :1] + x[:, :1] * x[:, 1:2] + 3 * x[:, 2:] * x[:, 2:]
        return torch.cat([first, x[:, :1] * x[:, :1] * x[:, :1]], 1)


X = torch.tensor([[1.0, -2.0, 0.5], [3.0, 0.0, -1.0]]).double()


def test_a_polynomial_of_second_degree_has_no_remainder():
    network = dtd.trace(Polynomial(), X)
    for reference in (0.0, torch.tensor([1.0, 2.0, -1.0]).double()):
        found, d = dtd.second_order(network, X, 0, reference), X - reference
        r = torch.as_tensor(reference).expand(3).double()
        slope = torch.stack([2 + r[1], r[0], 6 * r[2]])
        torch.testing.assert_close(found.first, slope * d)
        expected = torch.zeros(2, 3, 3).double()
        expected[:, 0, 1] = expected[:, 1, 0] = d[:, 0] * d[:, 1] / 2
        expected[:, 2, 2] = 3 * d[:, 2] ** 2
        torch.testing.assert_close(found.second, expected)
        assert found.remainder.abs().max() < 1e-12
    cubic = dtd.second_order(network, X, 1)
    torch.testing.assert_close(cubic.remainder, X[:, 0] ** 3)


def curved() -> tuple[nn.Module, Tensor]:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 6), nn.GELU(), nn.Linear(6, 3)).double().eval()
    return model, torch.rand(3, 4).double()


@pytest.mark.parametrize("target", [1, dtd.Unit("1", channel=2), lambda y: y * y, "tensor"])
def test_terms_are_those_of_the_hessian(target):
    model, x = curved()
    target = torch.tensor([0, 2, 1]) if isinstance(target, str) else target
    found = dtd.second_order(dtd.trace(model, x), x, target, 0.3)
    for b in range(3):

        def explained(point: Tensor, b: int = b) -> Tensor:
            if isinstance(target, dtd.Unit):
                return model[:2](point)[2]
            y = model(point)
            return (y * y).sum() if callable(target) else y[int(target[b]) if isinstance(target, Tensor) else target]

        r = torch.full((4,), 0.3).double()
        d = x[b] - r
        torch.testing.assert_close(found.first[b], torch.autograd.functional.jacobian(explained, r) * d)
        hessian = torch.autograd.functional.hessian(explained, r)
        torch.testing.assert_close(found.second[b], hessian * d[:, None] * d[None] / 2)
        rest = explained(x[b]) - explained(r) - found.first[b].sum() - found.second[b].sum()
        torch.testing.assert_close(found.remainder[b], rest.detach())


def test_products_of_first_order_terms_are_something_else():
    """A sum of functions of one feature each has no interactions, and its products of first-order terms are not 0."""
    model, x = nn.Linear(3, 1).double(), torch.rand(2, 3).double()
    linear = dtd.second_order(dtd.trace(model, x), x, 0)
    assert (linear.second == 0).all() and (linear.products.abs() > 0).any()
    torch.testing.assert_close(linear.products.sum((1, 2)), linear.first.sum(1))
    gate = dtd.second_order(dtd.trace(Polynomial(), X), X, 0)
    assert (gate.products[:, 0, 1] == 0).all() and (gate.second[0, 0, 1] != 0).all()
    piecewise = nn.Sequential(nn.Linear(3, 5), nn.ReLU(), nn.Linear(5, 2)).double()
    assert (dtd.second_order(dtd.trace(piecewise, x), x, 0, 0.5).second == 0).all()
    none = dtd.second_order(dtd.trace(Polynomial(), X), torch.zeros(1, 3).double(), 1)
    assert (none.products == 0).all()


def test_what_has_no_second_order_terms_is_refused():
    model, x = curved()
    network = dtd.trace(model, x)
    with pytest.raises(dtd.InputError, match="a function of the output; found numbers"):
        dtd.second_order(network, x, torch.ones(3, 3).double())
    with pytest.raises(dtd.BudgetError, match="3 × 4² second-order terms need 384 bytes; 'memory' is 100"):
        dtd.second_order(network, x, 0, memory=100)
    with pytest.raises(dtd.InputError, match="has no layer 'x'"):
        dtd.second_order(network, x, dtd.Unit("x", channel=0))
