"""Cascades: which layers are new at which step; the model itself never changes."""

import pytest
import torch
from torch import nn

from dtd.domain import Box
from dtd.errors import InputError
from dtd.network import trace
from experiments.measures.randomisation import groups, randomised
from experiments.models.cnn import CNN

X = torch.rand(2, 1, 8, 8)
LAYERS = ["stem.0", "block.body.0", "block.body.3", "head.0", "classifier"]
NORMS = {"stem.1", "block.body.1", "block.body.4", "head.1"}


@pytest.fixture
def cnn() -> nn.Module:
    torch.manual_seed(0)
    model = CNN(2, 10).train()
    model(torch.rand(16, 1, 8, 8))  # batch norms get statistics that are not those of a new one
    return model.eval()


def changed(model: nn.Module, other: nn.Module) -> set[str]:
    """Modules that differ in a parameter or buffer."""
    state = other.state_dict()
    return {name.rpartition(".")[0] for name, value in model.state_dict().items() if not torch.equal(value, state[name])}


def test_layers_come_in_the_order_of_the_computation_with_their_batch_norms(cnn):
    found = groups(trace(cnn, X, Box(0.0, 1.0)))
    assert [group[0] for group in found] == LAYERS
    assert {path for group in found for path in group[1:]} == NORMS


@pytest.mark.parametrize("order", ["output", "input", "each"])
def test_every_step_changes_its_layers_and_no_others(cnn, order):
    before = {name: value.clone() for name, value in cnn.state_dict().items()}
    parts = groups(trace(cnn, X, Box(0.0, 1.0)))
    steps = list(randomised(cnn, parts, order, seed=0))
    expected = LAYERS[::-1] if order == "output" else LAYERS
    assert [name for name, _ in steps] == expected
    for k, (name, copy) in enumerate(steps):
        new = {name} if order == "each" else set(expected[: k + 1])
        assert changed(cnn, copy) == {path for part in parts if part[0] in new for path in part}
    assert all(torch.equal(value, before[name]) for name, value in cnn.state_dict().items())


def test_the_seed_decides_the_weights_and_torchs_own_generator_is_left_alone(cnn):
    parts, state = groups(trace(cnn, X, Box(0.0, 1.0))), torch.random.get_rng_state()
    last = [list(randomised(cnn, parts, order, seed))[-1][1] for order, seed in (("output", 0), ("input", 0), ("input", 1))]
    assert changed(last[0], last[1]) == set() and "classifier" in changed(last[1], last[2])
    assert torch.equal(state, torch.random.get_rng_state())


def test_a_module_that_cannot_be_drawn_anew_is_named():
    class Own(nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = nn.Parameter(torch.ones(3, 4))

        def forward(self, x):
            return torch.nn.functional.linear(x, self.weight)

    model = nn.Sequential(nn.Linear(4, 4), nn.ReLU(), Own()).eval()
    with pytest.raises(InputError, match=r"Module '2' \(Own\) has weights but no reset_parameters\(\)"):
        groups(trace(model, torch.rand(2, 4)))
