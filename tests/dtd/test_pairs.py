"""Pairs (BiLRP) against the Hessian, against all pairs by definition, and against what they must add up to."""

import copy
import pickle
import warnings

import pytest
import torch
from torch import Tensor, nn

import dtd
from dtd.explaining.observe import observe
from dtd.explaining.pair_side import OneOutput
from dtd.explaining.pairs import CHUNK, pairs
from tests.tolerance import RELATIVE

CLOSE = RELATIVE[torch.float64]
RULES = ("lrp0", "gamma", "zplus_signed", "alphabeta", "wsquare", "flat", "epsilon")


def embedding(bias: bool) -> nn.Module:
    torch.manual_seed(3)
    layers = [nn.Linear(5, 8, bias), nn.ReLU(), nn.Linear(8, 6, bias), nn.ReLU(), nn.Linear(6, 4, bias)]
    return nn.Sequential(*layers).double().eval()


def inputs(*shape: int) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(1)
    return tuple(torch.randn(*shape, generator=generator, dtype=torch.float64) for _ in range(2))


def dot(model: nn.Module, x: Tensor, other: Tensor) -> Tensor:
    """``⟨φ(x), φ(x′)⟩`` of two samples."""
    return (model(x[None]) * model(other[None])).sum()


def kept_of(side) -> Tensor:
    """Bias, zeroth and remainder, layers added up. # shape: (3, B)"""
    return torch.stack([sum(getattr(b, part) for b in side.balances.values()) for part in dtd.propagation.PARTS[1:]])


def test_lrp0_without_biases_is_the_hessian_form():
    model, (x, other) = embedding(bias=False), inputs(3, 5)
    found = dtd.pairs(dtd.trace(model, x), x, other, dtd.Plan.uniform("lrp0")).product()
    for b in range(3):
        mixed = torch.autograd.functional.hessian(lambda *two: dot(model, *two), (x[b], other[b]))[0][1]
        torch.testing.assert_close(found[b], x[b][:, None] * mixed * other[b][None], rtol=CLOSE, atol=CLOSE)


@pytest.mark.parametrize("cosine", [False, True])
@pytest.mark.parametrize("rule", RULES)
def test_the_product_is_that_of_all_units_by_definition_and_its_table_balances(rule, cosine):
    model, (x, other) = embedding(bias=True), inputs(3, 5)
    network, plan = dtd.trace(model, x), dtd.Plan.uniform(rule)
    found = dtd.pairs(network, x, other, plan, cosine=cosine)
    outputs = model(x).detach(), model(other).detach()
    similarity = (outputs[0] * outputs[1]).sum(1)
    norms = outputs[0].norm(dim=1) * outputs[1].norm(dim=1) if cosine else torch.ones(3).double()
    torch.testing.assert_close(found.similarity, similarity / norms)
    expected, table = 0, 0
    for m in range(4):
        sides = [observe(network, each, OneOutput((m,)), plan) for each in (x, other)]
        factors = [side.relevance[-1] for side in sides]
        expected = expected + factors[0][:, :, None] * factors[1][:, None, :]
        parts = [torch.cat([f.sum(1)[None], kept_of(s)]) for f, s in zip(factors, sides, strict=True)]
        table = table + parts[0][:, None] * parts[1][None]
    allowed = 1e-9 * float(expected.abs().max())
    torch.testing.assert_close(found.product(), expected / norms[:, None, None], rtol=1e-9, atol=allowed)
    balance = found.balance
    torch.testing.assert_close(balance.table, table.movedim(2, 0) / norms[:, None, None], rtol=1e-8, atol=1e2 * allowed)
    assert bool((balance.gap.abs() <= 1e-9 * balance.table.abs().sum((1, 2))).all())
    whole = balance.first + balance.left + balance.right + balance.both
    torch.testing.assert_close(whole, found.similarity, rtol=1e-8, atol=1e2 * allowed)
    torch.testing.assert_close(found.conservation(), balance.first / found.similarity, rtol=1e-8, atol=1e-9)
    torch.testing.assert_close(found.product().sum((1, 2)), balance.first, rtol=1e-8, atol=1e2 * allowed)
    for mine, axis in zip(found.marginals(), (2, 1), strict=True):
        torch.testing.assert_close(mine, found.product().sum(axis), rtol=1e-8, atol=1e2 * allowed)


