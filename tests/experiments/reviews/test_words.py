"""Texts fall into words, and words into rows of the vocabulary."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from experiments.configs.base import ConfigError
from experiments.data.text.vocabulary import UNKNOWN, glove, parsed
from experiments.data.text.words import words


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("I didn't, can't.", ["i", "did", "n't", ",", "ca", "n't", "."]),
        ("It's HERS; we'll see...", ["it", "'s", "hers", ";", "we", "'ll", "see", "..."]),
        ("It’s not, isn’t it", ["it", "'s", "not", ",", "is", "n't", "it"]),
        ("a well-made film--almost", ["a", "well", "-", "made", "film", "--", "almost"]),
        ("snake_case 100% <b>", ["snake", "_", "case", "100", "%", "<", "b", ">"]),
        ("Ünïcode émouvant 中文", ["ünïcode", "émouvant", "中文"]),
        ("", []),
        (" \t\n ", []),
    ],
)
def test_words_are_cut_as_in_the_penn_treebank(text, keys):
    assert [word.key for word in words(text)] == keys


@settings(max_examples=50, deadline=None)
@given(st.text(max_size=30))
def test_no_sign_is_lost_and_white_space_is_remembered(text):
    found = list(words(text))
    assert "".join(w.shown for w in found) == "".join(text.split())
    again = "".join(" " * w.spaced + w.shown for w in found)
    assert again.split() == text.split()


def test_unknown_words_and_words_with_a_zero_vector_have_row_0():
    vocabulary = parsed("good 1 2\nnothing 0 0\nbad -1 3\n", "here")
    assert vocabulary.words == ["good", "bad"] and vocabulary.vectors.tolist() == [[0, 0], [1, 2], [-1, 3]]
    assert vocabulary.encoded(list(words("Good BAD nothing never"))).tolist() == [1, 2, UNKNOWN, UNKNOWN]


def test_words_of_enough_training_texts_join_with_a_zero_vector():
    texts = [list(words(text)) for text in ("good new new", "new rare", "bad")]
    vocabulary = parsed("good 1 2\nbad -1 3\n", "here").extended(texts, 2)
    assert vocabulary.words == ["good", "bad", "new"]
    assert torch.equal(vocabulary.vectors[3], torch.zeros(2))
    assert vocabulary.encoded(list(words("rare new"))).tolist() == [UNKNOWN, 3]


@pytest.mark.parametrize("text", ["good 1 2\nbad 1\n", "good one two\n"])
def test_vectors_in_another_format_are_refused(tmp_path, text):
    path = tmp_path / "vectors.txt"
    path.write_text(text)
    with pytest.raises(ConfigError, match="Each line of .*vectors.txt must be a word and its numbers, equally many in each"):
        glove(str(path))


def test_a_missing_file_of_vectors_is_refused(tmp_path):
    with pytest.raises(ConfigError, match=r"'data.vectors' must be a text file .*; found .*none.txt"):
        glove(str(tmp_path / "none.txt"))
