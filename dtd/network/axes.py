"""Which axis of a layer's output counts channels."""

from dtd.affine import Convolution, Dense, TransposedConvolution
from dtd.network.graph import Graph
from dtd.primitive import MaxPool, Mover


def channel_axis(graph: Graph, position: int) -> int:
    """The axis of one sample, as a number ≥ 0, that a layer's output has channels on.

    Of a convolution it is the first one and of a dense layer the last, and that of the layers which leave axes alone
    (functions, norms, sums, pooling) is the axis of what they read. Where the network does not say (inputs, moved axes) it
    is the last one of a sequence (two axes) and the first one of everything else.
    """
    axes = len(graph.layers[position].shape)
    i = position
    while i >= 0 and len(graph.layers[i].shape) == axes:
        op = graph.layers[i].op
        if isinstance(op, (Convolution, TransposedConvolution)):
            return 0
        if isinstance(op, Dense) and axes:
            return axes - 1
        if isinstance(op, Mover) and not isinstance(op, MaxPool):
            break
        i = graph.layers[i].inputs[0]
    return 1 if axes == 2 else 0
