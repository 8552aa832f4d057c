"""How far is a root, compared with the nearest one?"""

from dataclasses import replace

import torch
from torch import Tensor

from dtd.domain import Domain
from dtd.root import Nearest, Root
from dtd.root.units import FieldUnits


def measure(nearest: Nearest, root: Root, units: FieldUnits, domain: Domain, bias_moves: bool) -> dict[str, Tensor]:
    """``of_nearest``, the ratio of the distances (1 where both are 0, NaN where the domain has no root), and ``rootless``.

    # shape: (B, k) each
    """
    yardstick = replace(nearest, bias="neuron" if bias_moves else "fixed")
    least = yardstick.root(units, domain)
    here, shortest = (yardstick.length(found, units) for found in (root, least))
    ratio = torch.where((here == 0) & (shortest == 0), 1.0, here / shortest)
    return {"of_nearest": ratio.masked_fill(~least.exists, torch.nan), "rootless": ~least.exists}
