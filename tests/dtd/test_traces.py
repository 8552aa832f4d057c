"""Traces of one sample: moved axes, several inputs, side values, lengths, and the ops that today's models use."""

from dataclasses import replace

import pytest
import torch
from torch import nn
from torch.nn import functional as F

import dtd
from dtd.network.above import output_from
from tests.helpers import SENT


class Call(nn.Module):
    """A function of inputs and modules."""

    def __init__(self, function, *parts):
        super().__init__()
        self.function, self.parts = function, nn.ModuleList(parts)

    def forward(self, *inputs):
        return self.function(*inputs, *self.parts)


def rand(*shape, seed=0):
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.double)


def made(model):
    """A model in float64 with random parameters."""
    model, generator = model.double().eval(), torch.Generator().manual_seed(5)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(0.4 * torch.randn(parameter.shape, generator=generator, dtype=torch.double))
    return model


def own(network, inputs):
    """The output that the network's layers give; so do their copies, each of which was copied or pickled by itself."""
    graph, values = network.read(inputs)
    output = output_from(graph, 0, values)
    for send in SENT.values():
        sent = replace(graph, layers=tuple(map(send, graph.layers)))
        torch.testing.assert_close(output_from(sent, 0, values), output, rtol=0, atol=0, equal_nan=True)
    return output


def assigned(x):
    y = x.clone()
    y[:, 0] = 2 * x[:, 1]
    return y


LEFT, RIGHT = rand(2, 3, seed=8), rand(4, 2, seed=9)
PIECEWISE_LINEAR = {  # function, shape of a sample
    "axis moved": (lambda x: x.transpose(0, 1).relu().transpose(0, 1).sum(1), (3, 4)),
    "unbind": (lambda x: sum(part * k for k, part in enumerate(x.unbind(1), 1)), (3, 4)),
    "class token": (lambda x: torch.cat([x.new_ones(x.shape[0], 1, 4), x], 1).sum(1), (3, 4)),
    "batch and head merged": (lambda x: x.reshape(-1, 4).relu().reshape(x.shape[0], -1), (3, 4)),
    "amax": (lambda x: x.amax((2, 3)), (2, 3, 4)),
    "max over an axis": (lambda x: x.max(1).values, (3, 4)),
    "topk": (lambda x: x.topk(2, -1).values, (3, 4)),
    "sort": (lambda x: x.sort(1, descending=True)[0] @ torch.arange(4.0).double(), (3, 4)),
    "maximum": (lambda x: torch.maximum(x[:, 0], x[:, 1]), (3, 4)),
    "clamp": (lambda x: x.clamp_min(torch.tensor(0.3).double()), (3, 4)),
    "where": (lambda x: torch.where(x > 0.5, x, 0.1 * x), (3, 4)),
    "masked_fill": (lambda x: x.masked_fill(torch.ones(3, 4).tril().bool(), 0.0), (3, 4)),
    "gather at argmax": (lambda x: x.gather(1, x[:, :, :1].argmax(1, keepdim=True).expand(-1, -1, 4)), (3, 4)),
    "roll": (lambda x: x.roll(1, 1)[:, :2], (3, 4)),
    "index with lists": (lambda x: x[:, [2, 0, 2]], (3, 4)),
    "unfold": (lambda x: F.unfold(x, 2), (2, 3, 4)),
    "fold": (lambda x: F.fold(x, (4, 4), 2, stride=2), (12, 4)),
    "slice assignment": (assigned, (3, 4)),
    "pixel_unshuffle": (lambda x: F.pixel_unshuffle(x, 2), (1, 4, 4)),
    "nearest": (lambda x: F.interpolate(x, scale_factor=2), (1, 3, 3)),
    "bilinear": (lambda x: F.interpolate(x, size=(5, 4), mode="bilinear", align_corners=True), (1, 3, 3)),
    "bicubic": (lambda x: F.interpolate(x, scale_factor=2, mode="bicubic"), (1, 3, 3)),
    "cumsum": (lambda x: x.cumsum(1), (3, 4)),
    "global max": (lambda x: F.adaptive_max_pool2d(x, 1), (2, 3, 3)),
    "index_add": (lambda x: x.new_zeros(x.shape[0], 2, 4).index_add(1, torch.tensor([0, 1, 0]), x), (3, 4)),
    "constant matrix": (lambda x: LEFT @ x, (3, 4)),
    "einsum": (lambda x: torch.einsum("bij,jk->bki", x, RIGHT), (3, 4)),
    "prelu per channel": (lambda x: F.prelu(x - 0.5, torch.tensor([0.1, 0.2, 0.3]).double()), (3, 4)),
}


