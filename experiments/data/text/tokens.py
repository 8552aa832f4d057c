"""Texts as a language model reads them: tokens, and the word that each belongs to."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

import torch
from torch import Tensor

from experiments.data.text.words import Word

SPECIAL = -1  # the word of tokens that the tokenizer adds


@dataclass(frozen=True)
class Tokens:
    """A text's tokens. ``words``: the place of each token's word, :data:`SPECIAL` for what the tokenizer adds."""

    ids: Sequence[int]
    words: Sequence[int]

    def without(self, gone: frozenset[int]) -> list[int]:
        """The ids that are left when some words are gone; those behind them move up."""
        return [token for token, word in zip(self.ids, self.words, strict=True) if word not in gone]

    def summed(self, relevance: Tensor, words: int) -> Tensor:
        """Relevance of each word, the sum over its tokens; special tokens and words without a token have none here.

        # shape: relevance (tokens,) -> (words,)
        """
        of = torch.tensor(self.words)
        mine = of != SPECIAL
        return relevance.new_zeros(words).index_add(0, of[mine], relevance[mine])

    def special(self, relevance: Tensor) -> Tensor:
        """Relevance of the tokens that the tokenizer adds. # shape: (tokens,) -> ()"""
        return relevance[torch.tensor(self.words) == SPECIAL].sum()


def joined(words: Sequence[Word]) -> str:
    """The text that words stand for, with single blanks."""
    return "".join(" " * word.spaced + word.shown for word in words)


def tokens(tokenizer: Any, words: Sequence[Word], most: int) -> Tokens:
    """The first ``most`` tokens of a text, special ones included; a token belongs to the word of its first character.

    ``tokenizer`` is one of ``transformers`` that knows where in the text each token stands (a fast one).
    """
    found = tokenizer(
        joined(words), truncation=True, max_length=most, return_offsets_mapping=True, return_special_tokens_mask=True
    )
    ends = list(accumulate(len(word.shown) + word.spaced for word in words))
    added = found["special_tokens_mask"]
    of = [
        SPECIAL if extra else bisect_right(ends, start)
        for extra, (start, _) in zip(added, found["offset_mapping"], strict=True)
    ]
    return Tokens(found["input_ids"], of)


def padded(ids: Sequence[Sequence[int]], padding: int) -> Tensor:
    """Token ids of several texts. # shape: (B, T), ``padding`` behind the last token"""
    made = torch.full((len(ids), max(map(len, ids))), padding, dtype=torch.long)
    for row, each in zip(made, ids, strict=True):
        row[: len(each)] = torch.tensor(each, dtype=torch.long)
    return made
