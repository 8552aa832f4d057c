"""What other libraries are given computes what the model does."""

import pytest
import torch

from experiments.cost.peers.models import folded
from experiments.models.layers import Residual, randomise
from experiments.models.resnet18 import ResNet18


def networks():
    plain = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4), torch.nn.ReLU(), Residual(4))
    return {"ResNet-18": ResNet18(5), "residual": plain}


@pytest.mark.parametrize("name", ["ResNet-18", "residual"])
def test_merging_batch_norms_keeps_the_function(name):
    torch.manual_seed(0)
    model = networks()[name].double().eval()
    randomise(model)
    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            torch.nn.init.uniform_(module.running_mean, -1, 1)
            torch.nn.init.uniform_(module.running_var, 0.5, 2)
    x = torch.rand(2, 3, 64, 64, dtype=torch.double)
    torch.testing.assert_close(folded(model)(x), model(x))
    assert not any(isinstance(module, torch.nn.BatchNorm2d) for module in folded(model).modules())
