"""A prompt, the tokens that may come next, and which of them are explained."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from experiments.configs.base import require
from experiments.configs.questions.language import NextTokenConfig
from experiments.models.pretrained import LanguageModel, first_token


@dataclass(frozen=True)
class Explained:
    """A next token by its number in the vocabulary, and the one whose logit is taken away, if any."""

    answer: int
    against: int | None

    def initial(self, logits: Tensor) -> Tensor:
        """The initial relevance: the answer's logit, and the other's with a minus sign. # shape: (B, vocabulary), both"""
        made = torch.zeros_like(logits)
        made[:, self.answer] = logits[:, self.answer]
        if self.against is not None:
            made[:, self.against] = -logits[:, self.against]
        return made

    def value(self, logits: Tensor) -> Tensor:
        """What is explained. # shape: (B, vocabulary) -> (B,)"""
        return logits[:, self.answer] - (0 if self.against is None else logits[:, self.against])


@dataclass(frozen=True, eq=False)
class Prompt:
    """Token ids of a prompt and the logits of the next token. # shape: ids (1, T), logits (1, vocabulary)"""

    ids: Tensor
    logits: Tensor
    tokenizer: Any

    @property
    def pieces(self) -> list[str]:
        """The text of each token."""
        return [self.tokenizer.decode([number]) for number in self.ids[0].tolist()]

    def shown(self, number: int) -> str:
        """The text of a token of the vocabulary."""
        return self.tokenizer.decode([number])


@torch.no_grad()
def prompt(found: LanguageModel, text: str) -> Prompt:
    """What the model makes of a text. Raises :class:`ConfigError` for a text without a token, or one that is too long."""
    ids = found.tokenizer(text, return_tensors="pt")["input_ids"]
    most = found.model.config.max_position_embeddings
    require(2 <= ids.shape[1] <= most, "question.text", f"a prompt of 2 to {most} tokens", f"{ids.shape[1]} in {text!r}")
    return Prompt(ids, last(found.model(input_ids=ids)), found.tokenizer)


def last(output: Any) -> Tensor:
    """Logits of the token that follows the last one. # shape: (B, vocabulary)"""
    return output.logits[:, -1]


def explained(asked: NextTokenConfig, given: Prompt) -> list[Explained]:
    """The answer, then so many of the most probable other tokens; with ``against`` the answer alone."""
    ranked = given.logits[0].argsort(descending=True).tolist()
    answer = ranked[0] if asked.answer is None else first_token(given.tokenizer, asked.answer, "question.answer")
    against = None if asked.against is None else first_token(given.tokenizer, asked.against, "question.against")
    require(answer != against, "question.against", "another token than the answer", repr(asked.against))
    others = [] if against is not None else [Explained(token, None) for token in ranked if token != answer]
    return [Explained(answer, against), *others[: asked.others]]
