"""Activation functions, and ops that change nothing."""

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from dtd.domain import Box, NonNegative, Real
from dtd.network.aten import aten
from dtd.network.discrete import Discrete
from dtd.network.fixed import Fixed
from dtd.network.lowering import Lowering, Ref
from dtd.network.ops.bilinear import product
from dtd.network.ops.structure import moved
from dtd.primitive import Held, Pointwise

RELU: dict[str, Any] = {"kinks": (0.0,), "rectifies": True}
RELU6: dict[str, Any] = {"kinks": (0.0, 6.0), "rectifies": True}


def pointwise(function, kind: str, increasing_from: float = -torch.inf, **facts):
    """Handler of a function of one activation; its other arguments are constants, ``facts`` those of :class:`Pointwise`."""

    def handler(low: Lowering, node, x, *args, **kwargs):
        if any(isinstance(a, Ref) for a in (*args, *kwargs.values())):
            raise low.unsupported(node, "Its parameters must be constants.")
        return low.emit(node, kind, Pointwise(Fixed(function, args, kwargs), increasing_from, **facts), (x,))

    return handler


def hardtanh(low: Lowering, node, x, minimum=-1.0, maximum=1.0):
    return clamp(low, node, x, minimum, maximum, "hardtanh")


def clamp(low: Lowering, node, x, minimum=None, maximum=None, kind="clamp"):
    if isinstance(minimum, Ref) or isinstance(maximum, Ref):
        raise low.unsupported(node, "Its limits must be constants.")
    kind = "relu" if (minimum, maximum) == (0, None) else "relu6" if (minimum, maximum) == (0, 6) else kind
    kinks = tuple(float(limit) for limit in (minimum, maximum) if limit is not None)
    op = Pointwise(Fixed(torch.clamp, (minimum, maximum)), kinks=kinks, rectifies=minimum == 0)
    return low.emit(node, kind, op, (x,))


def clamp_above(low: Lowering, node, x, maximum):
    return clamp(low, node, x, None, maximum)


def leaky_relu(low: Lowering, node, x, slope=0.01):
    start = -torch.inf if slope >= 0 else 0.0
    op = Pointwise(Fixed(F.leaky_relu, (slope,)), start, kinks=(0.0,), rectifies=slope == 0)
    return low.emit(node, "leaky_relu", op, (x,))


def prelu(low: Lowering, node, x, weight):
    if isinstance(weight, Ref):
        raise low.unsupported(node, "Its slope must be a constant.")
    if weight.numel() == 1:
        return leaky_relu(low, node, x, weight.item())
    slope = low.constant(node, weight.reshape([-1, *[1] * (len(x.full) - 2)]), x.full)
    start = -torch.inf if bool((slope >= 0).all()) else torch.inf
    return low.emit(node, "prelu", Pointwise(Fixed(sloped, (slope,)), start, kinks=(0.0,)), (x,))


def sloped(a: Tensor, slope: Tensor) -> Tensor:
    """``a`` where it is positive, ``slope · a`` elsewhere."""
    return torch.where(a > 0, a, slope * a)


def elu(low: Lowering, node, x, alpha=1.0, scale=1.0, input_scale=1.0):
    start = -torch.inf if alpha >= 0 else 0.0
    return low.emit(node, "elu", Pointwise(Fixed(aten.elu.default, (alpha, scale, input_scale)), start), (x,))


def power(low: Lowering, node, x, exponent):
    """``a^p`` with a constant exponent."""
    if isinstance(exponent, Ref) or not isinstance(x, Ref) or (isinstance(exponent, Tensor) and exponent.numel() > 1):
        raise low.unsupported(node, "Its exponent must be a number.")
    exponent = float(exponent)
    if exponent == 1:
        return x
    even = exponent > 0 and exponent % 2 == 0
    start = -torch.inf if exponent > 0 and exponent % 2 == 1 else 0.0 if exponent > 0 else torch.inf
    image = NonNegative() if even or (x.domain.nonnegative and exponent < 0) else None
    op = Pointwise(Fixed(torch.pow, (exponent,)), start)
    return low.emit(node, "power", op, (x,), image=image if not x.domain.nonnegative or exponent < 0 else None)


def onto(function, kind: str, image, **facts):
    """Handler of a function that is not monotone, with the domain of all its values."""

    def handler(low: Lowering, node, x, *args, **kwargs):
        op = Pointwise(Fixed(function, args, kwargs), torch.inf, **facts)
        return low.emit(node, kind, op, (x,), image=image)

    return handler


def thresholded(low: Lowering, node, x, limit, value):
    """``a`` above a limit, a constant elsewhere."""
    start = limit if value <= limit else torch.inf
    op = Pointwise(Fixed(F.threshold, (limit, value)), start, rectifies=limit == value == 0)
    return low.emit(node, "threshold", op, (x,))


def itself(a: Tensor) -> Tensor:
    """The activation as it is."""
    return a


def held(low: Lowering, node, x, *args):
    """``detach()``: the value is held constant."""
    return low.emit(node, "detach", Held(itself, x.domain), (x,), image=x.domain, full=x.full)


