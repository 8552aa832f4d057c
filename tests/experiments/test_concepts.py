"""The ranking of channels in process: rows against what must be equal, and what is refused."""

import numpy as np
import pytest
import torch

from dtd.network import trace
from experiments.configs.base import ConfigError
from experiments.configs.run import typed
from experiments.questions import concepts

SMALL = ("model=cnn", "model.epochs=2", "model.channels=4", "question.samples=60", "question.shown=2", "question.examples=3")


@pytest.fixture
def asked(composed):
    """The tables of the question under overrides."""

    def ask(*overrides: str):
        config = typed(composed("question=concepts", *SMALL, *overrides))
        concepts.QUESTION.check(config)
        return dict(concepts.QUESTION.tables(config))

    return ask


def test_shares_add_up_and_everything_removed_leaves_the_biases(asked):
    tables = asked("plan=lrp0", "bias=fixed")
    shares = tables["channels"].groupby("class_number").share
    np.testing.assert_allclose(shares.sum(), 1, rtol=1e-9)
    assert not concepts.QUESTION.problems(tables)
    assert (shares.apply(lambda s: s.is_monotonic_decreasing) | (shares.first() < 0)).all()
    ends = tables["rows"].groupby(["class_number", "order"]).left.agg(["first", "last"])
    np.testing.assert_allclose(ends["first"], 1)
    last = ends["last"].unstack().to_numpy()
    np.testing.assert_allclose(last, last[:, :1] * np.ones((1, 3)), rtol=1e-9)
    spoiled = {**tables, "channels": tables["channels"].assign(share=0.5)}
    assert concepts.QUESTION.problems(spoiled)


def test_pixels_are_what_goes_through_the_drawn_channels(asked):
    tables = asked("plan=gamma", "question.explained=3")
    pixels = tables["pixels"]
    assert set(pixels["rank"]) == {1, 2} and set(pixels.side) == {"input", "relevance"} and set(pixels.class_number) == {3}
    sums = pixels[pixels.side == "relevance"].groupby(["rank", "place"]).value.sum()
    assert (sums.groupby("rank").diff().dropna() <= 1e-9).all()  # the most relevant first, under a conserving rule
    drawn = concepts.QUESTION.figures(tables)
    assert set(drawn) == {"concepts", "removal"}


def test_a_layer_or_a_class_that_is_not_there_is_refused(asked):
    with pytest.raises(ConfigError, match="'question.layer' must be one of stem.0"):
        asked("plan=lrp0", "question.layer=third")
    with pytest.raises(ConfigError, match="'question.explained' must be a class that is predicted"):
        asked("plan=lrp0", "question.explained=77")
    with pytest.raises(ConfigError, match="'question.shown' must be at least 1"):
        asked("plan=lrp0", "question.shown=0")


def test_the_channel_that_is_removed_is_zero():
    model = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.ReLU(), torch.nn.Linear(4, 2))
    x = torch.rand(5, 3)
    network = trace(model, x)
    with torch.no_grad():
        hidden = model[:2](x)
        hidden[:, [1, 3]] = 0
        torch.testing.assert_close(concepts.without(network, x, "1", [1, 3]), model[2](hidden))
