"""What libraries that work with hooks need of a model."""

from collections.abc import Callable
from copy import deepcopy

from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from experiments.models.layers import Add


def folded(model: nn.Module) -> nn.Module:
    """A copy in which each batch norm after a convolution in a Sequential is merged into it (torch's own merge)."""
    return refolded(deepcopy(model)).eval().requires_grad_(False)


def refolded(module: nn.Module) -> nn.Module:
    """A module with batch norms merged, from the innermost outwards."""
    for name, child in list(module.named_children()):
        setattr(module, name, refolded(child))
    return nn.Sequential(*merged(list(module.children()))) if isinstance(module, nn.Sequential) else module


def merged(layers: list[nn.Module]) -> list[nn.Module]:
    """Layers with batch norms merged."""
    kept: list[nn.Module] = []
    for layer in layers:
        if isinstance(layer, nn.BatchNorm2d) and kept and isinstance(kept[-1], nn.Conv2d):
            kept[-1] = fuse_conv_bn_eval(kept[-1], layer)
        else:
            kept.append(layer)
    return kept


def with_sums(model: nn.Module, make: Callable[[], nn.Module]) -> nn.Module:
    """A copy in which residual sums are the module that a library has a rule for."""
    model = deepcopy(model)
    for name, _ in [(n, m) for n, m in model.named_modules() if isinstance(m, Add)]:
        put(model, name, make())
    return model


def put(model: nn.Module, name: str, module: nn.Module) -> None:
    """Replace a submodule."""
    parent, _, child = name.rpartition(".")
    setattr(model.get_submodule(parent), child, module.eval().requires_grad_(False))
