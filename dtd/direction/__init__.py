"""Search directions, as sums of factor pairs."""

from dtd.direction.base import Direction, Factor
from dtd.direction.contributions import Activations, Contributions, Gamma, SignedGamma, Toward, ZPlus
from dtd.direction.functions import Boost, Given, Only
from dtd.direction.jitter import Jitter
from dtd.direction.weights import Flat, Pattern, ToBox, Weights

__all__ = [
    "Activations",
    "Boost",
    "Contributions",
    "Direction",
    "Factor",
    "Flat",
    "Gamma",
    "Given",
    "Jitter",
    "Only",
    "Pattern",
    "SignedGamma",
    "ToBox",
    "Toward",
    "Weights",
    "ZPlus",
]
