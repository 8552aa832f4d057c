"""Simplifications of the layer list that leave the network's function and its explanation's meaning alone."""

from collections import Counter
from dataclasses import replace

from torch import Tensor

from dtd.affine import Convolution, Dense, TransposedConvolution
from dtd.primitive import Pointwise, Reshape, ZeroPad
from dtd.propagation import Layer


def consumers(layers: list[Layer], output: int) -> Counter:
    """How often each layer's output is used, the network's output counting as a use."""
    return Counter([i for layer in layers for i in layer.inputs] + [output])


def fold(layers: list[Layer], output: int, batch_norm: bool) -> tuple[list[Layer], int]:
    """Merge batch norm and a bias written by hand into the layer before, zero padding into the convolution after it, and
    one reshape into the next, where each is the other's only partner."""
    uses = consumers(layers, output)
    position = {i: i for i in uses if i < 0}  # old index -> new index
    readers = {i: uses[i] for i in position}  # of a value, by new index
    folded: list[Layer] = []
    for old, layer in enumerate(layers):
        layer = replace(layer, inputs=tuple(position[i] for i in layer.inputs))
        before = layer.inputs[0]
        alone = before >= 0 and readers[before] == 1 and len(layer.inputs) == 1
        merged = as_one(folded[before], layer, batch_norm) if alone else None
        if merged is None:
            folded.append(layer)
            position[old], readers[len(folded) - 1] = len(folded) - 1, uses[old]
        elif is_nothing(merged) and merged.inputs[0] >= 0 and before == len(folded) - 1:
            folded.pop()
            position[old] = merged.inputs[0]
            readers[position[old]] += uses[old] - 1
        else:
            folded[before] = merged
            position[old], readers[before] = before, uses[old]
    return folded, position[output]


def as_one(lower: Layer, layer: Layer, batch_norm: bool) -> Layer | None:
    """Two layers as one, of which the first is read by the second alone; None where they are no pair."""
    if batch_norm and layer.kind == "batch_norm" and takes_batch_norm(lower):
        return merge_batch_norm(lower, layer)
    if is_bias(lower, layer):
        return merge_bias(lower, layer)
    if isinstance(layer.op, Convolution) and is_zero_padding(lower, layer.op):
        return merge_padding(lower, layer)
    if isinstance(layer.op, Reshape) and isinstance(lower.op, Reshape):
        return replace(layer, op=replace(layer.op, before=lower.op.before), inputs=lower.inputs, domain=lower.domain)
    return None


def is_nothing(layer: Layer) -> bool:
    """Whether a layer hands its input on as it is."""
    return isinstance(layer.op, Reshape) and layer.op.before == layer.op.after


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


def is_bias(layer: Layer, shift: Layer) -> bool:
    """Whether a sum with a constant is the bias of the layer before it, written by hand: one number for each unit."""
    if shift.kind != "shift" or shift.sides or not isinstance(layer.op, (Convolution, Dense, TransposedConvolution)):
        return False
    scaled = bool((shift.op.weight != 1).any()) or shift.op.bias is None or layer.op.bias is not None
    return not scaled and shift.shape == layer.shape and column(layer, shift) is not None


def merge_bias(layer: Layer, shift: Layer) -> Layer:
    """``W a + b`` as one affine layer."""
    bias = column(layer, shift)
    assert bias is not None  # is_bias
    op = replace(layer.op, bias=bias.contiguous())
    return replace(layer, op=op, image=op.image(layer.domain), folded=(*layer.folded, shift.name))


def column(layer: Layer, shift: Layer) -> Tensor | None:
    """What is added to each unit, None where it differs between the places of one."""
    units = len(layer.shape) - 1 if isinstance(layer.op, Dense) else 0
    added = shift.op.bias.reshape([1] * (len(layer.shape) - shift.op.bias.ndim) + list(shift.op.bias.shape))
    if any(n != 1 for axis, n in enumerate(added.shape) if axis != units):
        return None
    return added.reshape(-1).expand(layer.shape[units])


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
