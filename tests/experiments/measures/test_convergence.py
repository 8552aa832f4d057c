"""Cosine convergence against products of redistribution matrices that are written down here."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import nn

from dtd.domain import NonNegative
from dtd.network import trace
from dtd.plans.plan import Plan
from experiments.measures.convergence import convergence
from tests.models import model_and_input
from tests.tolerance import RELATIVE

CLOSE = RELATIVE[torch.float64]
WIDTHS = [6, 7, 8, 5]


@pytest.fixture
def dense() -> tuple[nn.Sequential, torch.Tensor]:
    torch.manual_seed(0)
    layers = [part for n, m in pairwise(WIDTHS) for part in (nn.Linear(n, m), nn.ReLU())][:-1]
    return nn.Sequential(*layers).double().eval(), torch.rand(2, 6, dtype=torch.double)


def by_matrices(model: nn.Sequential, x: torch.Tensor, starts: torch.Tensor) -> list[np.ndarray]:
    """Cosines at the output of each dense layer and at the input, by the z⁺ formula R_j = Σ_k a_j w⁺ R_k / Σ a w⁺."""
    a, values = x, []
    for module in model:
        values.append(a)
        a = module(a)
    r, found = starts.numpy(), []
    for module, a in reversed(list(zip(model, values, strict=True))):
        if isinstance(module, nn.Linear):
            found.append(cosines(r))
            shares = a.numpy() * np.maximum(module.weight.detach().numpy(), 0)
            total = shares.sum(1, keepdims=True)
            r = r @ np.divide(shares, total, out=np.zeros_like(shares), where=total > 0)
    return [*found, cosines(r)]


def cosines(r: np.ndarray) -> np.ndarray:
    r = r / np.linalg.norm(r, axis=1, keepdims=True)
    return (r @ r.T)[np.triu_indices(len(r), 1)]


def test_cosines_are_those_of_the_matrices_product(dense):
    model, x = dense
    model.requires_grad_(False)
    starts = torch.randn(4, 5, dtype=torch.double)
    found = convergence(trace(model, x, NonNegative()), x, starts, Plan.uniform("zplus"))
    assert [spread.layer for spread in found] == ["4", "2", "0", "(input)"]
    for sample in range(2):
        expected = by_matrices(model, x[sample], starts)
        for spread, cosine in zip(found, expected, strict=True):
            np.testing.assert_allclose(spread.cosines[sample], cosine, rtol=CLOSE, atol=CLOSE)


def test_a_layer_in_a_branch_is_left_out():
    model, x = model_and_input("residual")
    network = trace(model, x, NonNegative())
    found = convergence(network, x, torch.eye(3, dtype=torch.double), Plan.uniform("lrp0"))
    assert [spread.layer for spread in found] == ["fc", "conv1", "(input)"]
    assert all(spread.cosines.shape == (3, 3) for spread in found)
