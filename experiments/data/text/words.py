"""From text to words, in the manner of the Penn Treebank, which the word vectors were made with."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

WORD = re.compile(
    r"""n['’]t\b                      # don't = do n't
      | ['’](?:s|re|ve|ll|d|m)\b      # it's = it 's
      | [^\W_]+?(?=n['’]t\b)
      | [^\W_]+
      | \.\.\. | --
      | [^\w\s] | _                   # every other sign by itself
    """,
    re.VERBOSE | re.IGNORECASE,
)


@dataclass(frozen=True)
class Word:
    """A word as it stands in the text, the key that it has in a vocabulary, and whether white space comes before it."""

    shown: str
    key: str
    spaced: bool


def words(text: str) -> Iterator[Word]:
    """The words of a text in order; they hold every character that is not white space."""
    end = 0
    for match in WORD.finditer(text):
        shown = match.group()
        yield Word(shown, shown.lower().replace("’", "'"), match.start() > end)
        end = match.end()