@pytest.mark.parametrize("name", PIECEWISE_LINEAR)
def test_piecewise_linear_functions_equal_torchs_and_lrp0_is_gradient_times_input(name):
    """Relevance by LRP-0 with the bias as a neuron is gradient × input, whatever the network does to its axes."""
    function, shape = PIECEWISE_LINEAR[name]
    linear = made(nn.Linear(shape[-1], shape[-1]))
    model = Call(lambda x, layer: function(layer(x)), linear).eval()
    x = rand(3, *shape, seed=1)
    network = dtd.trace(model, x[:1])
    torch.testing.assert_close(own(network, x), model(x).detach(), rtol=1e-12, atol=1e-12)
    point = x.clone().requires_grad_()
    output = model(point)
    weights = rand(*output.shape, seed=2)
    (gradient,) = torch.autograd.grad((output * weights).sum(), point)
    kinds = {layer.kind for layer in network.layers if isinstance(layer.op, dtd.affine.AffineMap)}
    plan = dtd.Plan([(dtd.where.kind(kind), dtd.rules.choose("lrp0", bias="neuron")) for kind in sorted(kinds)])
    out = dtd.explain(network, x, lambda y: y * weights, plan)
    torch.testing.assert_close(out.relevance, gradient * x, rtol=1e-9, atol=1e-11)
    for record in out.layers.values():
        assert record.balance.gap.abs().max() < 1e-10 * max(1, record.balance.relevance.abs().max()), record.layer.name


def attention(x, hidden, layer):
    return layer(x, x, x, key_padding_mask=hidden)[0]


MODULES = {  # model, shape of a sample
    "multi-head attention": lambda: (
        Call(lambda x, m: m(x, x, x)[0], nn.MultiheadAttention(8, 2, batch_first=True)),
        (5, 8),
    ),
    "attention over the first axis": lambda: (
        Call(lambda x, m: m(*[x.transpose(0, 1)] * 3)[0].transpose(0, 1), nn.MultiheadAttention(8, 2)),
        (5, 8),
    ),
    "encoder": lambda: (nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, 16, batch_first=True), 2), (5, 8)),
    "causal encoder": lambda: (
        Call(
            lambda x, m: m(x, mask=nn.Transformer.generate_square_subsequent_mask(5, dtype=x.dtype), is_causal=True),
            nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, 16, batch_first=True), 1),
        ),
        (5, 8),
    ),
    "lstm": lambda: (Call(lambda x, m: m(x)[0], nn.LSTM(4, 3, batch_first=True)), (5, 4)),
    "lstm, both directions, stacked": lambda: (
        Call(lambda x, m: m(x.transpose(0, 1))[0][-1], nn.LSTM(4, 3, 2, bidirectional=True)),
        (5, 4),
    ),
    "gru": lambda: (Call(lambda x, m: m(x)[1][-1], nn.GRU(4, 3, batch_first=True)), (5, 4)),
    "rnn": lambda: (Call(lambda x, m: m(x)[0], nn.RNN(4, 3, batch_first=True, nonlinearity="relu")), (5, 4)),
    "group norm": lambda: (nn.GroupNorm(2, 4), (4, 3, 3)),
    "instance norm": lambda: (nn.InstanceNorm2d(4, affine=True), (4, 3, 3)),
    "glu": lambda: (nn.GLU(1), (4, 3)),
    "log softmax": lambda: (nn.LogSoftmax(1), (4, 3)),
    "division by an activation": lambda: (Call(lambda x: x[:, 0] / (1 + x[:, 1].exp())), (3, 4)),
}


