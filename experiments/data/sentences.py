"""Sentences of movie reviews, rated by people (Hutto and Gilbert 2014, from rotten.tomatoes.com)."""

import tarfile

from experiments.configs.data import SentencesConfig
from experiments.data.text.reviews import Labelled, Reviews, reviews
from experiments.machine.packages import Package, fetched

VADER = Package(
    "vaderSentiment==3.3.2",
    "vaderSentiment-3.3.2.tar.gz",
    "5d7c06e027fc8b99238edb0d53d970cf97066ef97654009890b83703849632f9",
    binary=False,
)
ARCHIVE = "vaderSentiment-3.3.2/additional_resources/hutto_ICWSM_2014.tar.gz"
RATINGS = "hutto_ICWSM_2014/movieReviewSnippets_GroundTruth.txt"


def load(config: SentencesConfig) -> Reviews:
    """10,568 sentences; the label is the sign of the mean rating, and the 37 rated 0 are left out."""
    return reviews(sentences(), config)


def sentences() -> list[Labelled]:
    """Every sentence that was not rated 0, from the source archive of a package."""
    with tarfile.open(fetched(VADER)) as outer, tarfile.open(fileobj=outer.extractfile(ARCHIVE)) as inner:
        lines = inner.extractfile(RATINGS).read().decode().splitlines()
    rated = [line.split("\t") for line in lines]
    return [Labelled(text, int(float(rating) > 0)) for _, rating, text in rated if float(rating) != 0]
