"""Factors that are constant around a data point: weights that the input selects, detached and rounded values."""

import pytest
import torch
from torch import nn

import dtd
from experiments.machine import vision
from tests.dtd.test_traces import rand

EXACT = {"rtol": 1e-10, "atol": 1e-12}


def shares(share):
    """All products shared alike."""
    kinds = {"matmul": dtd.MatMulShares(share), "product": dtd.ProductShares(share)}
    return dtd.Plan([dtd.Entry(dtd.where.kind(name), model, optional=True) for name, model in kinds.items()])


PLANS = {
    "recommended": None,
    "AttnLRP": dtd.presets.attnlrp(epsilon=0),
    "halves": shares(0.5),
    "gates": shares(None),
}


class Experts(nn.Module):
    """``y = W_e x`` or ``s_e ⊙ x``, ``e`` being the input's largest entry."""

    def __init__(self, matrices, turned):
        super().__init__()
        self.weight, self.matrices, self.turned = nn.Parameter(rand(3, 3, 3) - 0.5), matrices, turned

    def forward(self, x):
        chosen = self.weight[x.argmax(1)]
        if not self.matrices:
            return chosen[:, 0] * x if self.turned else x * chosen[:, 0]
        return (chosen @ x[:, :, None])[:, :, 0] if self.turned else (x[:, None] @ chosen.mT)[:, 0]


def by_hand(model, x, k):
    """``R_j = W_kj x_j`` of the selected matrix: LRP-0 in one linear layer, and ``s_k x_k`` of a scale."""
    rows = []
    for sample in x:
        weight = model.weight.detach()[int(sample.argmax())]
        rows.append(weight[k] * sample if model.matrices else torch.eye(3, dtype=x.dtype)[k] * weight[0] * sample)
    return torch.stack(rows)


@pytest.mark.parametrize("plan", PLANS)
@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("matrices", [True, False])
@pytest.mark.parametrize("fast", [True, False])
def test_selected_weights_are_no_input(plan, turned, matrices, fast):
    model, x = Experts(matrices, turned).double().eval(), torch.eye(3, dtype=torch.double)[[0, 2, 1, 2]] + 0.3 * rand(4, 3)
    out = dtd.explain(dtd.trace(model, x), x, 1, PLANS[plan], fast=fast)
    torch.testing.assert_close(out.relevance, by_hand(model, x, 1), **EXACT)
    torch.testing.assert_close(out.relevance.sum(1), model(x).detach()[:, 1], **EXACT)


HELD = {
    "detached": lambda x: x * x.detach().exp(),
    "detached first": lambda x: x.detach().exp() * x,
    "computed further": lambda x: x * (2 * x.detach() + 1).relu().reshape(-1, 3),
    "rounded": lambda x: x * (4 * x).round(),
    "compared": lambda x: x * (x > 0.4).double(),
    "counted": lambda x: x * (x > 0.2).double().sum(1, keepdim=True),
    "looked up": lambda x: x * torch.arange(3.0, 6.0, dtype=x.dtype)[x.argsort(1)],
}


def importorskip(name):
    """A package that imports torchvision where it is installed."""
    assert vision.OPERATORS
    return pytest.importorskip(name)


class Called(nn.Module):
    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, *inputs):
        return self.function(*inputs)


@pytest.mark.parametrize("name", HELD)
@pytest.mark.parametrize("plan", PLANS)
def test_beside_a_held_factor_the_other_takes_all(name, plan):
    x = rand(4, 3, seed=3)
    network = dtd.trace(Called(HELD[name]).eval(), x)
    for fast in (True, False):
        out = dtd.explain(network, x, lambda y: y, PLANS[plan], fast=fast)
        torch.testing.assert_close(out.relevance, HELD[name](x), **EXACT)  # entry by entry: y_j = c_j x_j


def test_a_factor_that_moves_still_takes_its_half():
    x = rand(4, 3, seed=3)
    network = dtd.trace(Called(lambda x: x * x.roll(1, 1)).eval(), x)
    out = dtd.explain(network, x, lambda y: y, PLANS["halves"])
    torch.testing.assert_close(out.relevance, 0.5 * (x * x.roll(1, 1) + x * x.roll(-1, 1)), **EXACT)


@pytest.mark.parametrize("plan", PLANS)
def test_rows_times_the_matrix_of_their_group(plan):
    """As ``transformers`` computes experts where nothing is said: rows sorted by expert, and one product for each."""
    importorskip("transformers.integrations.moe")
    weight = rand(4, 8, 8, seed=1) - 0.5

    def mixture(x):
        groups, order = torch.sort(x.argmax(-1).flatten() // 2)
        ends = torch.cumsum(torch.histc(groups.float(), 4, 0, 3), 0, dtype=torch.int32)
        rows = torch.ops.transformers.grouped_mm_fallback(x.reshape(-1, 8)[order], weight, offs=ends)
        return rows[order.argsort()].reshape(x.shape).sum(1)

    x = rand(3, 5, 8, seed=2)
    out = dtd.explain(dtd.trace(Called(mixture).eval(), x), x, 4, PLANS[plan])
    groups = x.argmax(-1) // 2
    assert len(groups.unique()) > 2
    torch.testing.assert_close(out.relevance, weight[groups][..., 4] * x, **EXACT)
    torch.testing.assert_close(out.output[:, 4], (weight[groups][..., 4] * x).sum((1, 2)), **EXACT)


def mixtral(count, chosen):
    """A one-layer model in float32, the dtype that the default implementation takes, with its package's class for it."""
    package = importorskip("transformers")
    torch.manual_seed(0)
    sizes = {"num_hidden_layers": 1, "num_attention_heads": 2, "num_key_value_heads": 1, "head_dim": 8, "vocab_size": 30}
    config = package.MixtralConfig(
        hidden_size=16, intermediate_size=24, num_local_experts=count, num_experts_per_tok=chosen, **sizes
    )
    return package.MixtralForCausalLM(config).eval()


IDS = {"input_ids": torch.tensor([[3, 7, 7, 12], [5, 1, 20, 9]])}
LAST = {"output": lambda y: y.logits[:, -1]}


@pytest.mark.parametrize("experts", ["grouped_mm", "batched_mm"])
def test_experts_that_are_alike_are_one(experts):
    """``Σ_e w_e E(x) = E(x)`` for weights that sum to 1: the relevance of a model with the one expert E."""
    model, one = mixtral(3, 3), mixtral(1, 1)
    with torch.no_grad():
        for name, tensor in model.named_parameters():
            if ".experts." in name:
                tensor.copy_(20 * tensor[:1])
        state = model.state_dict()
        one.load_state_dict({k: state[k][: len(v)] if ".mlp." in k else state[k] for k, v in one.state_dict().items()})
    plan = dtd.Plan([(dtd.where.kind("product"), dtd.ProductShares(1.0)), *dtd.presets.attnlrp(epsilon=0).entries])
    found = []
    for each in (model, one):
        each.set_experts_implementation(experts)
        found.append(dtd.explain(dtd.trace(each, IDS, **LAST), IDS, 4, plan).relevance["input_ids"])
    assert float((found[0] - found[1]).abs().max()) < 1e-4 * float(found[1].abs().max())


def test_a_loop_over_experts_is_refused_with_what_to_do():
    model = mixtral(3, 2)
    model.set_experts_implementation("eager")
    with pytest.raises(dtd.TraceError, match=r"computed by 'eager': call model.set_experts_implementation\('batched_mm'\)"):
        dtd.trace(model, IDS, **LAST)
    model.set_experts_implementation("batched_mm")
    dtd.trace(model.double(), IDS, **LAST)