@pytest.mark.parametrize("name", MODULES)
def test_modules_equal_torchs_for_any_number_of_samples_and_balance(name):
    model, shape = MODULES[name]()
    model, x = made(model), rand(4, *shape, seed=3)
    network = dtd.trace(model, x[:1])
    torch.testing.assert_close(own(network, x), model(x).detach(), rtol=1e-11, atol=1e-11)
    plan = dtd.Plan.uniform("lrp0") if network.weighted else dtd.Plan([])
    out = dtd.explain(network, x, lambda y: y, plan)
    for record in out.layers.values():
        assert record.balance.gap.abs().max() < 1e-9 * max(1, *(p.abs().max() for p in record.balance.parts()))
    alone = dtd.explain(network, x[2:3], lambda y: y, plan).relevance
    torch.testing.assert_close(out.relevance[2:3], alone, rtol=1e-7, atol=1e-9)


NORMS = {
    "layer_norm": lambda x: (x - x.mean(-1, keepdim=True)) / torch.sqrt(x.var(-1, keepdim=True, unbiased=False) + 1e-5),
    "rms_norm": lambda x: x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-6),
    "norm": lambda x: (x - x.mean((1, 2), keepdim=True)) / (x.std((1, 2), keepdim=True) + 1e-6),
    "unit length": lambda x: F.normalize(x, dim=-1),
}


@pytest.mark.parametrize("name", NORMS)
def test_a_norm_written_by_hand_is_one_layer(name):
    model, x = Call(NORMS[name]).eval(), rand(3, 4, 5)
    network = dtd.trace(model, x)
    assert [layer.kind for layer in network.layers] == ["norm" if name == "unit length" else name]
    torch.testing.assert_close(own(network, x), model(x), rtol=1e-12, atol=1e-13)


def test_a_gate_by_a_mean_is_no_norm():
    network = dtd.trace(Call(lambda x: x * x.mean(-1, keepdim=True)).eval(), rand(3, 4, 5))
    assert "product" in {layer.kind for layer in network.layers}


def test_a_mask_hides_padding_from_every_sample_alone():
    """Samples of a padded batch have the relevance that they have without the padding."""
    model = made(Call(attention, nn.MultiheadAttention(8, 2, batch_first=True)))
    x, hidden = rand(3, 5, 8), torch.arange(5)[None] >= torch.tensor([[5], [3], [4]])
    network = dtd.trace(model, (x, hidden))
    torch.testing.assert_close(own(network, (x, hidden)), model(x, hidden).detach())
    plan = dtd.Plan.uniform("lrp0")
    out = dtd.explain(network, (x, hidden), lambda y: y * ~hidden[:, :, None], plan)
    assert list(out.relevance) == ["inputs.0"] and out.relevance["inputs.0"][1, 3:].abs().max() == 0
    other = x.clone()
    other[1, 3:] = 7.0  # what is hidden does not matter
    again = dtd.explain(network, (other, hidden), lambda y: y * ~hidden[:, :, None], plan)
    torch.testing.assert_close(again.relevance["inputs.0"], out.relevance["inputs.0"])


class Words(nn.Module):
    def __init__(self):
        super().__init__()
        self.words, self.places, self.kinds = nn.Embedding(20, 8), nn.Embedding(16, 8), nn.Embedding(2, 8)
        self.layer, self.head = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True), nn.Linear(8, 3)

    def forward(self, ids, mask, kinds=None):
        x = self.words(ids) + self.places(torch.arange(ids.shape[1]))
        x = x if kinds is None else x + self.kinds(kinds)
        x = self.layer(x, src_key_padding_mask=mask == 0)
        return {"logits": self.head((x * mask[:, :, None]).sum(1) / mask.sum(1, keepdim=True)), "hidden": x}


