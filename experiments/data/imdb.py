"""IMDB's movie reviews, from a path."""

import re
from pathlib import Path

import pandas as pd

from experiments.configs.base import ConfigError
from experiments.configs.data import ImdbConfig
from experiments.data.text.reviews import Labelled, Reviews, reviews

TAG = re.compile(r"</?[a-z][^<>]*>", re.IGNORECASE)
LABELS = {"neg": 0, "pos": 1, "negative": 0, "positive": 1, "0": 0, "1": 1}


def load(config: ImdbConfig) -> Reviews:
    """The reviews of the folder ``aclImdb``, with its own split, or of a csv file, split here."""
    return reviews(imdb(config.path), config)


def imdb(path: str) -> list[Labelled]:
    """The labelled reviews; raises :class:`ConfigError` where there are none."""
    place = Path(path).expanduser()
    found = folder(place) if place.is_dir() else table(place) if place.is_file() else []
    if not found:
        raise ConfigError(
            f"'data.path' must be the folder aclImdb (with train/pos/*.txt and so on) or a csv file with the columns "
            f"review and sentiment; found {path}, which {'holds no review' if place.exists() else 'is not there'}."
        )
    return [Labelled(cleaned(review.text), review.label, review.part) for review in found]


def folder(place: Path) -> list[Labelled]:
    """``{train,test}/{pos,neg}/*.txt``."""
    files = [
        file for part in ("train", "test") for side in ("neg", "pos") for file in sorted((place / part / side).glob("*.txt"))
    ]
    return [Labelled(file.read_text(encoding="utf-8"), LABELS[file.parent.name], file.parent.parent.name) for file in files]


def table(place: Path) -> list[Labelled]:
    """Rows of a csv file; the sentiment is negative, neg or 0, or positive, pos or 1."""
    try:
        rows = pd.read_csv(place, dtype=str, keep_default_na=False)
    except UnicodeDecodeError as error:
        byte = f"byte {error.object[error.start]:#04x} at position {error.start}"
        raise ConfigError(
            f"{place} must be text in UTF-8; {byte} is none. Save it so: iconv -f LATIN1 -t UTF-8 OLD.csv > NEW.csv."
        ) from error
    except (ValueError, OSError) as error:  # the parser's errors are values; an empty file is one too
        why = str(error).strip().rstrip(".")
        raise ConfigError(f"'data.path' must be a csv file with rows; {place} cannot be read as one ({why}).") from error
    if not {"review", "sentiment"} <= set(rows.columns):
        raise ConfigError(f"{place} must have the columns review and sentiment; found {', '.join(rows.columns)}.")
    wrong = rows.index[~rows.sentiment.isin(list(LABELS))]
    if len(wrong):
        found = f"'{rows.sentiment[wrong[0]]}' in row {wrong[0] + 1}"
        raise ConfigError(f"The column sentiment of {place} must hold {', '.join(LABELS)}; found {found}.")
    if rows.sentiment.map(LABELS).nunique() == 1:
        raise ConfigError(f"The column sentiment of {place} must hold both sides; all {len(rows)} rows are of one.")
    return [Labelled(row.review, LABELS[row.sentiment]) for row in rows.itertuples()]


def cleaned(text: str) -> str:
    """The text without tags, and without backslashes before quotes."""
    return TAG.sub(" ", text).replace('\\"', '"')