def test_kept_parts_stand_on_the_side_that_keeps_them():
    """Only the left side of this pair has a bias that takes a share: the units of the right input are all inactive there."""
    model = nn.Linear(1, 1).double()
    with torch.no_grad():
        model.weight.fill_(2.0), model.bias.fill_(3.0)
    x, other = torch.ones(1, 1).double(), -1.5 * torch.ones(1, 1).double()
    found = dtd.pairs(dtd.trace(model, x), x, x + 1, dtd.Plan.uniform("lrp0", bias="neuron"))
    balance = found.balance  # (2 + 3)(4 + 3) = 8 + 3·4 + 2·3 + 9
    assert [float(part) for part in (balance.first, balance.left, balance.right, balance.both)] == [8, 12, 6, 9]
    assert float(dtd.pairs(dtd.trace(model, x), x, other, dtd.Plan.uniform("lrp0")).similarity) == 0


def images() -> tuple[dtd.Network, Tensor, Tensor]:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(2, 3, 3, padding=1), nn.ReLU(), nn.Flatten(), nn.Linear(3 * 24, 7)).double().eval()
    x, other = inputs(2, 2, 4, 6)
    return dtd.trace(model, x), x, other


def test_pooling_adds_pairs_up_and_top_names_the_largest(monkeypatch):
    network, x, other = images()
    found = dtd.pairs(network, x, other, dtd.Plan.uniform("gamma", gamma=0.25))
    pooled = found.pooled(dtd.Patches(2, 3), lambda r: r.sum((1, 3)))
    whole = found.product()
    assert whole.shape == (2, 2, 4, 6, 2, 4, 6) and pooled.product().shape == (2, 2, 2, 4)
    by_hand = whole.sum((1, 4, 6)).reshape(2, 2, 2, 2, 3, 4).sum((2, 4))
    torch.testing.assert_close(pooled.product(), by_hand)
    torch.testing.assert_close(pooled.balance.table, found.balance.table)
    for chunk in (CHUNK, 100):
        monkeypatch.setattr("dtd.explaining.pairs.CHUNK", chunk)
        top = found.top(5)
        for sample in range(2):
            mine, flat = top[top["sample"] == sample], whole[sample].flatten()
            assert mine.relevance.tolist() == pytest.approx(flat[flat.abs().topk(5).indices].tolist())
            for row in mine.itertuples():
                assert whole[(sample, *row.left, *row.right)].item() == pytest.approx(row.relevance)
                assert row.share == pytest.approx(row.relevance / found.similarity[sample].item())
    assert len(found.pooled(lambda r: r.sum((1, 2, 3))[:, None]).top(99)) == 2


def test_fewer_units_are_parts_of_the_whole():
    """The similarity of a slice of the embedding: slices add up to the whole."""
    model, (x, other) = embedding(bias=True), inputs(2, 5)
    plan = dtd.Plan.uniform("gamma", gamma=0.1)

    class Slice(nn.Module):
        def __init__(self, rows: slice):
            super().__init__()
            self.model, self.rows = model, rows

        def forward(self, x: Tensor) -> Tensor:
            return self.model(x)[:, self.rows]

    halves = [dtd.pairs(dtd.trace(Slice(rows), x), x, other, plan).product() for rows in (slice(0, 2), slice(2, 4))]
    torch.testing.assert_close(halves[0] + halves[1], dtd.pairs(dtd.trace(model, x), x, other, plan).product())


def test_a_hidden_layer_is_an_embedding_as_if_it_were_the_output():
    torch.manual_seed(0)
    body = nn.Sequential(nn.Conv2d(2, 3, 3), nn.ReLU())
    model = nn.Sequential(body, nn.Flatten(), nn.Linear(3 * 8, 2)).double().eval()
    x, other = inputs(2, 2, 4, 6)
    plan, network = dtd.Plan.uniform("gamma", gamma=0.25), dtd.trace(model, x)
    found = dtd.pairs(network, x, other, plan, layer="0.1", cosine=True)
    expected = dtd.pairs(dtd.trace(copy.deepcopy(body), x), x, other, plan, cosine=True)
    torch.testing.assert_close(found.left.relevance, expected.left.relevance)
    torch.testing.assert_close(found.balance.table, expected.balance.table)
    torch.testing.assert_close(found.similarity, torch.cosine_similarity(body(x).flatten(1), body(other).flatten(1)))
    with pytest.raises(dtd.InputError, match="The layers are 0.0, 0.1"):
        dtd.pairs(network, x, other, plan, layer="0.7")


