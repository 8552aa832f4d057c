"""Channels and subspaces by relevance over a data set: sums, samples and optima against brute force."""

import copy
import pickle

import pytest
import torch

import dtd
from dtd.estimate.subspaces import Vectors, drsa, orthonormal, pooled, prca
from tests.dtd.test_through import small, values_of

close = torch.testing.assert_close
PLAN = dtd.Plan.uniform("gamma", gamma=0.25)


def data(samples=23):
    net, _ = small()
    x = torch.rand(samples, 2, 4, 4, generator=torch.Generator().manual_seed(4), dtype=torch.double) + 0.05
    target = torch.arange(samples) % 3
    return net, x, target


@pytest.mark.parametrize("layer", ["relu", "second", "dense"])
def test_relevance_of_channels_is_what_goes_through_each(layer):
    net, x, target = data()
    found = dtd.concepts(net, x, layer, target, PLAN, batch=5)
    whole = dtd.explain(net, x, target, PLAN, at=[layer]).at[layer].output
    close(found.relevance.sum(1), whole.flatten(1).sum(1))
    for channel in range(found.relevance.shape[1]):
        out = dtd.explain(net, x, target, PLAN, at=[layer], through=found.through(channel)).at[layer]
        close(out.passed.flatten(1).sum(1), found.relevance[:, channel])
        close(out.passed[:, channel].reshape(len(x), -1).amax(1), found.largest[:, channel])
    order = sorted(range(len(found.mean)), key=lambda c: -float(found.relevance[:, c].mean()))
    assert found.ranking.tolist() == order
    for by, values in (("sum", found.relevance), ("max", found.largest)):
        chosen = found.samples(1, 4, by).tolist()
        assert chosen == sorted(range(len(x)), key=lambda n: -float(values[n, 1]))[:4]
    assert repr(found) == f"Concepts({layer!r}, tensor(23, {len(found.mean)}), tensor(23, {len(found.mean)}))"
    again = pickle.loads(pickle.dumps(copy.deepcopy(found)))
    assert torch.equal(again.relevance, found.relevance)


def vectors_of(net, x, target, layer):
    """Activations and coefficients of a layer, channels last."""
    relevance = dtd.explain(net, x, target, PLAN, at=[layer]).at[layer].output
    a = dict(zip((each.name for each in net.layers), values_of(net, x), strict=True))[layer]
    c = torch.where(a != 0, relevance / a.where(a != 0, torch.ones(())), torch.zeros(()).double())
    return (t.movedim(1, -1).flatten(0, -2) for t in (a, c))


@pytest.mark.parametrize("size", [1, 2, 4])
def test_prca_is_the_most_relevant_subspace(size):
    net, x, target = data()
    a, c = vectors_of(net, x, target, "sum")
    found = dtd.subspaces(net, x, "sum", target, PLAN, size=size, batch=5)
    u = found.parts[0].matrix
    close(u.T @ u, torch.eye(size, dtype=torch.double))
    close(found.relevance[0], ((a @ u) * (c @ u)).sum(1).mean())
    close(found.relevance.sum(), (a * c).sum(1).mean())
    generator = torch.Generator().manual_seed(0)
    for _ in range(300):
        other = orthonormal(torch.randn(4, size, generator=generator, dtype=torch.double))
        assert ((a @ other) * (c @ other)).sum(1).mean() <= found.relevance[0] + 1e-12
        near = orthonormal(u + 1e-3 * other)
        assert ((a @ near) * (c @ near)).sum(1).mean() <= found.relevance[0] + 1e-12
    assert (found.rest is None) == (size == 4)


@pytest.mark.parametrize(("size", "parts"), [(1, 1), (2, 1), (1, 2), (2, 2), (1, 3)])
def test_relevance_through_the_parts_and_the_rest_is_the_whole(size, parts):
    net, x, target = data()
    found = dtd.subspaces(net, x, "relu@2", target, PLAN, size=size, parts=parts, batch=7)
    alive = dict(zip((each.name for each in net.layers), values_of(net, x), strict=True))["relu@2"] != 0
    whole = dtd.explain(net, x, target, PLAN, through={"relu@2": alive}).relevance
    every = [*found.parts, *([found.rest] if found.rest else [])]
    outs = [dtd.explain(net, x, target, PLAN, through={"relu@2": part}, at=["relu@2"]) for part in every]
    close(sum(out.relevance for out in outs), whole)
    means = torch.stack([out.at["relu@2"].passed.sum() for out in outs]) / (len(x) * 16)
    close(found.relevance[: len(every)], means)
    close(found.shares.sum(), torch.ones((), dtype=torch.double))
    projections = sum(part.matrix @ part.matrix.T for part in every)
    close(projections, torch.eye(4, dtype=torch.double))


