"""Lets torchvision be imported from a wheel that was built for another torch and therefore lacks its operators.

Such a wheel fails at import because the two operators that it registers fake kernels for are unknown. Only the
architectures are needed here, so declaring the two names is enough. Where torchvision imports, nothing is declared; where
it is missing, the tests skip.
"""

from importlib import import_module

import torch

SIGNATURES = {"nms": "(Tensor a, Tensor b, float c) -> Tensor", "qnms": "(Tensor a, Tensor b, float c) -> Tensor"}
DECLARED = None  # the declarations live as long as this object

try:
    import_module("torchvision")
except ModuleNotFoundError:
    pass
except RuntimeError:
    DECLARED = torch.library.Library("torchvision", "FRAGMENT")
    for name, signature in SIGNATURES.items():
        if not hasattr(torch.ops.torchvision, name):
            DECLARED.define(name + signature)
