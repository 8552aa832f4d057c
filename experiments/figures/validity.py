"""Shares of valid roots, and of roots outside the domain, by plan and layer."""

from collections.abc import Mapping

from matplotlib.figure import Figure

from dtd.plot.matrix import SHARE
from experiments.figures.matrices import Matrices, matrices
from experiments.figures.summary import Tables

SCENE = ("weights", "bias_sign")
WEIGHTS = {"own": "its own weights", "random": "random weights"}
DRAWN = {"validity": ("valid", "valid roots"), "left": ("left", "roots outside the domain")}


def validity_figures(tables: Tables) -> Mapping[str, Figure]:
    """``validity``, and ``left``: the share of active units whose root leaves the domain."""
    return {name: matrices(tables["rows"], Matrices(*shown, SHARE, SCENE, title)) for name, shown in DRAWN.items()}


def title(weights: str, sign: str) -> str:
    """What a matrix is about."""
    return f"{WEIGHTS[weights]}, {sign}"
