"""One call for each library: relevance of the input under given rules. All of it in float64.

zennit adds a stabiliser to every denominator (default 1e-6), captum another (1e-9). Both are set to :data:`TINY` here, so
that what is compared is the rules; what the defaults do is measured in ``differences.py``.
"""

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest
from torch import Tensor, nn

zennit_attribution = pytest.importorskip("zennit.attribution")
zennit_canonizers = pytest.importorskip("zennit.canonizers")
zennit_composites = pytest.importorskip("zennit.composites")
zennit_layers = pytest.importorskip("zennit.layer")
zennit_rules = pytest.importorskip("zennit.rules")
zennit_types = pytest.importorskip("zennit.types")
captum_attr = pytest.importorskip("captum.attr")
captum_modules = pytest.importorskip("captum.attr._utils.custom_modules")
captum_rules = pytest.importorskip("captum.attr._utils.lrp_rules")

TINY = 1e-17
BIAS_MODES = {"neuron": None, "fixed": "bias"}  # dtd's name -> zennit's zero_params
UNWEIGHTED = (nn.MaxPool1d, nn.MaxPool2d, nn.AvgPool2d, nn.AdaptiveAvgPool2d, nn.BatchNorm2d, captum_modules.Addition_Module)


def by_zennit(model: nn.Module, x: Tensor, relevance: Any, hook: Any, canonizers: list | None = None) -> Tensor:
    """One zennit rule in every layer with weights; activations pass, average pooling is normalised (zennit's own base map).

    ``relevance`` is the initial relevance or a function of the output.
    """
    layers = [
        (zennit_types.Activation, zennit_rules.Pass()),
        (zennit_types.AvgPool, zennit_rules.Norm(stabilizer=TINY)),
        (zennit_types.BatchNorm, zennit_rules.Pass()),
        (zennit_layers.Sum, zennit_rules.Norm(stabilizer=TINY)),
        (zennit_types.Linear, hook),
    ]
    return by_composite(model, x, relevance, zennit_composites.LayerMapComposite(layer_map=layers, canonizers=canonizers))


def by_composite(model: nn.Module, x: Tensor, relevance: Any, composite: Any) -> Tensor:
    """A zennit composite; its hooks and merged weights are taken back at the end."""
    x = x.clone().requires_grad_()
    with zennit_attribution.Gradient(model, composite) as attributor:
        return attributor(x, relevance)[1].detach()


def by_captum(
    model: nn.Module, x: Tensor, target: Any, make: Callable[[], Any], weighted: tuple = (nn.Linear, nn.Conv2d)
) -> Tensor:
    """One captum rule in every layer with weights, captum's default ε rule in pooling, sums and batch norm."""
    model = deepcopy(model)
    for module in model.modules():
        if isinstance(module, weighted):
            module.rule = make()
        elif isinstance(module, UNWEIGHTED):
            module.rule = captum_rules.EpsilonRule(TINY)
    return captum_attr.LRP(model).attribute(x.clone().requires_grad_(), target=target).detach()


def tiny(rule: Any) -> Any:
    """A captum rule with its built-in stabiliser made tiny."""
    rule.STABILITY_FACTOR = TINY
    return rule


def distance(found: Tensor, expected: Tensor) -> float:
    """``Σ|found − expected| / Σ|expected|``."""
    return float((found - expected).abs().sum() / expected.abs().sum())


def assert_equal(found: Tensor, expected: Tensor, tolerance: float = 1e-10) -> None:
    """Equality relative to the largest entry; both sides must be finite, and the expected one not all zero."""
    assert bool(found.isfinite().all()) and bool(expected.isfinite().all())
    scale = expected.abs().max()
    assert scale > 0
    assert float((found - expected).abs().max() / scale) <= tolerance