def words(batch, length, seed=0):
    ids = torch.randint(0, 20, (batch, length), generator=torch.Generator().manual_seed(seed))
    mask = torch.ones(batch, length, dtype=torch.long)
    mask[1:, length - 1 :] = 0
    return {"ids": ids, "mask": mask}


def test_ids_are_explained_at_what_they_look_up_for_any_length():
    model = made(Words())
    network = dtd.trace(model, words(2, 5), output="logits")
    plan = dtd.Plan.uniform("lrp0")
    for length in (5, 8, 2, 3, 11, 5):
        inputs = words(3, length, seed=length)
        out = dtd.explain(network, inputs, 1, plan)
        torch.testing.assert_close(out.output, model(**inputs)["logits"].detach())
        assert out.relevance["ids"].shape == (3, length, 8)
        if length > 2:  # the last token of the second sample is padding
            cut = {name: value[1:2, :-1] for name, value in inputs.items()}
            alone = dtd.explain(network, cut, 1, plan).relevance["ids"]
            torch.testing.assert_close(out.relevance["ids"][1:2, :-1], alone, rtol=1e-7, atol=1e-10)


def test_a_single_word_is_explained_by_the_model_traced_at_length_one():
    """An axis of length 1 broadcasts, so that the graph of longer inputs does not hold for it."""
    model = made(Words())
    network, plan = dtd.trace(model, words(2, 5), output="logits"), dtd.Plan.uniform("epsilon", epsilon=0.1, bias="neuron")
    inputs = {"ids": torch.tensor([[3], [7]]), "mask": torch.ones(2, 1, dtype=torch.long)}
    out = dtd.explain(network, inputs, 1, plan)
    torch.testing.assert_close(out.output, model(**inputs)["logits"].detach())
    fresh = dtd.explain(dtd.trace(model, inputs, output="logits"), inputs, 1, plan)
    assert out.relevance["ids"].equal(fresh.relevance["ids"]) and list(out.layers) == list(fresh.layers)
    assert dtd.explain(network, {k: x[:0] for k, x in inputs.items()}, 1, plan).relevance["ids"].shape == (0, 1, 8)
    with torch.no_grad():
        model.head.weight.mul_(2)
    torch.testing.assert_close(dtd.explain(network, inputs, 1, plan).output, model(**inputs)["logits"].detach())
    model.head = nn.Identity()
    with pytest.raises(dtd.StaleError, match="head"):
        dtd.explain(network, inputs, 1, plan)


class Differences(nn.Module):
    """Differences of neighbours: there is none at length 1."""

    def forward(self, x):
        return torch.diff(x, dim=1).mean(1)


def test_a_model_that_needs_two_places_says_so_at_length_one():
    network = dtd.trace(Differences(), rand(2, 4, 3), dynamic={"input": {1: "t"}})
    with pytest.raises(dtd.InputError, match="'input'"):
        network.read(rand(2, 1, 3))


def test_bad_inputs_are_named_before_work():
    network = dtd.trace(made(Words()), words(2, 5), output="logits")
    good = words(2, 5)
    for inputs, match in (
        ({**good, "ids": good["ids"] + 20}, "'ids' must hold ids from 0 to 19"),
        ({**good, "mask": good["mask"][:, :4]}, "must have the same length"),
        ({"ids": good["ids"]}, "missing: mask"),
        ({**good, "extra": good["ids"]}, "unknown: extra"),
        ({**good, "mask": good["mask"][:1]}, "same number of samples"),
        ({**good, "mask": good["mask"].double()}, "'mask' must be torch.int64"),
    ):
        with pytest.raises(dtd.InputError, match=match):
            network.read(inputs)
    with pytest.raises(dtd.TraceError, match=r"returns 2: logits \(1, 3\), hidden \(1, s?\d+, 8\)"):
        dtd.trace(made(Words()), words(2, 5))
    with pytest.raises(dtd.InputError, match="'explained' names nothing_like_this"):
        dtd.trace(made(Words()), words(2, 5), output="logits", explained=["nothing_like_this"])


