"""Models in bfloat16 and float16: explained in float32 with their own weights, and followed as any model is."""

import gc
import weakref
from copy import deepcopy
from importlib import import_module

import pytest
import torch
from torch import Tensor, nn

import dtd
from tests.gradients import gradient_times_input
from tests.helpers import SENT
from tests.tiny_transformers import Looked, made

HALF = (torch.bfloat16, torch.float16)
PLANS = {"attnlrp": dtd.presets.attnlrp(), "cp_lrp": dtd.presets.cp_lrp(), "gamma": dtd.presets.attnlrp(gamma=0.25)}


def cnn(dtype: torch.dtype) -> nn.Module:
    torch.manual_seed(2)
    model = nn.Sequential(
        nn.Conv2d(2, 4, 3, padding=1),
        nn.BatchNorm2d(4),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(4, 4, 3),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(4, 3),
    )
    model[1].running_mean += torch.randn(4)
    return model.eval().to(dtype)


def picture(dtype: torch.dtype, samples: int = 3) -> Tensor:
    return torch.randn(samples, 2, 8, 8, generator=torch.Generator().manual_seed(3)).to(dtype)


def unit(dtype: torch.dtype = torch.bfloat16) -> tuple[nn.Module, Tensor]:
    torch.manual_seed(4)
    return nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2)).to(dtype), torch.randn(2, 3).to(dtype)


def last(y: Tensor) -> Tensor:
    """The logit of class 1, of next-token models after the last token."""
    chosen = torch.zeros_like(y)
    place = (slice(None), -1, 1) if y.ndim == 3 else (slice(None), 1)
    chosen[place] = y[place]
    return chosen


@pytest.mark.parametrize("dtype", HALF)
@pytest.mark.parametrize("name", ["bert", "llama", "gpt2"])
def test_a_language_model_is_explained_as_its_float32_copy_to_the_last_bit(name, dtype):
    model = made(name, "sdpa", dtype, own_norms=True)
    before = {key: value.clone() for key, value in model.state_dict().items()}
    inputs = {"input_ids": torch.tensor([[3, 7, 1, 29], [0, 2, 2, 5]])}
    network, copied = (dtd.trace(each, inputs, output="logits") for each in (model, deepcopy(model).float()))
    for plan in PLANS.values():
        found = dtd.explain(network, inputs, last, plan, verify=True)
        expected = dtd.explain(copied, inputs, last, plan)
        assert found.parts[0].dtype == found.output.dtype == torch.float32
        assert torch.equal(found.parts[0], expected.parts[0]) and found.parts[0].abs().max() > 0
        for layer, record in expected.layers.items():
            assert all(map(torch.equal, record.balance.parts(), found.layers[layer].balance.parts()))
    assert all(value.dtype == before[key].dtype and value.equal(before[key]) for key, value in model.state_dict().items())


@pytest.mark.parametrize("dtype", HALF)
@pytest.mark.parametrize("name", ["bert", "llama"])
def test_relevance_is_that_of_autograd_in_float64_with_the_same_weights(name, dtype):
    model = made(name, "sdpa", dtype)
    ids = torch.tensor([[3, 7, 1, 29], [0, 2, 2, 5]])
    out = dtd.explain(dtd.trace(model, {"input_ids": ids}, output="logits"), {"input_ids": ids}, last, ATTNLRP)
    exact = deepcopy(model).double()
    vectors = exact.get_input_embeddings()(ids)
    expected = gradient_times_input(Looked(exact, torch.ones_like(ids)), vectors, lambda y: last(y).flatten(1).sum(1))
    assert (out.parts[0] - expected).abs().max() < 1e-4 * expected.abs().max()


ATTNLRP = dtd.presets.attnlrp(epsilon=0)


