"""Small residual networks for images of any size, trained here."""

from functools import partial

from torch import Tensor, nn
from torch.nn import functional as F

from experiments.configs.base import require
from experiments.configs.models import ResNetConfig
from experiments.data import Data
from experiments.models.base import Subject, images_needed, on_data
from experiments.models.layers import Residual, convolution
from experiments.models.training import check_training, trained


class ResNet(nn.Module):
    """Three stages of residual blocks, each after a convolution with stride 2 and twice the channels; global averages."""

    def __init__(self, channels: int, blocks: int, classes: int, inputs: int):
        super().__init__()
        layers: list[nn.Module] = [*convolution(inputs, channels), nn.ReLU()]
        for stage in range(3):
            width = channels * 2**stage
            if stage:
                layers += [*convolution(width // 2, width, stride=2), nn.ReLU()]
            layers += [Residual(width) for _ in range(blocks)]
        self.features = nn.Sequential(*layers)
        self.classifier = nn.Linear(width, classes)

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(F.adaptive_avg_pool2d(self.features(x), 1).flatten(1))


def check(config: ResNetConfig, key: str) -> None:
    """Raises :class:`ConfigError` for a network that there cannot be."""
    check_training(config, key)
    for name in ("channels", "blocks"):
        require(getattr(config, name) >= 1, f"{key}.{name}", "at least 1", getattr(config, name))


def fits(config: ResNetConfig, data: Data) -> str:
    """What data the network needs; empty where these fit."""
    return images_needed(data, smallest=3)


def subject(config: ResNetConfig, data: Data) -> Subject:
    """A residual network for the data's classes."""
    build = partial(ResNet, config.channels, config.blocks, data.classes, data.train_x.shape[1])
    return on_data(trained(build, config, data), data)