def test_copies_say_the_same_and_a_changed_model_is_noticed():
    model, (x, other) = embedding(bias=True), inputs(2, 5)
    found = dtd.pairs(dtd.trace(model, x), x, other, dtd.Plan.uniform("lrp0"))
    again = pickle.loads(pickle.dumps(found))
    assert repr(again) == repr(found) == repr(copy.deepcopy(found)) and "conservation" in repr(found)
    assert torch.equal(again.balance.table, found.balance.table)
    late = dtd.pairs(dtd.trace(model, x), x, other, dtd.Plan.uniform("lrp0"))
    with torch.no_grad():
        model[0].weight.add_(1.0)
    with pytest.raises(dtd.StaleError):
        late.balance  # noqa: B018
    sent = pickle.loads(pickle.dumps(late))
    torch.testing.assert_close(sent.product(), found.product())
    with pytest.raises(dtd.StaleError, match="did not come along"):
        sent.balance  # noqa: B018


def test_what_does_not_make_pairs_is_refused():
    model, (x, other) = embedding(bias=True), inputs(3, 5)
    network, plan = dtd.trace(model, x), dtd.Plan.uniform("lrp0")
    with pytest.raises(dtd.InputError, match="as many samples; found 3 and 2"):
        dtd.pairs(network, x, other[:2], plan)
    with pytest.raises(dtd.InputError, match=r"must have shape \(B, 5\)"):
        dtd.pairs(network, x, other[:, :3], plan)
    with pytest.raises(dtd.InputError, match="count"):
        dtd.pairs(network, x, other, plan).top(0)
    with pytest.raises(dtd.InputError, match="add features up"):
        dtd.pairs(network, x, other, plan).pooled(lambda r: r.mean(1, keepdim=True))
    with pytest.raises(dtd.InputError, match="must return a tensor"):
        dtd.pairs(network, x, other, plan).pooled(lambda r: r.sum())
    with pytest.raises(dtd.InputError, match="that they tile"):
        images_found = dtd.pairs(*images(), dtd.Plan.uniform("gamma", gamma=0.25))
        images_found.pooled(dtd.Patches(3, 3))
    with torch.no_grad():
        model[4].weight.zero_(), model[4].bias.zero_()
    with pytest.raises(dtd.InputError, match="first input's is"):
        dtd.pairs(network, x, other, plan, cosine=True)


def test_several_explained_inputs_are_refused_and_one_may_be_chosen():
    class Two(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Linear(3, 2)

        def forward(self, a: Tensor, b: Tensor) -> Tensor:
            return self.layer(a) + b

    model, example = Two().double(), (torch.ones(2, 3).double(), torch.ones(2, 2).double())
    with pytest.raises(dtd.InputError, match=r"has a, b. Trace it with explained=\['a'\]"):
        dtd.pairs(dtd.trace(model, example), example, example, dtd.Plan.uniform("lrp0"))
    found = dtd.pairs(dtd.trace(model, example, explained=["a"]), example, example, dtd.Plan.uniform("lrp0"))
    assert found.product().shape == (2, 3, 3)
    torch.testing.assert_close(found.balance.gap, torch.zeros(2).double(), atol=1e-12, rtol=0)


@pytest.mark.parametrize("at_once", [2, 3, 100])
def test_units_together_are_what_they_are_one_by_one(at_once):
    network, x, other = images()
    plan = dtd.Plan.uniform("alphabeta")
    found, expected = (dtd.pairs(network, x, other, plan, at_once=k, cosine=True) for k in (at_once, 1))
    torch.testing.assert_close(found.left.relevance, expected.left.relevance, rtol=1e-9, atol=1e-12)
    torch.testing.assert_close(found.right.embedding, expected.right.embedding)
    torch.testing.assert_close(found.balance.table, expected.balance.table, rtol=1e-8, atol=1e-10)
    with pytest.raises(dtd.InputError, match="'at_once' must be 1 for a hidden layer"):
        dtd.pairs(network, x, other, plan, at_once=at_once, layer="0")
    assert dtd.pairs(network, x[:0], other[:0], plan, at_once=at_once).product().shape == (0, 2, 4, 6, 2, 4, 6)
    whole = dtd.Plan.uniform("epsilon", epsilon=lambda z: 0.1 * z.abs().mean())
    with pytest.raises(dtd.InputError, match="a plan that looks at whole batches"):
        dtd.pairs(network, x, other, whole, at_once=at_once)


def test_one_forward_sweep_a_side(monkeypatch):
    model, (x, other) = embedding(bias=True), inputs(3, 5)
    network, counted = dtd.trace(model, x), []
    forward = dtd.fast.Program.forward
    monkeypatch.setattr(dtd.fast.Program, "forward", lambda self, values: counted.append(1) or forward(self, values))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        pairs(network, x, other, dtd.Plan.uniform("zplus_signed"))
    assert len(counted) == 2
