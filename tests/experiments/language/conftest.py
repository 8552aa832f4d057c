"""The tiny BERT as a classifier, trained for two epochs on the tiny film criticism, and the tiny LLaMA."""

from importlib.util import find_spec

import pytest
import torch
from hydra import compose, initialize_config_dir

from experiments.configs.run import Config, register, typed
from experiments.data import load
from experiments.models.sentence_classifier import classifier
from tests.experiments.conftest import CONF


@pytest.fixture(scope="session", autouse=True)
def extra() -> None:
    """Nothing here runs without the extra."""
    if find_spec("transformers") is None:
        pytest.skip("needs the extra transformers")


def config_of(*overrides: str) -> Config:
    register()
    with initialize_config_dir(str(CONF), version_base="1.3"):
        return typed(compose("config", overrides=list(overrides)))


@pytest.fixture(scope="session")
def sentiment_config(review_files, language_files) -> Config:
    data = ("data=imdb", f"data.path={review_files}/reviews.csv", f"data.vectors={review_files}/vectors.txt")
    return config_of("experiment=sentiment", *data, f"model.path={language_files}/bert", "model.tuned=1", "model.epochs=2")


@pytest.fixture(scope="session")
def prompt_config(language_files) -> Config:
    return config_of("experiment=next_token", f"model.path={language_files}/llama", "question.text=the plot is very good")


@pytest.fixture(scope="session")
def reviews(sentiment_config):
    return load(sentiment_config.data)


@pytest.fixture
def trained(sentiment_config, reviews, cache):
    """In double precision."""
    made = classifier(sentiment_config.model, reviews)
    made.model.to(torch.float64)
    return made
