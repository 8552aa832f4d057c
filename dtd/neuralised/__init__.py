"""Models that are not written as networks, written as layers."""

from dtd.neuralised.neuralise import neuralise
from dtd.neuralised.result import Neuralised

__all__ = ["Neuralised", "neuralise"]
