"""Affine layers of every kind, with weights, biases and inputs of every sign pattern."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import torch
from torch import Tensor, nn

import dtd


class Sum(nn.Module):
    """Sum over the last axis."""

    def forward(self, x):
        return x.sum(-1)


class Mean(nn.Module):
    """Mean over spatial axes, kept."""

    def forward(self, x):
        return x.mean((2, 3), keepdim=True)


class Matmul(nn.Module):
    """A product with a parameter and a bias, without nn.Linear."""

    def __init__(self):
        super().__init__()
        self.weight, self.bias = nn.Parameter(torch.zeros(5, 4)), nn.Parameter(torch.zeros(4))

    def forward(self, x):
        return torch.addmm(self.bias, x, self.weight)


class MatrixFirst(nn.Module):
    """A product with a parameter on the left."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(5, 4))

    def forward(self, x):
        return self.weight @ x


class RunningSum(nn.Module):
    """Running sums along the first axis of a sample."""

    def forward(self, x):
        return x.cumsum(1)


class Scattered(nn.Module):
    """Entries added up at the places of an index."""

    def forward(self, x):
        return x.new_zeros(x.shape[0], 3, 2).index_add(1, torch.tensor([0, 2, 1, 2]), x)


LAYERS: dict[str, tuple[Callable[[], nn.Module], tuple[int, ...]]] = {
    "linear": (lambda: nn.Linear(6, 5), (6,)),
    "linear_without_bias": (lambda: nn.Linear(6, 5, bias=False), (6,)),
    "linear_on_sequence": (lambda: nn.Linear(4, 3), (3, 4)),
    "addmm": (Matmul, (5,)),
    "conv1d": (lambda: nn.Conv1d(2, 3, 3, stride=2, padding=1), (2, 7)),
    "conv1d_same_even": (lambda: nn.Conv1d(2, 3, 4, padding="same"), (2, 6)),
    "conv2d": (lambda: nn.Conv2d(2, 3, 3, padding=1), (2, 4, 4)),
    "conv2d_valid": (lambda: nn.Conv2d(2, 3, 2, padding="valid", bias=False), (2, 4, 3)),
    "conv2d_stride_dilation": (lambda: nn.Conv2d(2, 2, (2, 3), (2, 1), (1, 2), (1, 2)), (2, 5, 5)),
    "conv2d_groups": (lambda: nn.Conv2d(4, 6, 3, padding=1, groups=2), (4, 3, 3)),
    "conv2d_depthwise": (lambda: nn.Conv2d(3, 6, 2, groups=3), (3, 3, 3)),
    "conv3d": (lambda: nn.Conv3d(1, 2, 2, padding=(0, 1, 0)), (1, 3, 2, 3)),
    "conv_transpose1d": (lambda: nn.ConvTranspose1d(2, 3, 3, stride=2, padding=1, output_padding=1), (2, 4)),
    "conv_transpose2d": (lambda: nn.ConvTranspose2d(2, 3, 3, stride=2, padding=1), (2, 3, 2)),
    "conv_transpose2d_groups": (lambda: nn.ConvTranspose2d(4, 4, 2, stride=1, groups=2, dilation=2), (4, 2, 3)),
    "conv_transpose3d": (lambda: nn.ConvTranspose3d(1, 2, 2, stride=(1, 2, 1)), (1, 2, 2, 2)),
    "avg_pool1d": (lambda: nn.AvgPool1d(3, stride=2, padding=1), (2, 7)),
    "avg_pool2d": (lambda: nn.AvgPool2d(2), (2, 4, 4)),
    "avg_pool2d_ceil": (lambda: nn.AvgPool2d(3, 2, padding=1, ceil_mode=True, count_include_pad=False), (2, 6, 4)),
    "avg_pool2d_ceil_counted": (lambda: nn.AvgPool2d(3, 2, padding=1, ceil_mode=True), (1, 6, 6)),
    "sum_pool2d": (lambda: nn.AvgPool2d(2, divisor_override=1), (2, 4, 4)),
    "avg_pool3d": (lambda: nn.AvgPool3d(2, 1), (1, 3, 3, 2)),
    "adaptive_pool1d": (lambda: nn.AdaptiveAvgPool1d(3), (2, 7)),
    "adaptive_pool2d": (lambda: nn.AdaptiveAvgPool2d((3, 2)), (2, 5, 5)),
    "adaptive_pool3d": (lambda: nn.AdaptiveAvgPool3d((2, 1, 2)), (1, 3, 3, 3)),
    "matrix_first": (MatrixFirst, (4, 3)),
    "cumsum": (RunningSum, (4, 3)),
    "scatter_sum": (Scattered, (4, 2)),
    "mean": (Mean, (2, 3, 3)),
    "sum": (Sum, (3, 4)),
    "batch_norm1d": (lambda: nn.BatchNorm1d(5), (5,)),
    "batch_norm2d": (lambda: nn.BatchNorm2d(3), (3, 2, 2)),
    "batch_norm3d": (lambda: nn.BatchNorm3d(2, affine=False), (2, 2, 2, 2)),
}

DOMAINS = {"nonnegative": dtd.NonNegative(), "real": dtd.Real(), "box": dtd.Box(-1.0, 2.0)}
SIGNS = ("mixed", "positive", "negative", "sparse", "zero")


@dataclass(frozen=True, eq=False)
class Case:
    """A module, its network of one affine layer, and an input in the network's domain."""

    module: nn.Module
    network: dtd.Network
    x: Tensor
    relevance: Tensor

    @property
    def layer(self):
        """The affine layer (a reshape may follow it)."""
        return self.network.layers[0]


@cache
def traced(name: str) -> tuple[nn.Module, dtd.Network]:
    """The module and its network, traced once; weights are refilled in place."""
    make, shape = LAYERS[name]
    module = make().double().eval()
    return module, dtd.trace(module, torch.zeros(2, *shape, dtype=torch.double))


def signed(values: Tensor, signs: str, generator: torch.Generator) -> Tensor:
    """Values with the signs of a pattern; 'sparse' sets about half of them to zero."""
    kept = torch.rand(values.shape, generator=generator) < 0.5
    patterns = {
        "mixed": values,
        "positive": values.abs(),
        "negative": -values.abs(),
        "sparse": values * kept,
        "zero": 0 * values,
    }
    return patterns[signs]


def make_case(name: str, domain: str, batch: int, signs: dict[str, str], seed: int) -> Case:
    """A layer whose weight, bias and input have the given sign patterns."""
    module, network = traced(name)
    network = network.within(DOMAINS[domain])
    generator = torch.Generator().manual_seed(seed)

    def draw(shape, pattern):
        return signed(torch.randn(shape, generator=generator, dtype=torch.double), pattern, generator)

    with torch.no_grad():
        for key, parameter in module.named_parameters():
            parameter.copy_(draw(parameter.shape, signs["bias" if "bias" in key else "weight"]))
        for key, buffer in module.named_buffers():
            if "running" in key:
                buffer.copy_(draw(buffer.shape, "positive" if "var" in key else "mixed"))
    x = draw((batch, *network.shape), signs["input"])
    x = {"nonnegative": x.abs(), "real": x, "box": x.clamp(-1, 2)}[domain]
    output = network.layers[0].shape
    shape = network.layers[0].op.out_shape
    assert torch.Size(output).numel() == torch.Size(shape).numel()
    return Case(module, network, x, draw((batch, *shape), signs["relevance"]))