def test_several_explained_inputs_have_relevance_and_a_domain_each():
    model = made(Call(lambda x, y, a, b: a(x).relu() + b(y), nn.Linear(4, 3), nn.Linear(2, 3)))
    inputs = rand(3, 4), rand(3, 2)
    network = dtd.trace(model, inputs, {"inputs.0": dtd.Box(0.0, 1.0)})
    assert [str(each.domain) for each in network.graph.inputs] == ["Box[0, 1]", "Real"]
    out = dtd.explain(network, inputs, 0, dtd.Plan.uniform("lrp0"))
    total = sum(part.sum(1) for part in out.relevance.values())
    torch.testing.assert_close(total, out.initial.sum(1))
    one = dtd.trace(model, inputs, explained=["inputs.0"])
    assert list(dtd.explain(one, inputs, 0, dtd.Plan.uniform("lrp0")).relevance) == ["inputs.0"]


@pytest.mark.parametrize("sparse", [False, True])
def test_graphs_of_one_shape_share_their_edges(sparse):
    """An adjacency that samples share, dense or as edges: the layers of a graph network are affine in its features."""
    edges = torch.tensor([[0, 1, 2, 2], [1, 2, 0, 1]])
    dense = torch.zeros(3, 3, dtype=torch.double).index_put((edges[1], edges[0]), torch.ones(4).double())

    def passed(x, e, m):
        return torch.zeros(3, 3, dtype=x.dtype).index_add(0, e[1], m(x).index_select(0, e[0])) if sparse else e @ m(x)

    model, x = made(Call(passed, nn.Linear(4, 3, bias=False))), rand(2, 3, 4)
    side = edges if sparse else dense
    network = dtd.trace(model, (x[0], side), explained=["inputs.0"], unbatched=["inputs.0", "inputs.1"])
    out = dtd.explain(network, (x, side), lambda y: y, dtd.Plan.uniform("lrp0"))
    torch.testing.assert_close(out.output, dense @ model.parts[0](x).detach())
    torch.testing.assert_close(out.relevance["inputs.0"].sum((1, 2)), out.output.sum((1, 2)))


class Mean(nn.Module):
    def forward(self, x):
        return x - x.mean(0)


def test_what_mixes_samples_is_found_by_running_it():
    with pytest.raises(dtd.UnsupportedOp, match="aten.mean.dim.*mixes samples"):
        dtd.trace(Mean(), rand(3, 4))


def test_detached_values_are_held():
    x = rand(2, 3)
    network = dtd.trace(Call(lambda x: torch.cat([x, x.detach()], 1)).eval(), x)
    out = dtd.explain(network, x, lambda y: y, dtd.Plan([]))
    assert torch.equal(out.relevance, x)
    (held,) = [r for r in out.layers.values() if r.layer.kind == "detach"]
    torch.testing.assert_close(held.balance.bias, x.sum(1))


def test_a_mask_that_the_trace_drops_is_found():
    class Dropped(nn.Module):
        def __init__(self):
            super().__init__()
            self.linear = nn.Linear(3, 2)

        def forward(self, x, mask):
            kept = x if torch.compiler.is_compiling() else x * mask[..., None]
            return self.linear(kept.mean(1))

    with pytest.raises(dtd.TraceError, match="not the model"):
        dtd.trace(Dropped(), {"x": torch.rand(2, 4, 3), "mask": torch.ones(2, 4, dtype=torch.long)})
