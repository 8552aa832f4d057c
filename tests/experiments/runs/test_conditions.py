"""A job finds the same generators and threads wherever it runs, and leaves them as they were."""

import random

import numpy as np
import pytest
import torch

from experiments.machine.conditions import seeded, threads


def drawn() -> tuple:
    return random.random(), float(np.random.rand()), float(torch.rand(()))


def test_every_global_generator_starts_from_the_seed_and_goes_on_as_before():
    torch.manual_seed(5), np.random.seed(5), random.seed(5)
    expected = drawn()
    torch.manual_seed(5), np.random.seed(5), random.seed(5)
    with seeded(3):
        first = drawn()
    assert drawn() == expected
    with seeded(3):
        assert drawn() == first
    with seeded(4):
        assert not set(drawn()) & set(first)


@pytest.mark.parametrize("number", [None, 1, 2])
def test_threads_are_those_of_the_job_inside_and_the_old_ones_outside(number):
    before = torch.get_num_threads()
    with pytest.raises(ValueError, match="inside"), threads(number):
        assert torch.get_num_threads() == (before if number is None else number)
        raise ValueError("inside")
    assert torch.get_num_threads() == before
