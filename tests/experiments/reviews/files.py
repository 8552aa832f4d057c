"""A tiny film criticism: 13 words with vectors of 4 numbers, and 72 sentences in which four of them decide."""

from itertools import product
from pathlib import Path

VECTORS = """\
good 1.0 0.2 -0.1 0.3
great 1.2 -0.3 0.2 0.1
bad -1.0 0.1 0.2 -0.2
awful -1.3 -0.2 -0.1 0.2
film 0.1 0.9 0.1 -0.3
plot -0.1 0.8 -0.2 0.2
the 0.05 0.1 0.7 0.1
a -0.05 0.2 0.6 -0.1
is 0.02 -0.2 0.5 0.2
. 0.01 -0.1 0.3 0.4
very 0.1 0.3 0.2 -0.5
n't -0.4 0.1 0.1 0.3
<unk> 0.0 0.0 0.0 0.0
"""
PATTERNS = ("The {noun} is {word}.", "A {word} {noun}", "{word}, very {word} {noun}!")
NOUNS = ("film", "plot", "cast", "score", "ending", "hero")


def write(folder: Path) -> None:
    """``vectors.txt`` and ``reviews.csv``."""
    (folder / "vectors.txt").write_text(VECTORS)
    sides = [("good", 1), ("great", 1), ("bad", 0), ("awful", 0)]
    made = [(p.format(noun=noun, word=word), label) for p, noun, (word, label) in product(PATTERNS, NOUNS, sides)]
    lines = [f'"{text}",{label}' for text, label in made]
    (folder / "reviews.csv").write_text("\n".join(["review,sentiment", *lines, ""]))
