"""Adjoints of strided convolutions, phase by phase."""

import pytest
import torch

from dtd.affine import Convolution
from dtd.fast.kernels import fastest
from dtd.fast.kernels.narrow import ConvolutionPasses
from dtd.fast.kernels.subpixel import PhasedConvolution


def convolution(channels, size, kernel, stride, padding, **changes) -> Convolution:
    torch.manual_seed(0)
    out = [(n + sum(p) - k) // s + 1 for n, k, s, p in zip(size, kernel, stride, padding, strict=True)]
    arguments = {
        "weight": torch.randn(5, channels, *kernel, dtype=torch.double),
        "bias": None,
        "in_shape": (channels, *size),
        "out_shape": (5, *out),
        "stride": stride,
        "dilation": (1,) * len(size),
        "padding": padding,
    }
    return Convolution(**arguments | changes)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(
    ("size", "kernel", "stride", "padding"),
    [
        ((16, 18), (7, 7), (2, 2), ((3, 3), (3, 3))),
        ((17, 18), (7, 5), (2, 3), ((3, 3), (0, 0))),
        ((15, 14), (3, 3), (2, 2), ((0, 1), (1, 2))),
        ((16, 16), (4, 4), (4, 4), ((0, 0), (0, 0))),
        ((16, 17), (3, 3), (1, 2), ((1, 1), (2, 0))),
        ((20, 23), (2, 3), (3, 4), ((0, 0), (0, 0))),
    ],
)
def test_phases_make_the_adjoint(channels, size, kernel, stride, padding):
    affine = convolution(channels, size, kernel, stride, padding)
    phased = fastest(affine)
    assert type(phased) is PhasedConvolution
    s, a = torch.randn(3, *affine.out_shape, dtype=torch.double), torch.randn(3, *affine.in_shape, dtype=torch.double)
    handed = phased.transpose(s, affine.weight)
    assert handed.shape == a.shape
    torch.testing.assert_close((s * affine.apply(a)).flatten(1).sum(1), (handed * a).flatten(1).sum(1))
    torch.testing.assert_close(handed, affine.transpose(s, affine.weight))


def test_other_convolutions_keep_their_adjoint():
    none = ((0, 0), (0, 0))
    others = [
        convolution(3, (16, 16), (3, 3), (1, 1), none),  # stride 1
        convolution(16, (16, 16), (3, 3), (2, 2), none),  # many channels
        convolution(3, (17, 17), (2, 2), (2, 2), none),  # the last row and column reach no window
        convolution(3, (17, 17), (3, 3), (2, 2), none, dilation=(2, 2), out_shape=(5, 7, 7)),
        convolution(5, (17, 17), (3, 3), (2, 2), none, groups=5, weight=torch.randn(5, 1, 3, 3, dtype=torch.double)),
        convolution(3, (16,), (3,), (2,), none[:1]),
    ]
    assert all(type(fastest(affine)) is ConvolutionPasses for affine in others)
