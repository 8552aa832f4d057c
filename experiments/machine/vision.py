"""Makes torchvision importable from a wheel that was built for another torch and therefore lacks its operators.

Such a wheel fails at import, because it registers fake kernels for two operators that are unknown. Only its
architectures are needed here, so declaring the names is enough; where torchvision imports, or is not installed, nothing is
declared. Whoever imports torchvision, or timm, transformers, zennit or Quantus, which import it, imports this module first.
"""

from importlib import import_module

import torch

OPERATORS = {"nms": "(Tensor a, Tensor b, float c) -> Tensor", "qnms": "(Tensor a, Tensor b, float c) -> Tensor"}
DECLARED = None  # the declarations live as long as this object

try:
    import_module("torchvision")
except ModuleNotFoundError:
    pass
except RuntimeError:
    DECLARED = torch.library.Library("torchvision", "FRAGMENT")
    for name, signature in OPERATORS.items():
        if not hasattr(torch.ops.torchvision, name):
            DECLARED.define(name + signature)
