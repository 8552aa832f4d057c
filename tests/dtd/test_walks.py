"""Walks against masked passes one by one, against products of shares, and against what they must add up to."""

from itertools import pairwise, product

import pytest
import torch
from torch import Tensor, nn

import dtd

NODES, FEATURES = 4, 3


class GraphNetwork(nn.Module):
    """Three rounds in which nodes read their neighbours, and a mean over nodes."""

    def __init__(self, skip: bool = False, bias: bool = True):
        super().__init__()
        torch.manual_seed(2)
        self.first, self.second, self.third = (nn.Linear(a, b, bias) for a, b in ((FEATURES, 5), (5, 5), (5, 5)))
        self.one, self.two, self.three = nn.ReLU(), nn.ReLU(), nn.ReLU()
        self.last, self.skip = nn.Linear(5, 2, bias), skip

    def forward(self, x: Tensor, edges: Tensor) -> Tensor:
        h = self.one(self.first(edges @ x))
        above = self.two(self.second(edges @ h))
        h = above + h if self.skip else above
        return self.last(self.three(self.third(edges @ h)).mean(1))


LAYERS = ("one", "two", "three")
EDGES = torch.tensor([[1, 1, 0, 0], [1, 1, 1, 0], [0, 1, 1, 1], [0, 0, 1, 1.0]]).double()


def made(**options) -> tuple[dtd.Network, tuple[Tensor, Tensor]]:
    model = GraphNetwork(**options).double().eval()
    x = torch.rand(1, NODES, FEATURES, generator=torch.Generator().manual_seed(4)).double()
    edges = EDGES / EDGES.sum(1, keepdim=True)
    return dtd.trace(model, (x, edges), explained=["x"], unbatched=["edges"]), (x, edges)


def plan_of(rule: str) -> dtd.Plan:
    return dtd.Plan.uniform(rule, bias="neuron")


@pytest.mark.parametrize("rule", ["lrp0", "gamma", "zplus_signed", "alphabeta", "wsquare", "epsilon"])
def test_every_walk_by_itself_and_all_add_up(rule):
    network, inputs = made()
    plan = plan_of(rule)
    found = dtd.walks(network, inputs, 0, plan, layers=LAYERS)
    every = found.every(EDGES)
    whole = dtd.explain(network, inputs, 0, plan).relevance["x"].sum()
    torch.testing.assert_close(every.relevance.sum(), whole, rtol=1e-9, atol=1e-12)
    torch.testing.assert_close(found.total, whole, rtol=1e-9, atol=1e-12)
    assert abs(every.rest) < 1e-9 * every.relevance.abs().sum()
    walks = [w for w in product(range(NODES), repeat=4) if all(EDGES[b, a] for a, b in pairwise(w))]
    assert sorted(map(tuple, every.paths.tolist())) == walks
    for path, relevance in list(zip(every.paths.tolist(), every.relevance, strict=True))[::7]:
        masks = {name: torch.eye(NODES)[node][:, None] for name, node in zip(LAYERS, path[1:], strict=True)}
        alone = dtd.explain(network, inputs, 0, plan, through=masks, fast=False).relevance["x"][0, path[0]].sum()
        torch.testing.assert_close(relevance, alone, rtol=1e-9, atol=1e-12)
    off = torch.tensor([(3, 0, 0, 0), (0, 3, 2, 1)])
    assert found.of(off).abs().max() == 0


def test_lrp0_walks_are_sums_of_products_of_gradients():
    """Without biases: ``R_W = Σ x_{v0 i} Π (∂h / ∂h)`` over the features of the nodes of the walk."""
    network, (x, edges) = made(bias=False)
    model = network.model
    values = [x[0], *(None for _ in LAYERS)]
    steps = (model.first, model.second, model.third)
    maps = [lambda h, step=step: torch.relu(step(edges @ h)) for step in steps]
    jacobians = []
    for level, function in enumerate(maps):
        jacobians.append(torch.autograd.functional.jacobian(function, values[level]))  # (N, H, N, F)
        values[level + 1] = function(values[level]).detach()
    top = torch.autograd.functional.jacobian(lambda h: model.last(h.mean(0))[1], values[3])
    paths = [(0, 1, 0, 1), (2, 2, 3, 2), (1, 1, 1, 1), (3, 2, 1, 0)]
    by_hand = []
    for v in paths:
        down = top[v[3]]
        for level in (2, 1, 0):
            down = down @ jacobians[level][v[level + 1], :, v[level]]
        by_hand.append((down * x[0, v[0]]).sum())
    found = dtd.walks(network, (x, edges), 1, dtd.Plan.uniform("lrp0"), layers=LAYERS).of(paths)
    torch.testing.assert_close(found, torch.stack(by_hand).detach())


