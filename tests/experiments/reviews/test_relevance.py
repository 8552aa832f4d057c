"""Relevance of words against what can be said without the framework."""

import pandas as pd
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from experiments.data.text.vocabulary import UNKNOWN
from experiments.models.word_network import WordNetwork
from experiments.questions.movie_reviews.explaining import Group, groups
from experiments.questions.movie_reviews.scores import averaged, compared, roots
from tests.tolerance import RELATIVE

CLOSE = {"rtol": RELATIVE[torch.float64], "atol": RELATIVE[torch.float64]}
TEXTS = [[1, 3, 5, 6], [2, UNKNOWN, 4, 1], [7], [1, 1], [3, 5, 2, 9], []]
WORDS = [torch.tensor(text, dtype=torch.long) for text in TEXTS]


@pytest.fixture(scope="module")
def found(config, network) -> list[Group]:
    return list(groups(config, network, WORDS))


def test_every_text_with_a_word_is_in_the_group_of_its_length(found, network):
    assert {(g.x.shape[1], tuple(g.members)) for g in found} == {(1, (2,)), (2, (3,)), (4, (0, 1, 4))}
    for group in found:
        for place, x, target in zip(group.members, group.x, group.target, strict=True):
            assert torch.equal(x, network.words.weight[WORDS[place]]) and target == network(WORDS[place][None]).argmax()
    assert [group.only([0, 1, 2]).members for group in found] == [[2], [], [0, 1]]


@pytest.mark.parametrize("plan", ["lrp0", "gamma_signed", "zplus", "deep_taylor_2017", "wsquare_zplus", "flat_zplus"])
def test_with_fixed_biases_all_words_together_have_the_log_odds(found, plan):
    for group in found:
        torch.testing.assert_close(group.relevance(group.plans[plan]).sum(1), group.model(group.x).amax(1), **CLOSE)


def test_gradient_times_input_is_the_gradient(found, network):
    for group in found:
        table = network.words.weight.clone().requires_grad_()
        for i, place in enumerate(group.members):
            logits = network.dense(table[WORDS[place]].mean(0))
            (gradient,) = torch.autograd.grad(logits[group.target[i]] - logits[1 - group.target[i]], table)
            total = (table * gradient).sum(1).detach()
            once = torch.zeros(11, dtype=torch.double).index_add(0, WORDS[place], group.gradient_times_input()[i])
            torch.testing.assert_close(once, total, **CLOSE)


def test_z_plus_word_by_word_is_the_rule_written_out(found, network):
    first, second, last = (layer for layer in network.dense if isinstance(layer, nn.Linear))
    for group in found:
        a1 = first(group.x.mean(1)).relu()
        a2 = second(a1).relu()
        top = group.model(group.x) * F.one_hot(group.target, 2)
        below = handed(a1, second.weight, handed(a2, last.weight - last.weight.flip(0), top))
        contributions = (first.weight[:, None] * group.x[:, None]).clamp(min=0)  # (B, K, words, D), but for a factor
        shares = (contributions / contributions.sum((2, 3), keepdim=True)).nan_to_num()
        expected = (shares * below[..., None, None]).sum((1, 3))
        torch.testing.assert_close(group.relevance(group.plans["zplus"]), expected, **CLOSE)


def handed(a: Tensor, weight: Tensor, relevance: Tensor) -> Tensor:
    """z⁺ on ``a ≥ 0``. # shape: (B, J), (K, J), (B, K) -> (B, J)"""
    contributions = a[:, None] * weight.clamp(min=0)
    return ((contributions / contributions.sum(2, keepdim=True)).nan_to_num() * relevance[..., None]).sum(1)


@pytest.mark.parametrize("plan", ["wsquare_zplus", "flat_zplus"])
def test_w_square_and_flat_cannot_tell_words_apart(found, plan):
    """All words share their weights, so the nearest root moves them all alike: R_t = R / n, whatever the words are."""
    for group in found:
        relevance = group.relevance(group.plans[plan])
        torch.testing.assert_close(relevance, relevance[:, :1].expand_as(relevance), **CLOSE)
        assert (relevance > 0).any()


def test_unknown_words_have_relevance_only_where_the_direction_leaves_the_origin(found):
    (group,) = (g for g in found if 1 in g.members)
    at = group.members.index(1)
    of = {name: group.relevance(plan)[at, 1].item() for name, plan in group.plans.items()}
    assert {name for name, value in of.items() if value == 0} == {"lrp0", "epsilon", "gamma_signed", "alphabeta", "zplus"}
    assert group.gradient_times_input()[at, 1] == 0


def test_derived_and_explicit_relevance_agree(found):
    table = pd.concat([compared(group) for group in found])
    assert table.agree.all() and table.groupby("plan").compared.sum().eq(5).all() and table.plan.nunique() == 8


def test_the_box_of_all_vectors_holds_every_root_of_z_box(found):
    table = averaged(pd.concat([roots(group) for group in found])).set_index(["plan", "layer"])
    assert table.loc[("deep_taylor_2017", "read"), "valid"] == 1
    shares = ["valid", "inactive", "no_root", "not_zero", "domain_left", "region_left"]
    assert torch.allclose(torch.tensor(table[shares].sum(axis=1).to_numpy()), torch.ones(len(table), dtype=torch.double))


def test_the_word_network_leaves_the_random_state_alone(network):
    state = torch.get_rng_state()
    WordNetwork(network, 3)
    assert torch.equal(state, torch.get_rng_state())