def test_drsa_finds_planted_parts_and_never_loses_ground():
    """Two directions, each relevant for half of the samples: PRCA mixes what DRSA tells apart."""
    generator = torch.Generator().manual_seed(1)
    q = orthonormal(torch.randn(5, 5, generator=generator, dtype=torch.double))
    active = torch.arange(400) % 2
    strength = torch.rand(400, generator=generator, dtype=torch.double) + 0.5
    noise = 0.02 * torch.randn(400, 5, generator=generator, dtype=torch.double)
    a = strength[:, None] * q[:, :2].T[active] + noise
    c = strength[:, None] * q[:, :2].T[active]
    vectors = Vectors(a, c)
    start = orthonormal(torch.randn(5, 2, generator=generator, dtype=torch.double))
    u, values = drsa(vectors, start, 2, 300)
    close(u.T @ u, torch.eye(2, dtype=torch.double))
    assert values == sorted(values) and len(values) > 5
    overlap = (u.T @ q[:, :2]).abs().sort(0).values
    close(overlap, torch.tensor([[0.0, 0.0], [1.0, 1.0]], dtype=torch.double), atol=0.05, rtol=0.0)
    mixed = orthonormal(q[:, :2] @ torch.tensor([[1.0, 1.0], [1.0, -1.0]], dtype=torch.double))
    assert values[-1] > 1.1 * float(pooled(vectors.relevance(mixed, 2)))
    both = prca(a.T @ c / 400, 2)
    close(both @ both.T, q[:, :2] @ q[:, :2].T, atol=0.01, rtol=0.0)


def test_the_objective_is_the_papers():
    r = torch.tensor([[1.0, 4.0], [-3.0, 2.0]])
    expected = ((((1.0 + 0) / 2) ** 0.5) ** 0.5 + (((16.0 + 4) / 2) ** 0.5) ** 0.5) ** 2 / 4
    close(pooled(r), torch.tensor(expected))
    moving = torch.tensor([[-1.0, 2.0]], requires_grad=True)
    pooled(moving).backward()
    assert bool(moving.grad.isfinite().all()) and moving.grad[0, 1] > 0


def test_other_layouts_and_wrong_requests():
    words = dtd.trace(
        torch.nn.Sequential(torch.nn.Linear(3, 5), torch.nn.ReLU(), torch.nn.Flatten(), torch.nn.Linear(20, 2)),
        torch.rand(1, 4, 3),
    )
    x = torch.rand(6, 4, 3)
    found = dtd.concepts(words, x, "1", 0, dtd.Plan.uniform("epsilon"))
    out = dtd.explain(words, x, 0, dtd.Plan.uniform("epsilon"), at=["1"]).at["1"].output
    close(found.relevance, out.sum(1))
    net, x, target = data()
    for call, message in (
        (lambda: dtd.concepts(net, x, "third", 0, PLAN), "no layer 'third'. The layers are"),
        (lambda: dtd.concepts(net, x, "relu", target[:5], PLAN), "one entry for each of the 23 samples; found 5"),
        (lambda: dtd.concepts(net, x[:0], "relu", 0, PLAN), "The data set is empty"),
        (lambda: dtd.concepts(net, x, "relu", 0, PLAN, batch=0), "'batch' must be a positive integer"),
        (lambda: dtd.concepts(net, x, "relu", 0, PLAN).samples(4), "has channels 0 to 3; found 4"),
        (lambda: dtd.concepts(net, x, "relu", 0, PLAN).samples(0, by="mean"), "'by' must be one of sum, max"),
        (lambda: dtd.subspaces(net, x, "relu", 0, PLAN, size=3, parts=2), "has 4 channels; found 2 parts of 3 dimensions"),
        (lambda: dtd.subspaces(net, x, "relu", 0, PLAN, size=0), "'size' must be a positive integer"),
    ):
        with pytest.raises(dtd.InputError, match=message):
            call()
