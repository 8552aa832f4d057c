"""Models are trained once, to the same bits, and not taken from a cache that is for something else."""

from dataclasses import replace
from functools import partial

import pytest
import torch

from experiments.configs.data import DigitsConfig
from experiments.configs.models import MLPConfig
from experiments.data import load
from experiments.models import training
from experiments.models.mlp import MLP
from experiments.models.training import cached, trained

DIGITS = DigitsConfig(test_fraction=0.25, seed=0)
CONFIG = MLPConfig(epochs=2, batch=64, learning_rate=2e-3, weight_decay=1e-4, seed=3, hidden=[16])
DATA = load(DIGITS)
BUILD = partial(MLP, [64, 16, 10])


@pytest.fixture
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setattr(training.platformdirs, "user_cache_dir", lambda name: str(tmp_path / name))
    return tmp_path


def weights(config=CONFIG) -> dict[str, torch.Tensor]:
    return trained(BUILD, config, DATA).state_dict()


def same(x: dict, y: dict) -> bool:
    return all(torch.equal(x[name], y[name]) for name in x)


def test_training_is_repeatable_bit_for_bit_and_leaves_the_random_state_alone(own_cache):
    state = torch.get_rng_state()
    first = weights()
    cached(BUILD, CONFIG, DATA).unlink()
    assert same(first, weights())
    assert torch.equal(state, torch.get_rng_state())


def test_the_number_of_threads_does_not_matter(own_cache):
    first, threads = weights(), torch.get_num_threads()
    cached(BUILD, CONFIG, DATA).unlink()
    torch.set_num_threads(2)
    try:
        assert same(first, weights()) and torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(threads)


def test_the_second_time_weights_come_from_the_cache(own_cache, monkeypatch):
    first = weights()
    monkeypatch.setattr(training, "train", lambda *_: pytest.fail("trained again"))
    assert same(first, weights())
    assert [p.suffix for p in cached(BUILD, CONFIG, DATA).parent.iterdir()] == [".safetensors"]


@pytest.mark.parametrize("other", [replace(CONFIG, seed=4), replace(CONFIG, epochs=3), replace(CONFIG, hidden=[17])])
def test_another_config_has_another_place(other):
    assert cached(BUILD, other, DATA) != cached(BUILD, CONFIG, DATA)


def test_other_data_or_other_code_has_another_place(monkeypatch):
    here = cached(BUILD, CONFIG, DATA)
    assert cached(BUILD, CONFIG, load(replace(DIGITS, seed=1))) != here
    monkeypatch.setattr(training, "SOURCES", training.SOURCES[:-1])
    assert cached(BUILD, CONFIG, DATA) != here


def test_a_cached_file_that_cannot_be_read_is_replaced(own_cache):
    first = weights()
    cached(BUILD, CONFIG, DATA).write_bytes(b"half a file")
    assert same(first, weights())
    assert same(first, weights())


def test_training_learns(own_cache):
    model = trained(BUILD, replace(CONFIG, epochs=20), DATA)
    with torch.no_grad():
        assert (model(DATA.test_x).argmax(1) == DATA.test_y).double().mean() > 0.9
    assert not model.training


def test_the_data_are_digits_in_their_box():
    data = DATA
    assert data.train_x.shape == (1347, 1, 8, 8) and data.test_x.shape == (450, 1, 8, 8)
    assert data.train_x.dtype == torch.float32 and data.domain.contains(data.train_x).all()
    assert data.train_x.min() == 0 and data.train_x.max() == 1
