"""Other libraries, for comparison. Optional: what is not installed is left out.

A module here is named after its library and offers ``methods(model, recipes, x, target)``.
"""

from importlib.util import find_spec

import torch

# A torchvision wheel built for another torch lacks its operators and fails at import, because it registers fake kernels for
# these two. zennit imports torchvision for its architectures only, so declaring the names is enough.
OPERATORS = {"nms": "(Tensor a, Tensor b, float c) -> Tensor", "qnms": "(Tensor a, Tensor b, float c) -> Tensor"}


def installed(library: str) -> bool:
    """Whether a library can be imported."""
    return find_spec(library) is not None


def declare_operators() -> torch.library.Library:
    """Declare the operators that torchvision misses; they stay declared as long as the returned object lives."""
    declared = torch.library.Library("torchvision", "FRAGMENT")
    for name, signature in OPERATORS.items():
        if not hasattr(torch.ops.torchvision, name):
            declared.define(name + signature)
    return declared
