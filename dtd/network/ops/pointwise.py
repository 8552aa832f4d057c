"""Activation functions, and ops that change nothing."""

import torch
from torch.nn import functional as F

from dtd.network.lowering import Lowering, Ref
from dtd.primitive import Pointwise

aten = torch.ops.aten
RELU = {"kinks": (0.0,), "rectifies": True}
RELU6 = {"kinks": (0.0, 6.0), "rectifies": True}


def pointwise(function, kind: str, increasing_from: float = -torch.inf, **facts):
    """Handler of a function of one activation; its other arguments are constants, ``facts`` those of :class:`Pointwise`."""

    def handler(low: Lowering, node, x, *args, **kwargs):
        if any(isinstance(a, Ref) for a in (*args, *kwargs.values())):
            raise low.unsupported(node, "Its parameters must be constants.")
        return low.emit(node, kind, Pointwise(lambda a: function(a, *args, **kwargs), increasing_from, **facts), (x,))

    return handler


def hardtanh(low: Lowering, node, x, minimum=-1.0, maximum=1.0):
    return clamp(low, node, x, minimum, maximum, "hardtanh")


def clamp(low: Lowering, node, x, minimum=None, maximum=None, kind="clamp"):
    if isinstance(minimum, Ref) or isinstance(maximum, Ref):
        raise low.unsupported(node, "Its limits must be constants.")
    kind = "relu" if (minimum, maximum) == (0, None) else "relu6" if (minimum, maximum) == (0, 6) else kind
    kinks = tuple(float(limit) for limit in (minimum, maximum) if limit is not None)
    op = Pointwise(lambda a: a.clamp(minimum, maximum), kinks=kinks, rectifies=minimum == 0)
    return low.emit(node, kind, op, (x,))


def leaky_relu(low: Lowering, node, x, slope=0.01):
    start = -torch.inf if slope >= 0 else 0.0
    op = Pointwise(lambda a: F.leaky_relu(a, slope), start, kinks=(0.0,), rectifies=slope == 0)
    return low.emit(node, "leaky_relu", op, (x,))


def prelu(low: Lowering, node, x, weight):
    if isinstance(weight, Ref) or weight.numel() > 1:
        raise low.unsupported(node, "PReLU is supported with one slope for all channels.")
    return leaky_relu(low, node, x, weight.item())


def elu(low: Lowering, node, x, alpha=1.0, scale=1.0, input_scale=1.0):
    start = -torch.inf if alpha >= 0 else 0.0
    return low.emit(node, "elu", Pointwise(lambda a: aten.elu.default(a, alpha, scale, input_scale), start), (x,))


def cast(low: Lowering, node, x, *args, **kwargs):
    """A conversion between floating-point numbers, which leaves their meaning alone."""
    if not node.meta["val"].dtype.is_floating_point:
        raise low.unsupported(node, f"It changes the dtype to {node.meta['val'].dtype}, which has no slope.")
    return x


def same(low: Lowering, node, x, *args, **kwargs):
    """Ops that hand their input on: clones, contiguous copies, dropout in evaluation mode."""
    return x


def dropout(low: Lowering, node, x, p=0.5, train=False):
    if train:
        raise low.unsupported(node, low.advice("dropout"))
    return x


HANDLERS = {
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
    aten.clone.default: same,
    aten.contiguous.default: same,
    aten.alias.default: same,
    aten.detach.default: same,
    aten.dropout.default: dropout,
    aten.feature_dropout.default: dropout,
    aten.alpha_dropout.default: dropout,
}
