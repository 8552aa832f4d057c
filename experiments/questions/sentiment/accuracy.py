"""How good the transformer is, beside the network on word vectors and a bag of words, on the same split."""

from collections.abc import Sequence

import pandas as pd
from torch import Tensor

from experiments.configs.models import ReviewNetworkConfig
from experiments.data.text.reviews import Reviews, Text
from experiments.models.reviews import subject
from experiments.models.sentence_classifier import Classifier
from experiments.questions.movie_reviews.accuracy import accuracies

TRAINED = 2000  # training texts that the transformer is scored on
NAMES = {"network": "network on word vectors"}


def compared_accuracies(classifier: Classifier, reviews: Reviews, beside: ReviewNetworkConfig | None) -> pd.DataFrame:
    """Share of texts of either part that are classified correctly; of training texts the transformer reads the first ones.

    Columns: ``classifier``, ``part``, ``texts``, ``accuracy`` and its standard error ``se``.
    """
    parts = {
        "train": (reviews.train_texts[:TRAINED], reviews.train_y[:TRAINED]),
        "test": (reviews.test_texts, reviews.test_y),
    }
    rows = [scored(classifier, part, *texts) for part, texts in parts.items()]
    if beside is None:
        return pd.DataFrame(rows)
    others = accuracies(subject(beside, reviews).model.requires_grad_(False), reviews)
    return pd.concat([pd.DataFrame(rows), others.replace({"classifier": NAMES})], ignore_index=True)


def scored(classifier: Classifier, part: str, texts: Sequence[Text], y: Tensor) -> dict[str, object]:
    """One row."""
    right = (classifier.logits([classifier.encoded(text).ids for text in texts]).argmax(1) == y).double()
    share = right.mean().item()
    se = (share * (1 - share) / len(y)) ** 0.5
    return {"classifier": "transformer", "part": part, "texts": len(y), "accuracy": share, "se": se}
