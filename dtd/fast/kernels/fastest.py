"""Which way an affine map is computed in passes without autograd."""

from typing import Any

from dtd.affine import AffineMap, Convolution, Dense, WindowSum
from dtd.fast.kernels.narrow import ConvolutionPasses
from dtd.fast.kernels.passes import Passes
from dtd.fast.kernels.streaming import StreamedDense
from dtd.fast.kernels.subpixel import PhasedConvolution
from dtd.fast.kernels.tiles import TiledSum
from dtd.fast.kernels.winograd import FilteredConvolution

FASTER: dict[type[AffineMap], tuple[Any, ...]] = {  # a class of passes, each with a test whether it suits
    Convolution: (FilteredConvolution, PhasedConvolution),
    Dense: (StreamedDense,),
    WindowSum: (TiledSum,),
}
OTHERWISE: dict[type[AffineMap], type[Passes]] = {Convolution: ConvolutionPasses}


def fastest(affine: AffineMap) -> Passes:
    """The passes of an affine map, in a faster way than by definition where there is one."""
    for kind in FASTER.get(type(affine), ()):
        if kind.suits(affine):
            return kind(affine)
    return OTHERWISE.get(type(affine), Passes)(affine)