@pytest.mark.parametrize("dtype", HALF)
def test_a_cnn_is_explained_in_float32_and_lrp0_is_gradient_times_input_in_float64(dtype):
    model, x = cnn(dtype), picture(dtype)
    network = dtd.trace(model, x)
    plan = dtd.Plan.uniform("lrp0", bias="neuron")
    found = dtd.explain(network, x, 1, plan, verify=True)
    exact = x.double().requires_grad_()
    (gradient,) = torch.autograd.grad(deepcopy(model).double()(exact)[:, 1].sum(), exact)
    expected = gradient * exact.detach()
    assert found.relevance.dtype == torch.float32
    assert (found.relevance - expected).abs().max() < 1e-5 * expected.abs().max()
    copied = dtd.trace(deepcopy(model).float(), x.float())
    for name in ("lrp0", "zplus_signed", "gamma_signed"):
        plan = dtd.Plan.uniform(name)
        for given in (x, x.float()):
            assert dtd.explain(network, given, 1, plan).relevance.equal(dtd.explain(copied, x.float(), 1, plan).relevance)


def test_a_changed_weight_is_followed_and_any_other_change_is_stale():
    model, x = unit()
    network = dtd.trace(model, x)
    plan = dtd.Plan.uniform("lrp0")

    def fresh() -> Tensor:
        return dtd.explain(dtd.trace(deepcopy(model).float(), x.float()), x, 0, plan).relevance

    before = dtd.explain(network, x, 0, plan).relevance
    with torch.no_grad():
        model[0].weight.mul_(2)
    assert dtd.explain(network, x, 0, plan).relevance.equal(fresh()) and not before.equal(fresh())
    model[2].weight = nn.Parameter(torch.ones(2, 4, dtype=torch.bfloat16))
    assert dtd.explain(network, x, 0, plan).relevance.equal(fresh())
    model[0].weight.data.fill_(1.5)  # the one change that torch does not count
    network.refresh()
    assert dtd.explain(network, x, 0, plan).relevance.equal(fresh())
    model.to(torch.float16)
    assert dtd.explain(network, x, 0, plan).relevance.equal(fresh())
    model.float()
    assert dtd.explain(network, x, 0, plan).relevance.equal(fresh())
    model[1] = nn.GELU()
    with pytest.raises(dtd.StaleError, match="network.retrace"):
        dtd.explain(network, x, 0, plan)
    again = network.retrace(network.model)
    assert dtd.explain(again, x, 0).relevance.isfinite().all()


def test_a_float32_network_follows_its_model_into_half_precision():
    model, x = unit(torch.float32)
    network = dtd.trace(model, x)
    model.to(torch.bfloat16)
    plan = dtd.Plan.uniform("lrp0")
    expected = dtd.explain(dtd.trace(deepcopy(model).float(), x), x, 0, plan).relevance
    assert dtd.explain(network, x, 0, plan).relevance.equal(expected) and expected.dtype == torch.float32


@pytest.mark.parametrize("inference", [False, True])
def test_everything_that_is_asked_of_a_network_is_that_of_the_float32_copy(inference):
    model, x = unit()
    plan = dtd.Plan.uniform("gamma_signed")
    other = deepcopy(model).float()
    with torch.inference_mode(inference):
        network, copied = dtd.trace(model, x), dtd.trace(other, x.float())
    for target in (dtd.Unit("0", channel=1), dtd.Difference(0, 1), [1, 0]):
        assert dtd.explain(network, x, target, plan).relevance.equal(dtd.explain(copied, x, target, plan).relevance)
    pairs = [list(dtd.explain_each(each, x, (0, 1), plan, at=["1"])) for each in (network, copied)]
    for found, expected in zip(*pairs, strict=True):
        assert found.relevance.equal(expected.relevance) and found.at["1"].output.equal(expected.at["1"].output)
    tables = [dtd.audit(each, x, 0, plan) for each in (network, copied)]
    assert tables[0].equals(tables[1])


@pytest.mark.parametrize("send", sorted(SENT))
def test_copies_of_the_network_have_the_half_precision_model(send):
    model, x = unit()
    network = dtd.trace(model, x)
    sent = SENT[send](network)
    assert {p.dtype for p in sent.model.parameters()} == {torch.bfloat16} and sent.model is not model
    plan = dtd.Plan.uniform("lrp0")
    assert dtd.explain(sent, x, 0, plan).relevance.equal(dtd.explain(network, x, 0, plan).relevance)


