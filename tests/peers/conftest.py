"""torchvision is made importable before any test asks for it."""

from tests import torchvision_operators

__all__ = ["torchvision_operators"]
