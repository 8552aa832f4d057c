"""Pairs of prompts that differ in one word, and the tokens that continue them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from experiments.configs.base import require
from experiments.models.pretrained import first_token

BLANK = "{}"


class NextToken(nn.Module):
    """The logits of the token that follows the last one. # shape: ids (B, T) -> (B, vocabulary)"""

    def __init__(self, model: nn.Module):
        super().__init__()
        self.model = model

    def forward(self, ids: Tensor) -> Tensor:
        return self.model(input_ids=ids, logits_to_keep=1).logits[:, -1]


@dataclass(frozen=True, eq=False)
class PromptPair:
    """A prompt and another one of as many tokens, each with the token that continues it. # shape: clean, corrupted (1, T)"""

    clean: Tensor
    corrupted: Tensor
    answer: int
    against: int
    text: str
    other: str

    @property
    def first(self) -> int:
        """The position of the first token that differs: nothing before it changes."""
        return int((self.clean != self.corrupted)[0].nonzero()[0])


def prompt_pairs(tokenizer: Any, prompt: str, words: Sequence[Sequence[str]]) -> list[PromptPair]:
    """The prompt with either word in its blank. Raises :class:`ConfigError` for prompts of unequal numbers of tokens."""
    found = []
    for word, answer, other, against in words:
        texts = [prompt.replace(BLANK, each) for each in (word, other)]
        clean, corrupted = (tokenizer(text, return_tensors="pt")["input_ids"] for text in texts)
        counts = f"{clean.shape[1]} for {texts[0]!r} and {corrupted.shape[1]} for {texts[1]!r}"
        require(clean.shape == corrupted.shape, "question.pairs", "pairs with prompts of as many tokens", counts)
        require(bool((clean != corrupted).any()), "question.pairs", "pairs with prompts that differ", repr(texts[0]))
        tokens = [first_token(tokenizer, each, "question.pairs") for each in (answer, against)]
        require(tokens[0] != tokens[1], "question.pairs", "pairs with answers that differ", f"{answer!r} and {against!r}")
        found.append(PromptPair(clean, corrupted, *tokens, *texts))
    return found


@torch.no_grad()
def difference(model: nn.Module, ids: Tensor, pair: PromptPair) -> float:
    """The logit of the first prompt's answer minus that of the other's."""
    logits = model(ids)[0]
    return float(logits[pair.answer] - logits[pair.against])