def test_gradients_of_relevance_reach_half_precision_weights():
    model, x = unit()
    network = dtd.trace(model, x)
    with torch.no_grad():  # the caller's mode does not matter
        out = dtd.explain(network, x, 0, dtd.Plan.uniform("lrp0"), create_graph=True)
    out.relevance.square().sum().backward()
    copied = deepcopy(model).float()
    copied.zero_grad()
    same = dtd.explain(dtd.trace(copied, x.float()), x, 0, dtd.Plan.uniform("lrp0"), create_graph=True)
    same.relevance.square().sum().backward()
    for (name, own), other in zip(model.named_parameters(), copied.parameters(), strict=True):
        if other.grad is None:
            assert own.grad is None, name
        else:
            assert own.grad.dtype == torch.bfloat16 and own.grad.equal(other.grad.to(torch.bfloat16)), name


class Flagged(nn.Module):
    """Multiplies by a number outside of the module, and by a tensor that is no parameter."""

    factor = 1.0

    def __init__(self):
        super().__init__()
        self.inner, self.held = nn.Linear(3, 3), torch.eye(3, dtype=torch.bfloat16)

    def forward(self, x: Tensor) -> Tensor:
        return self.inner(x @ self.held) * SCALE[0]


SCALE = [1.0]


def test_verify_compares_with_the_half_precision_model_within_its_rounding():
    torch.manual_seed(5)
    model, x = Flagged().to(torch.bfloat16), torch.randn(2, 3, dtype=torch.bfloat16)
    network = dtd.trace(model, x)
    assert not model(x).float().equal(dtd.explain(network, x, 0).output)  # rounding is there
    dtd.explain(network, x, 0, verify=True)
    dtd.explain(network, x.float(), 0, verify=True)
    SCALE[0] = 1.5
    try:
        with pytest.raises(dtd.TraceError, match="another output"):
            dtd.explain(network, x, 0, verify=True)
    finally:
        SCALE[0] = 1.0


class Asking(nn.Module):
    """Asks for bfloat16 by name."""

    def __init__(self):
        super().__init__()
        self.inner = nn.Linear(3, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.inner(x.to(torch.bfloat16))


def test_code_that_asks_for_half_precision_by_name_is_refused_with_the_reason():
    model, x = Asking().to(torch.bfloat16), torch.randn(2, 3)
    assert model(x).isfinite().all()
    with pytest.raises(dtd.TraceError, match=r"float32 copy.*Take the dtype from a weight \(x.to\(self.weight.dtype\)\)"):
        dtd.trace(model, x)
    Asking.forward = lambda self, x: self.inner(x.to(self.inner.weight.dtype))
    assert dtd.explain(dtd.trace(model, x), x, 0, verify=True).relevance.isfinite().all()


def test_the_float32_copy_is_gone_after_the_trace(monkeypatch):
    made_of: list[weakref.ref] = []
    module = import_module("dtd.network.trace")
    from_trace = module.in_float32

    def noted(model: nn.Module) -> nn.Module:
        copied = from_trace(model)
        made_of.extend(weakref.ref(each) for each in (copied, *copied.parameters()))
        return copied

    monkeypatch.setattr(module, "in_float32", noted)
    model, x = unit()
    network = dtd.trace(model, x)
    gc.collect()
    assert len(made_of) == 5 and all(each() is None for each in made_of)
    assert dtd.explain(network, x, 0).relevance.dtype == torch.float32


def test_tied_weights_stay_one():
    model = made("gpt2", "sdpa", torch.bfloat16)
    network = dtd.trace(model, {"input_ids": torch.tensor([[1, 2, 3]])}, output="logits")
    tensors = network.tensors
    assert (
        tensors["lm_head.weight"] is tensors["transformer.wte.weight"] and tensors["lm_head.weight"].dtype == torch.float32
    )
