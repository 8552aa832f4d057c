"""The preset on the tiny film criticism, and a network of random weights over ten words."""

import pytest
import torch
from hydra import compose, initialize_config_dir

from experiments.configs.run import Config, register, typed
from experiments.data import load
from experiments.models.reviews import ReviewNetwork
from tests.experiments.conftest import CONF

TINY = ("experiment=movie_reviews", "data=imdb", "model.hidden=[6,4]", "model.epochs=3", "model.batch=8")
LESS = ("question.reviews=4", "question.compared=2", "question.audited=1", "question.shown=[0,1]", "question.steps=4")


@pytest.fixture(scope="session")
def overrides(review_files) -> tuple[str, ...]:
    return (*TINY, *LESS, f"data.path={review_files}/reviews.csv", f"data.vectors={review_files}/vectors.txt")


@pytest.fixture(scope="session")
def config(overrides) -> Config:
    register()
    with initialize_config_dir(str(CONF), version_base="1.3"):
        return typed(compose("config", overrides=list(overrides)))


@pytest.fixture(scope="session")
def reviews(config):
    return load(config.data)


@pytest.fixture(scope="session")
def network() -> ReviewNetwork:
    """In float64; relevance reaches the words of every text that the tests explain."""
    generator = torch.Generator().manual_seed(3)
    vectors = torch.randn(11, 4, generator=generator, dtype=torch.double)
    vectors[0] = 0
    made = ReviewNetwork(vectors, [8, 6], False, 0.3, 0.3).double().eval().requires_grad_(False)
    for parameter in made.dense.parameters():
        parameter.copy_(torch.randn(parameter.shape, generator=generator, dtype=torch.double))
    return made
