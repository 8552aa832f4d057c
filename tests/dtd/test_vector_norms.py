"""Lengths of vectors: what each entry has of them is its gradient × input; a response norm holds its scale."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

import dtd
from tests.dtd.test_experts import Called
from tests.dtd.test_traces import rand

EXACT = {"rtol": 1e-9, "atol": 1e-12}
SIGNS = torch.tensor([1.0, -1.0, 1.0, -1.0]).double()
LENGTHS = {
    "one": lambda x: torch.linalg.vector_norm(x, 1, 1),
    "two": lambda x: torch.linalg.vector_norm(x, dim=1),
    "two over two axes": lambda x: torch.linalg.vector_norm(x, dim=(1, 2), keepdim=True).flatten(1),
    "three": lambda x: torch.linalg.vector_norm(x, 3, -1),
    "half": lambda x: torch.linalg.vector_norm(x, 0.5, -1),
    "less than none": lambda x: torch.linalg.vector_norm(x, -2, -1),
    "largest": lambda x: torch.linalg.vector_norm(x, torch.inf, 1, keepdim=True).flatten(1),
    "smallest": lambda x: torch.linalg.vector_norm(x, -torch.inf, 2),
    "norm": lambda x: x.norm(dim=1),
    "norm of order three": lambda x: x.norm(3, -1, keepdim=True).flatten(1),
    "matrix": lambda x: torch.linalg.matrix_norm(x)[:, None],
    "distance": lambda x: torch.linalg.vector_norm(x[:, :2] - x[:, 1:], dim=-1),
}


def by_autograd(function, x):
    """``x ⊙ ∂ Σ y / ∂x``."""
    point = x.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(function(point).sum(), point)
    return x * gradient


@pytest.mark.parametrize("fast", [True, False])
@pytest.mark.parametrize("name", LENGTHS)
def test_a_length_is_shared_out_by_its_gradient(name, fast):
    x = (rand(3, 3, 4, seed=4) + 0.1) * SIGNS
    network = dtd.trace(Called(LENGTHS[name]).eval(), x)
    assert network.layers[-1].image.nonnegative or network.layers[-1].kind in ("reshape", "slice")
    out = dtd.explain(network, x, lambda y: y, dtd.Plan([]), fast=fast)
    torch.testing.assert_close(out.output, LENGTHS[name](x), **EXACT)
    torch.testing.assert_close(out.relevance, by_autograd(LENGTHS[name], x), **EXACT)


def test_a_count_of_entries_has_no_slope():
    with pytest.raises(dtd.UnsupportedOp, match="counts the entries that are not 0"):
        dtd.trace(Called(lambda x: torch.linalg.vector_norm(x, 0, 1)).eval(), rand(2, 3))


class ResponseNorm(nn.Module):
    """ConvNeXt V2's norm of the channels' responses, and a head."""

    def __init__(self, held: bool):
        super().__init__()
        self.held, self.head = held, nn.Linear(4, 2, bias=False).double()
        self.gain = nn.Parameter(rand(4, seed=6))

    def forward(self, x):
        length = torch.linalg.vector_norm(x, dim=(1, 2), keepdim=True)
        scale = length / (length.mean(-1, keepdim=True) + 1e-6)
        return self.head((x + self.gain * (x * (scale.detach() if self.held else scale))).mean((1, 2)))


@pytest.mark.parametrize("plan", [None, dtd.Plan.uniform("lrp0", "neuron")], ids=["recommended", "LRP-0"])
def test_a_response_norm_is_a_norm_whose_scale_is_held(plan):
    torch.manual_seed(0)
    model, x = ResponseNorm(False).eval(), rand(2, 3, 3, 4, seed=5)
    network = dtd.trace(model, x)
    assert [layer.kind for layer in network.layers].count("norm") == 1
    assert not {"reciprocal", "product"} & {layer.kind for layer in network.layers}
    twin = ResponseNorm(True).eval()
    twin.load_state_dict(model.state_dict())
    out = dtd.explain(network, x, 1, dtd.Plan.uniform("lrp0", "neuron"))
    torch.testing.assert_close(out.relevance, by_autograd(lambda p: twin(p)[:, 1], x), **EXACT)
    total = dtd.explain(network, x, 1, plan).relevance.flatten(1).sum(1)
    torch.testing.assert_close(total, model(x).detach()[:, 1], rtol=1e-5, atol=1e-8)  # nothing stays with the scale


def test_a_unit_vector_times_another():
    """Cosine similarity: each vector with its length held, products by halves."""
    a, b = rand(2, 5, seed=1), rand(2, 5, seed=2)
    network = dtd.trace(Called(lambda a, b: F.cosine_similarity(a, b)[:, None]).eval(), (a, b))
    out = dtd.explain(network, (a, b), 0)
    cosine = (a * b) / (a.norm(dim=1) * b.norm(dim=1))[:, None]
    for part in out.relevance.values():
        torch.testing.assert_close(part, cosine / 2, **EXACT)
