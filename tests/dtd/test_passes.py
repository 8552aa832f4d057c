"""What an explanation costs, counted: convolutions and products, tensors saved between the sweeps, modified weights."""

from collections import Counter
from dataclasses import replace

import pytest
import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

import dtd
from dtd import presets
from dtd.fast.kernels.fastest import fastest
from dtd.fast.kernels.streaming import StreamedDense
from tests.helpers import passes_of, program_of, saved_bytes

PASSES = {"convolution", "mm", "addmm", "mkldnn_linear"}


class Counting(TorchDispatchMode):
    """Counts ops by name."""

    def __init__(self):
        super().__init__()
        self.calls = Counter()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        self.calls[func.overloadpacket.__name__] += 1
        return func(*args, **(kwargs or {}))

    @property
    def passes(self) -> int:
        return sum(self.calls[name] for name in PASSES)


def network(dtype=torch.float32):
    torch.manual_seed(0)
    model = nn.Sequential(
        *(nn.Conv2d(3, 20, 3, padding=1), nn.ReLU(), nn.Conv2d(20, 20, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(20, 20, 3), nn.ReLU(), nn.Flatten(), nn.Linear(80, 30), nn.ReLU(), nn.Linear(30, 4)),
    )
    return dtd.trace(model.eval().to(dtype), torch.rand(2, 3, 8, 8, dtype=dtype), domain=dtd.Box(0.0, 1.0))


LAYERS = 5
PLANS = {  # passes of a plan; gradient × input has 2 for each layer
    "lrp0": (dtd.Plan.uniform("lrp0", bias="neuron"), 2 * LAYERS),
    "epsilon": (dtd.Plan.uniform("epsilon", epsilon=0.1), 2 * LAYERS),
    "gamma": (dtd.Plan.uniform("gamma"), 3 * LAYERS),
    "zplus": (dtd.Plan.uniform("zplus"), 3 * LAYERS),
    "alphabeta": (dtd.Plan.uniform("alphabeta"), 4 * LAYERS),
    "gamma_signed": (dtd.Plan.uniform("gamma_signed"), 3 * LAYERS + 1),  # the output has units of either sign
    "wsquare": (dtd.Plan.uniform("wsquare"), 2 * LAYERS),
    "zbox": (dtd.Plan([(dtd.where.first, dtd.rules.choose("zbox")), ("*", dtd.rules.choose("lrp0", "neuron"))]), 2 * LAYERS),
    "deep_taylor_2017": (presets.deep_taylor_2017(), 2 + 3 * (LAYERS - 1)),
    "epsilon_plus": (presets.epsilon_plus(), 3 * 3 + 2 * 2),
}


@pytest.mark.parametrize("name", sorted(PLANS))
def test_passes_are_those_of_the_arithmetic(name):
    net, (plan, expected) = network(), PLANS[name]
    x = torch.rand(2, 3, 8, 8)
    dtd.explain(net, x, 0, plan)
    with Counting() as counting:
        dtd.explain(net, x, 0, plan)
    assert counting.passes == expected, dict(counting.calls)


@pytest.mark.parametrize("name", ["lrp0", "gamma", "zplus", "alphabeta"])
def test_one_tensor_is_saved_for_each_search(name):
    """The outputs of the five layers, for αβ twice, and the winners of the pooling in int64."""
    net, plan = network(), PLANS[name][0]
    x = torch.rand(2, 3, 8, 8)
    with torch.no_grad():
        state = program_of(net, plan).forward({-1: x})
    outputs = 2 * (2 * 20 * 64 + 20 * 4 + 30 + 4)
    winners = 2 * 20 * 16
    allowed = 4 * outputs * (2 if name == "alphabeta" else 1) + 8 * winners + 4 * x.numel()
    assert saved_bytes(state) <= allowed


def test_targets_share_the_forward_sweep():
    net, plan = network(), dtd.Plan.uniform("zplus")
    x = torch.rand(2, 3, 8, 8)
    list(dtd.explain_each(net, x, range(4), plan))
    with Counting() as counting:
        list(dtd.explain_each(net, x, range(4), plan))
    assert counting.passes == 2 * LAYERS + 4 * LAYERS


def test_modified_weights_are_made_once_and_anew_when_a_parameter_changes():
    net, plan = network(), dtd.Plan.uniform("gamma", gamma=0.5)
    x = torch.rand(2, 3, 8, 8)
    before = dtd.explain(net, x, 0, plan).relevance
    first, layer = passes_of(net, plan)[0], net.layers[0]
    kept = dict(first._modified)
    assert torch.equal(dtd.explain(net, x, 0, plan).relevance, before) and passes_of(net, plan)[0] is first
    assert all(first._modified[key] is weight for key, weight in kept.items()) and len(first._modified) == len(kept) == 1
    with torch.no_grad():
        net.model[2].bias.add_(0.5), net.model[0].weight.neg_()
    after = dtd.explain(net, x, 0, plan).relevance
    assert net.layers[0] is not layer and passes_of(net, plan)[0] is not first
    assert torch.equal(after, dtd.explain(dtd.trace(net.model, x, domain=dtd.Box(0.0, 1.0)), x, 0, plan).relevance)


def test_a_graph_remembers_few_programs():
    net, x = network(), torch.rand(1, 3, 8, 8)
    for gamma in range(12):
        plan = dtd.Plan.uniform("gamma", gamma=gamma / 10)
        dtd.explain(net, x, 0, plan)
    assert len(net.graph.programs) == 4 and all(len(passes._modified) == 1 for passes in passes_of(net, plan))


@pytest.mark.parametrize("rule", ["lrp0", "gamma", "zbox"])
def test_micro_batches_change_nothing(rule, monkeypatch):
    net, plan, x = network(), PLANS[rule][0], torch.rand(7, 3, 8, 8)
    target = torch.tensor([0, 1, 2, 3, 0, 1, 2])
    whole = dtd.explain(net, x, target, plan)
    monkeypatch.setattr("dtd.fast.program.LARGE_TENSOR", 3 * 20 * 64 * 4)
    with torch.no_grad():
        state = program_of(net, plan).forward({-1: x})
    assert state.samples == 3 and len(state.lower) == 3 and len(state.upper.stages) < len(state.lower[0].stages) + 4
    parts = dtd.explain(net, x, target, plan)
    torch.testing.assert_close(parts.relevance, whole.relevance, rtol=1e-5, atol=1e-6)
    again = list(dtd.explain_each(net, x, [target, target], plan))
    assert all(torch.equal(each.relevance, parts.relevance) for each in again)


@pytest.mark.parametrize("batch", [2, 40])  # a sum for each thread while these are small, or one
@pytest.mark.parametrize("threads", [1, 2, 3])
def test_large_weights_are_modified_block_by_block(monkeypatch, threads, batch):
    net, x = network(torch.double), torch.rand(batch, 3, 8, 8, dtype=torch.double)
    plans = [PLANS[name][0] for name in ("gamma", "zplus", "alphabeta", "lrp0")]
    kept = [dtd.explain(net, x, 0, plan).relevance for plan in plans]
    monkeypatch.setattr("dtd.fast.kernels.streaming.LARGE_WEIGHT", 100)
    monkeypatch.setattr("dtd.fast.kernels.streaming.CACHED", 1500)
    monkeypatch.setattr("dtd.fast.kernels.streaming.torch.get_num_threads", lambda: threads)
    net.refresh()
    for plan, expected in zip(plans, kept, strict=True):
        torch.testing.assert_close(dtd.explain(net, x, 0, plan).relevance, expected, rtol=1e-5, atol=1e-6)
    dense = [passes for plan in plans for passes in passes_of(net, plan) if isinstance(passes, StreamedDense)]
    assert len(dense) == 2 * len(plans) and all(not passes._modified for passes in dense)


@pytest.mark.parametrize(("few", "keeps"), [(1, False), (2 * 64 + 1, True)])  # two samples, and 8 × 8 places at most
@pytest.mark.parametrize("name", ["gamma", "gamma_signed", "zplus", "alphabeta"])
def test_large_modified_weights_are_kept_where_they_are_used_at_few_places(monkeypatch, name, few, keeps):
    net, x = network(torch.double), torch.rand(2, 3, 8, 8, dtype=torch.double)
    plan = PLANS[name][0]
    expected = dtd.explain(net, x, 0, plan).relevance
    monkeypatch.setattr("dtd.fast.kernels.passes.KEPT", 0)
    monkeypatch.setattr("dtd.fast.kernels.passes.FEW", few)
    net.refresh()
    torch.testing.assert_close(dtd.explain(net, x, 0, plan).relevance, expected, rtol=1e-10, atol=1e-12)
    assert all(bool(passes._modified) == keeps for passes in passes_of(net, plan))


def test_reduced_precision_is_close_and_only_on_request():
    net, x = network(), torch.rand(2, 3, 8, 8)
    plan = PLANS["zplus"][0]
    exact, reduced = dtd.explain(net, x, 0, plan), dtd.explain(net, x, 0, plan, pass_dtype=torch.bfloat16)
    error = (reduced.relevance - exact.relevance).norm() / exact.relevance.norm()
    assert 0 < error < 2e-2 and torch.equal(exact.output, reduced.output)
    assert torch.equal(
        dtd.explain(net, x, 0, PLANS["lrp0"][0], pass_dtype=torch.bfloat16).relevance,
        dtd.explain(net, x, 0, PLANS["lrp0"][0]).relevance,
    )
    with pytest.raises(dtd.InputError, match=r"'pass_dtype' must be torch.bfloat16 or None; found torch.float16"):
        dtd.explain(net, x, 0, PLANS["lrp0"][0], pass_dtype=torch.float16)


def test_what_is_for_processors_is_left_alone_elsewhere(monkeypatch):
    """Micro-batches and blocks of rows; the device without data stands for one with an allocator and caches of its own."""
    net = network()
    program = program_of(net, PLANS["gamma"][0])
    (dense,) = (layer.op for layer in net.layers if layer.name == "8")
    elsewhere = replace(dense, weight=dense.weight.to("meta"))
    monkeypatch.setattr("dtd.fast.program.LARGE_TENSOR", 2**12)
    monkeypatch.setattr("dtd.fast.kernels.streaming.LARGE_WEIGHT", 2**10)
    x = torch.rand(40, 3, 8, 8)
    assert program.split({-1: x})[0] > 0 and program.split({-1: x.to("meta")}) == (0, 40)
    assert type(fastest(dense)) is StreamedDense and type(fastest(elsewhere)) is not StreamedDense
