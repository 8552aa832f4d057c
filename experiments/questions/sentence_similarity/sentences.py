"""Sentences as an encoder reads them: their vectors, and what leaving words out changes."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import Tensor, nn

from experiments.data.text.tokens import SPECIAL, Tokens, joined, tokens
from experiments.data.text.words import Word, words


class Embedding(nn.Module):
    """The mean of the encoder's vectors over all tokens of one sentence. # shape: ids (1, T) -> (1, M)"""

    def __init__(self, encoder: nn.Module):
        super().__init__()
        self.encoder = encoder

    def forward(self, ids: Tensor) -> Tensor:
        return self.encoder(input_ids=ids, attention_mask=torch.ones_like(ids)).last_hidden_state.mean(1)


@dataclass(frozen=True, eq=False)
class Sentence:
    """A sentence with its words and tokens. What the tokenizer adds is one more word, behind the others."""

    text: str
    words: tuple[Word, ...]
    tokens: Tokens

    @classmethod
    def of(cls, tokenizer: Any, text: str, most: int) -> "Sentence":
        """A text as the tokenizer cuts it."""
        found = tuple(words(text))
        return cls(joined(found), found, tokens(tokenizer, found, most))

    @property
    def ids(self) -> Tensor:
        """# shape: (1, T)"""
        return torch.tensor([self.tokens.ids], dtype=torch.long)

    @cached_property
    def owners(self) -> Tensor:
        """The word of each token; the last number is that of added tokens. # shape: (T,)"""
        return torch.tensor([len(self.words) if word == SPECIAL else word for word in self.tokens.words])

    def pooled(self, relevance: Tensor) -> Tensor:
        """Relevance of words, and of all added tokens together. # shape: (N, T, D) -> (N, words + 1)"""
        of_tokens = relevance.sum(-1)
        return of_tokens.new_zeros(len(of_tokens), len(self.words) + 1).index_add(1, self.owners, of_tokens)

    @torch.no_grad()
    def changes(self, model: nn.Module) -> Tensor:
        """By how much the embedding changes when a word is left out, word by word. # shape: (words, M)"""
        whole = model(self.ids)
        without = [self.tokens.without(frozenset([word])) for word in range(len(self.words))]
        return whole - torch.cat([model(torch.tensor([ids])) for ids in without])


def interactions(model: nn.Module, left: Sentence, right: Sentence, scale: float) -> Tensor:
    """How much less alike two sentences are for losing both of two words than for losing each alone. # shape: (I, J)"""
    return left.changes(model) @ right.changes(model).T * scale


def pairs_of(tokenizer: Any, texts: Sequence[Sequence[str]], most: int) -> list[tuple[Sentence, Sentence]]:
    """Sentences two by two."""
    return [(Sentence.of(tokenizer, one, most), Sentence.of(tokenizer, other, most)) for one, other in texts]
