"""torchvision is made importable before any test asks for it."""

from experiments.machine import vision

__all__ = ["vision"]
