"""The adjoint of a strided convolution of few channels: one of stride 1 finds all phases, which are then interleaved.

Source: Shi 2016, "Real-Time Single Image and Video Super-Resolution Using an Efficient Sub-Pixel Convolutional Neural
Network", Sec. 3.2.
"""

from dataclasses import dataclass

from torch import Tensor
from torch.nn import functional as F

from dtd.affine import Convolution
from dtd.fast.kernels.narrow import NARROW, ConvolutionPasses


@dataclass(frozen=True, eq=False)
class PhasedConvolution(ConvolutionPasses):
    """A strided convolution of an image, with a faster adjoint on processors."""

    @classmethod
    def suits(cls, affine: Convolution) -> bool:
        """Whether a convolution has few channels, and windows that reach every input."""
        if len(affine.kernel) != 2 or affine.groups > 1 or max(affine.dilation) > 1 or affine.in_shape[0] >= NARROW:
            return False
        sizes = zip(affine.kernel, affine.stride, affine.unreached, strict=True)
        return max(affine.stride) > 1 and all(size + missing <= -(-size // step) * step for size, step, missing in sizes)

    def transpose(self, s: Tensor, weight: Tensor) -> Tensor:
        if s.device.type != "cpu":
            return self.affine.transpose(s, weight)
        (k, c, *kernel), (down, across) = weight.shape, self.affine.stride
        high, wide = (-(-size // step) for size, step in zip(kernel, self.affine.stride, strict=True))
        filled = F.pad(weight, (0, wide * across - kernel[1], 0, high * down - kernel[0]))
        phases = filled.view(k, c, high, down, wide, across).permute(3, 5, 1, 0, 2, 4).flip(4, 5).reshape(-1, k, high, wide)
        found = F.conv2d(s, phases, padding=(high - 1, wide - 1)).permute(0, 2, 3, 1)
        n, rows, columns, _ = found.shape
        a = s.new_empty(n, rows, down, columns, across, c)
        a.copy_(found.unflatten(3, (down, across, c)).permute(0, 1, 3, 2, 4, 5))
        (top, _), (left, _) = self.affine.padding
        (_, height, width) = self.affine.in_shape
        inputs = a.view(n, rows * down, columns * across, c)[:, top : top + height, left : left + width]
        return inputs.permute(0, 3, 1, 2)
