"""Simplifications of the layer list that leave the network's function and its explanation's meaning alone."""

from collections import Counter
from dataclasses import replace

from dtd.affine import Convolution, Dense, TransposedConvolution
from dtd.network.images import affine_image
from dtd.primitive.structure import ZeroPad
from dtd.propagation import Layer

RECTIFIERS = ("relu", "relu6")


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
        if batch_norm and alone and layer.kind == "batch_norm" and takes_batch_norm(lower):
            folded[before] = merge_batch_norm(lower, layer)
            position[old] = before
            continue
        if alone and isinstance(layer.primitive, Convolution) and is_zero_padding(lower, layer.primitive):
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
    sliding = isinstance(layer.primitive, (Convolution, TransposedConvolution))
    return sliding or (isinstance(layer.primitive, Dense) and len(layer.shape) == 1)


def merge_batch_norm(layer: Layer, norm: Layer) -> Layer:
    """``γ (W a + b − μ)/√(σ²+ε) + β`` as one affine layer."""
    primitive = layer.primitive.scaled(norm.primitive.weight.flatten(), norm.primitive.bias.flatten())
    image = affine_image(primitive, layer.domain)
    return replace(layer, primitive=primitive, image=image, folded=(*layer.folded, norm.name))


def is_zero_padding(layer: Layer | None, convolution: Convolution) -> bool:
    """Whether a layer adds zeros around the positions of a convolution's input, where they are no input to it."""
    if layer is None or not isinstance(layer.primitive, ZeroPad):
        return False
    widths, axes = layer.primitive.widths, len(convolution.padding)
    return len(widths) <= axes and all(width >= 0 for pair in widths for width in pair)


def merge_padding(pad: Layer, layer: Layer) -> Layer:
    """The convolution with the padding as its own."""
    convolution: Convolution = layer.primitive
    extra = ((0, 0),) * (len(convolution.padding) - len(pad.primitive.widths)) + pad.primitive.widths
    padding = tuple((a + c, b + d) for (a, b), (c, d) in zip(convolution.padding, extra, strict=True))
    primitive = replace(convolution, padding=padding, in_shape=pad_input_shape(pad, convolution))
    return replace(layer, primitive=primitive, inputs=pad.inputs, domain=pad.domain)


def pad_input_shape(pad: Layer, convolution: Convolution) -> tuple[int, ...]:
    """Shape of what is padded."""
    widths = ((0, 0),) * (len(convolution.in_shape) - len(pad.primitive.widths)) + pad.primitive.widths
    return tuple(size - before - after for size, (before, after) in zip(convolution.in_shape, widths, strict=True))


def mark_rectified(layers: list[Layer], output: int) -> list[Layer]:
    """Mark the layers whose output goes through a ReLU (or ReLU6) and nowhere else."""
    above: dict[int, list[str]] = {}
    for layer in layers:
        for index in layer.inputs:
            above.setdefault(index, []).append(layer.kind)
    return [
        replace(layer, rectified=i != output and bool(above.get(i)) and all(k in RECTIFIERS for k in above[i]))
        for i, layer in enumerate(layers)
    ]
