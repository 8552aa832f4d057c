"""Tokens and the words that they belong to."""

import torch

from experiments.data.text.reviews import read
from experiments.data.text.tokens import SPECIAL, joined, padded

TEXT = "The awful  plot, great!"


def test_each_token_belongs_to_the_word_that_it_starts_in(trained):
    text = read(TEXT, 100)
    found = trained.encoded(text)
    names = trained.tokenizer.convert_ids_to_tokens(found.ids)
    assert names == ["[CLS]", "the", "aw", "##ful", "plot", ",", "great", "!", "[SEP]"]
    assert found.words == [SPECIAL, 0, 1, 1, 2, 3, 4, 5, SPECIAL]
    assert joined(text.words) == "The awful plot, great!"


def test_relevance_of_words_and_of_special_tokens_adds_up_to_that_of_all_tokens(trained):
    found = trained.encoded(read(TEXT, 100))
    relevance = torch.arange(1.0, 10.0)
    words = found.summed(relevance, 6)
    assert words.tolist() == [2, 3 + 4, 5, 6, 7, 8] and found.special(relevance) == 1 + 9


def test_deleted_words_take_their_tokens_along(trained):
    found = trained.encoded(read(TEXT, 100))
    assert found.without(frozenset({1, 5})) == [found.ids[i] for i in (0, 1, 4, 5, 6, 8)]
    assert found.without(frozenset(range(6))) == [found.ids[0], found.ids[-1]]


def test_a_text_is_cut_after_the_most_tokens(sentiment_config, trained):
    text = read("good " * 300, 1000)
    assert len(trained.encoded(text).ids) == sentiment_config.model.max_tokens
    assert padded([[1], [2, 3]], 7).tolist() == [[1, 7], [2, 3]]
