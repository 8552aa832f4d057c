"""The network reads the mean of the words that are there, and its function of their vectors is the same function."""

from dataclasses import replace

import pytest
import torch
from torch.nn import functional as F

from experiments.configs.base import ConfigError
from experiments.configs.run import typed
from experiments.data.text.vocabulary import PADDING, UNKNOWN
from experiments.models.reviews import ReviewNetwork, subject
from experiments.models.word_network import WordNetwork
from tests.tolerance import RELATIVE

CLOSE = {"rtol": RELATIVE[torch.float64], "atol": RELATIVE[torch.float64]}


def test_padding_changes_nothing_bit_for_bit(network):
    ids = torch.tensor([[1, 3, UNKNOWN, PADDING], [2, 9, 9, 4]])
    assert torch.equal(network(ids), network(F.pad(ids, (0, 7), value=PADDING)))


def test_the_mean_is_over_the_words_that_are_there_unknown_ones_included(network):
    table = network.words.weight
    ids = torch.tensor([[1, 3, UNKNOWN, PADDING], [2, PADDING, PADDING, PADDING]])
    means = torch.stack([(table[1] + table[3]) / 3, table[2]])
    torch.testing.assert_close(network(ids), network.dense(means), **CLOSE)


def test_without_a_word_the_biases_speak(network):
    nothing = network.dense(torch.zeros(1, 4, dtype=torch.double))
    assert torch.equal(network(torch.full((1, 3), PADDING)), nothing)
    assert torch.equal(network(torch.zeros(1, 0, dtype=torch.long)), nothing)


@pytest.mark.parametrize("length", [1, 4])
def test_the_word_network_gives_the_log_odds_of_either_class(network, length):
    ids = torch.randint(0, 10, (3, length), generator=torch.Generator().manual_seed(0))
    odds = WordNetwork(network, length)(network.words.weight[ids])
    probability = network(ids).softmax(1)
    torch.testing.assert_close(odds[:, 1], torch.logit(probability[:, 1]), **CLOSE)
    torch.testing.assert_close(odds[:, 0], -odds[:, 1], **CLOSE)


@pytest.mark.parametrize("tuned", [True, False])
def test_training_moves_the_vectors_of_known_words_if_it_is_let(config, reviews, tuned):
    before = reviews.vocabulary.vectors
    after = subject(replace(config.model, tuned=tuned), reviews).model.words.weight
    moved = (before != after).any(1)
    assert not moved[UNKNOWN] and bool(moved[reviews.train_x.unique()].any()) is tuned


def test_training_leaves_out_words(reviews):
    torch.manual_seed(0)
    network = ReviewNetwork(reviews.vocabulary.vectors, [6], True, 0.0, 0.5)
    ids = torch.randint(1, 10, (400, 10))
    seen = []
    network.words.register_forward_pre_hook(lambda _, inputs: seen.append((inputs[0][:, :10] != UNKNOWN).double().mean()))
    network.train()(ids)
    network.eval()(ids)
    assert abs(seen[0] - 0.5) < 0.05 and seen[1] == 1


@pytest.mark.parametrize("override", ["model.hidden=[]", "model.dropout=1.0", "model.word_dropout=-0.1"])
def test_a_network_that_cannot_be_is_refused(composed, overrides, reviews, override):
    config = typed(composed(*overrides, override))
    with pytest.raises(ConfigError, match=f"'{override.split('=')[0]}' must be"):
        subject(config.model, reviews)