def step_function(low: Lowering, node, x, *args, **kwargs):
    """A function without a slope, such as rounding: held constant."""
    return low.emit(node, "held", Held(Fixed(node.target, args, kwargs), Real()), (x,), image=Real())


def gated_linear(low: Lowering, node, x, axis=-1):
    """``a ⊙ σ(b)`` of the two halves of an axis."""
    half, full = x.full[axis] // 2, low.full(node)
    behind = axis % len(x.full) + 1
    a, b = (moved(low, node, "slice", Fixed(torch.narrow, (behind, i * half, half)), x, full) for i in (0, 1))
    gate = low.emit(node, "sigmoid", Pointwise(torch.sigmoid), (b,), full=full)
    return product(low, node, a, gate, full)


def cast(low: Lowering, node, x, *args, **kwargs):
    """A conversion between floating-point numbers, which leaves their meaning alone."""
    if isinstance(x, Tensor):  # type_as: of the activation only the dtype matters
        return x.to(node.meta["val"].dtype)
    return low.held(node, x) if isinstance(x, Discrete) else x


def same(low: Lowering, node, x, *args, **kwargs):
    """Ops that hand their input on: clones, contiguous copies, dropout in evaluation mode."""
    return x


def dropout(low: Lowering, node, x, p=0.5, train=False):
    if train:
        raise low.unsupported(node, low.advice("dropout"))
    return x


POINTWISE = {
    aten.relu.default: pointwise(aten.relu.default, "relu", **RELU),
    aten.hardtanh.default: hardtanh,
    aten.relu6.default: pointwise(aten.relu6.default, "relu6", **RELU6),
    aten.clamp.default: clamp,
    aten.clamp_min.default: clamp,
    aten.leaky_relu.default: leaky_relu,
    aten.prelu.default: prelu,
    aten.elu.default: elu,
    aten.selu.default: pointwise(aten.selu.default, "selu"),
    aten.celu.default: pointwise(aten.celu.default, "celu"),
    aten.softplus.default: pointwise(aten.softplus.default, "softplus"),
    aten.sigmoid.default: pointwise(aten.sigmoid.default, "sigmoid"),
    aten.log_sigmoid.default: pointwise(aten.log_sigmoid.default, "log_sigmoid"),
    aten.hardsigmoid.default: pointwise(aten.hardsigmoid.default, "hardsigmoid"),
    aten.tanh.default: pointwise(aten.tanh.default, "tanh"),
    aten.exp.default: pointwise(aten.exp.default, "exp"),
    aten.gelu.default: pointwise(aten.gelu.default, "gelu", 0.0),
    aten.silu.default: pointwise(aten.silu.default, "silu", 0.0),
    aten.mish.default: pointwise(aten.mish.default, "mish", 0.0),
    aten.hardswish.default: pointwise(aten.hardswish.default, "hardswish", 0.0),
    aten._assert_tensor_metadata.default: same,
    aten._to_copy.default: cast,
    aten.to.dtype: cast,
    aten.to.dtype_layout: cast,
    aten.to.device: cast,
    aten.type_as.default: cast,
    aten.clone.default: same,
    aten.contiguous.default: same,
    aten.alias.default: same,
    aten.detach.default: held,
    **dict.fromkeys((aten.round.default, aten.floor.default, aten.ceil.default, aten.sign.default), step_function),
    aten.pow.Tensor_Scalar: power,
    aten.pow.Tensor_Tensor: power,
    aten.square.default: onto(torch.square, "power", NonNegative()),
    aten.abs.default: onto(torch.abs, "abs", NonNegative(), kinks=(0.0,)),
    aten.cos.default: onto(torch.cos, "cos", Box(-1.0, 1.0)),
    aten.sin.default: onto(torch.sin, "sin", Box(-1.0, 1.0)),
    aten.cosh.default: onto(torch.cosh, "cosh", NonNegative()),
    aten.rsqrt.default: onto(torch.rsqrt, "rsqrt", NonNegative()),
    aten.sqrt.default: pointwise(torch.sqrt, "sqrt", 0.0),
    aten.log.default: pointwise(torch.log, "log", 0.0),
    aten.log1p.default: pointwise(torch.log1p, "log1p", -1.0),
    aten.log2.default: pointwise(torch.log2, "log2", 0.0),
    aten.expm1.default: pointwise(torch.expm1, "expm1"),
    aten.exp2.default: pointwise(torch.exp2, "exp2"),
    aten.erf.default: pointwise(torch.erf, "erf"),
    aten.atan.default: pointwise(torch.atan, "atan"),
    aten.sinh.default: pointwise(torch.sinh, "sinh"),
    aten.tan.default: onto(torch.tan, "tan", Real()),
    aten.hardshrink.default: pointwise(F.hardshrink, "hardshrink"),
    aten.softshrink.default: pointwise(F.softshrink, "softshrink", kinks=None),
    aten.threshold.default: thresholded,
    aten.clamp_max.default: clamp_above,
    aten.glu.default: gated_linear,
    aten.nan_to_num.default: same,
    aten.dropout.default: dropout,
    aten.feature_dropout.default: dropout,
    aten.alpha_dropout.default: dropout,
}
