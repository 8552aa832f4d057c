"""Root strategies: which point each upper unit is expanded at."""

from dtd.root.average import Average, jittered, towards
from dtd.root.base import Bias, Root, RootStrategy, check_bias, mixed
from dtd.root.mix import Explicit, Mix
from dtd.root.nearest import Nearest
from dtd.root.search import Damping, Ray, Reference, Search

__all__ = [
    "Average",
    "Bias",
    "Damping",
    "Explicit",
    "Mix",
    "Nearest",
    "Ray",
    "Reference",
    "Root",
    "RootStrategy",
    "Search",
    "check_bias",
    "jittered",
    "mixed",
    "towards",
]
