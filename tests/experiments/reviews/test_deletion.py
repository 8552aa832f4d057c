"""Deletion curves against the network run on the texts without the words."""

import numpy as np
import pytest
import torch

from experiments.questions.movie_reviews.deletion import RANDOM, curve, deleted, leaving_one_out, order
from experiments.questions.movie_reviews.scores import Spoken

IDS = torch.tensor([3, 1, 5, 0, 7, 2])


def probability(network, ids) -> float:
    return network(torch.as_tensor(np.asarray(ids), dtype=torch.long)[None]).softmax(1)[0, 1].item()


def test_a_curve_is_what_the_network_says_of_the_remaining_words(network):
    x, ranked = network.words.weight[IDS], np.array([2, 0, 4, 1, 5, 3])
    found = curve(network, x, 1, ranked, 6)
    expected = [probability(network, [IDS[i] for i in sorted(ranked[k:])]) for k in range(7)]
    assert found == pytest.approx(expected, abs=1e-12)
    assert curve(network, x, 0, ranked, 6) == pytest.approx(1 - found, abs=1e-12)
    assert curve(network, x, 1, ranked, 3) == pytest.approx(found[::2], abs=1e-12)


def test_one_word_goes_at_half_or_before(network):
    x = network.words.weight[3:4]
    before, after = probability(network, [3]), probability(network, [])
    assert set(np.round(curve(network, x, 1, np.array([0]), 4), 12)) == {round(before, 12), round(after, 12)}


@pytest.mark.parametrize("length", [1, 6])
def test_leaving_one_out_compares_with_the_text_without_the_word(network, length):
    ids = IDS[:length].tolist()
    texts = [ids] + [ids[:i] + ids[i + 1 :] for i in range(length)]
    odds = [np.log(p / (1 - p)) for p in (probability(network, text) for text in texts)]
    found = leaving_one_out(network, network.words.weight[ids], 1)
    assert found.tolist() == pytest.approx([odds[0] - each for each in odds[1:]], abs=1e-9)


def test_the_most_relevant_word_goes_first_and_equal_ones_in_random_order():
    generator = np.random.default_rng(0)
    assert order(torch.tensor([0.1, -2.0, 3.0, 0.0]), generator).tolist() == [2, 0, 3, 1]
    equal = torch.full((30,), 1 / 3, dtype=torch.double) + 1e-16 * torch.arange(30)
    assert order(equal, generator).tolist() != order(equal, generator).tolist() != list(range(30))
    assert sorted(order(torch.zeros(5), generator)) == list(range(5))


def test_every_text_and_method_has_its_curve_and_the_same_seed_gives_the_same(network):
    x = network.words.weight[IDS]
    texts = {
        4: Spoken(x, 1, 1.0, {"a": torch.arange(6.0), "b": torch.ones(6)}),
        2: Spoken(x[:1], 0, 1.0, {"a": x[:1, 0], "b": x[:1, 0]}),
    }
    table = deleted(network, texts, 4, 3, seed=5)
    assert all(list(part.deleted) == [0, 0.25, 0.5, 0.75, 1] for _, part in table.groupby(["text", "plan"]))
    assert set(table.plan) == {"a", "b", RANDOM} and set(table.text) == {2, 4}
    assert table.equals(deleted(network, texts, 4, 3, seed=5)) and not table.equals(deleted(network, texts, 4, 3, seed=6))
    first = table[(table.text == 4) & (table.deleted == 0)]
    assert first.probability.tolist() == pytest.approx(3 * [probability(network, IDS)], abs=1e-12)
