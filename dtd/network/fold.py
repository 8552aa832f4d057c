"""Simplifications of the layer list that leave the network's function and its explanation's meaning alone."""

from collections import Counter
from dataclasses import replace

from dtd.affine import Convolution, Dense, TransposedConvolution
from dtd.primitive import Pointwise, ZeroPad
from dtd.propagation import Layer


def consumers(layers: list[Layer], output: int) -> Counter:
    """How often each layer's output is used, the network's output counting as a use."""
    return Counter([i for layer in layers for i in layer.inputs] + [output])


def fold(layers: list[Layer], output: int, batch_norm: bool) -> tuple[list[Layer], int]:
    """Merge batch norm into the layer before it and zero padding into the convolution after it, where each is the
    other's only partner."""
    uses = consumers(layers, output)
    position = {i: i for i in uses if i < 0}  # old index -> new index
    folded: list[Layer] = []
    for old, layer in enumerate(layers):
        layer = replace(layer, inputs=tuple(position[i] for i in layer.inputs))
        before = layer.inputs[0]
        lower = folded[before] if before >= 0 else None
        alone = uses[layers[old].inputs[0]] == 1 and len(layer.inputs) == 1
        if batch_norm and alone and layer.kind == "batch_norm" and lower is not None and takes_batch_norm(lower):
            folded[before] = merge_batch_norm(lower, layer)
            position[old] = before
            continue
        if alone and isinstance(layer.op, Convolution) and lower is not None and is_zero_padding(lower, layer.op):
            folded[before] = merge_padding(lower, layer)
            position[old] = before
            continue
        folded.append(layer)
        position[old] = len(folded) - 1
    return folded, position[output]


def takes_batch_norm(layer: Layer | None) -> bool:
    """Whether a following batch norm acts on the layer's own output channels."""
    if layer is None:
        return False
    sliding = isinstance(layer.op, (Convolution, TransposedConvolution))
    return sliding or (isinstance(layer.op, Dense) and len(layer.shape) == 1)


def merge_batch_norm(layer: Layer, norm: Layer) -> Layer:
    """``γ (W a + b − μ)/√(σ²+ε) + β`` as one affine layer."""
    op = layer.op.scaled(norm.op.weight.flatten(), norm.op.bias.flatten())
    image = op.image(layer.domain)
    return replace(layer, op=op, image=image, folded=(*layer.folded, norm.name))


def is_zero_padding(layer: Layer | None, convolution: Convolution) -> bool:
    """Whether a layer adds zeros around the positions of a convolution's input, where they are no input to it."""
    if layer is None or not isinstance(layer.op, ZeroPad):
        return False
    widths, axes = layer.op.widths, len(convolution.padding)
    return len(widths) <= axes and all(width >= 0 for pair in widths for width in pair)


def merge_padding(pad: Layer, layer: Layer) -> Layer:
    """The convolution with the padding as its own."""
    convolution: Convolution = layer.op
    extra = ((0, 0),) * (len(convolution.padding) - len(pad.op.widths)) + pad.op.widths
    padding = tuple((a + c, b + d) for (a, b), (c, d) in zip(convolution.padding, extra, strict=True))
    op = replace(convolution, padding=padding, in_shape=pad_input_shape(pad, convolution))
    return replace(layer, op=op, inputs=pad.inputs, domain=pad.domain)


def pad_input_shape(pad: Layer, convolution: Convolution) -> tuple[int, ...]:
    """Shape of what is padded."""
    widths = ((0, 0),) * (len(convolution.in_shape) - len(pad.op.widths)) + pad.op.widths
    return tuple(size - before - after for size, (before, after) in zip(convolution.in_shape, widths, strict=True))


def mark_rectified(layers: list[Layer], output: int) -> list[Layer]:
    """Mark the layers whose output goes through a function that rectifies and nowhere else."""
    above: dict[int, list[bool]] = {}
    for layer in layers:
        for index in layer.inputs:
            above.setdefault(index, []).append(isinstance(layer.op, Pointwise) and layer.op.rectifies)
    return [replace(layer, rectified=i != output and all(above.get(i, [False]))) for i, layer in enumerate(layers)]