@pytest.mark.parametrize("rule", ["gamma", "epsilon"])
def test_sets_have_the_walks_inside_them_at_the_price_of_a_pass(rule, monkeypatch):
    network, inputs = made()
    found = dtd.walks(network, inputs, lambda y: y - y.flip(1), plan_of(rule), layers=LAYERS)
    every = found.every(EDGES)
    sets = torch.tensor(list(product([False, True], repeat=NODES)))
    inside = sets[:, every.paths].all(2)  # (K, W)
    expected = (inside * every.relevance).sum(1)
    passes, chunk = [], dtd.explain
    monkeypatch.setattr("dtd.explaining.walks.explain", lambda *a, **k: passes.append(1) or chunk(*a, **k))
    torch.testing.assert_close(found.within(sets), expected, rtol=1e-9, atol=1e-12)
    assert len(passes) == 1
    few = dtd.walks(network, inputs, lambda y: y - y.flip(1), plan_of(rule), layers=LAYERS, at_once=3)
    torch.testing.assert_close(few.within(sets), expected, rtol=1e-9, atol=1e-12)
    assert len(passes) == 1 + 6
    touching = (sets[:, every.paths].any(2) * every.relevance).sum(1)
    torch.testing.assert_close(few.total - few.within(~sets), touching, rtol=1e-9, atol=1e-11)


def test_tops_are_the_largest_and_a_class_tensor_is_a_target():
    network, inputs = made()
    found = dtd.walks(network, inputs, torch.tensor([1]), plan_of("gamma"), layers=LAYERS)
    every = found.every(EDGES)
    top = every.top(5)
    assert top.relevance.abs().is_monotonic_decreasing and len(top) == 5
    assert top.relevance[0] == pytest.approx(every.relevance[every.relevance.abs().argmax()].item())
    assert found.of([top.walk[0]]).item() == pytest.approx(top.relevance[0])
    wrong = found.every(torch.eye(NODES))
    assert len(wrong.paths) == NODES and wrong.rest == pytest.approx((every.relevance.sum() - wrong.relevance.sum()).item())


def test_sums_that_both_ways_meet_at_are_passed():
    network, inputs = made(skip=True)
    with pytest.raises(dtd.InputError, match="without passing layer 'two'.*name the layer where both ways meet"):
        dtd.walks(network, inputs, 1, layers=LAYERS)
    names = ["one", next(layer.name for layer in network.layers if layer.kind == "sum"), "three"]
    found = dtd.walks(network, inputs, 1, plan_of("gamma"), layers=names)
    assert abs(found.every(EDGES).rest) < 1e-9 * float(found.total.abs())


def test_what_makes_no_walks_is_refused():
    network, (x, edges) = made()
    with pytest.raises(dtd.InputError, match="found 2 samples and 1 inputs"):
        dtd.walks(network, (x.repeat(2, 1, 1), edges), 1, layers=LAYERS)
    with pytest.raises(dtd.InputError, match="has no layer 'four'. The layers are"):
        dtd.walks(network, (x, edges), 1, layers=["four"])
    with pytest.raises(dtd.InputError, match="the lowest first; found two, one"):
        dtd.walks(network, (x, edges), 1, layers=["two", "one"])
    with pytest.raises(dtd.InputError, match="'last' has the shape"):
        dtd.walks(network, (x, edges), 1, layers=["last"])
    with pytest.raises(dtd.InputError, match="'layers' must be names"):
        dtd.walks(network, (x, edges), 1, layers=[])
    found = dtd.walks(network, (x, edges), 1, layers=LAYERS)
    with pytest.raises(dtd.InputError, match=r"walks \(W, 4\) over nodes 0 to 3"):
        found.of([(0, 1, 2, 4)])
    with pytest.raises(dtd.InputError, match=r"truth values \(K, 4\); found torch.float64"):
        found.within(EDGES)
    with pytest.raises(dtd.BudgetError, match="walks above the input; 'most' is 5"):
        found.every(EDGES, most=5)
