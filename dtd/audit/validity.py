"""Is a candidate root one, and if not, why not?"""

from enum import IntEnum

import torch
from torch import Tensor

from dtd.domain import Domain
from dtd.relevance import RelevanceModel
from dtd.root import Root
from dtd.root.units import FieldUnits

UNDECIDABLE = 1e-3  # beyond this rounding error of z(ã)/z a point cannot be told from one that is no root


class Status(IntEnum):
    """What a candidate root is; the first that applies, in this order."""

    VALID = 0
    INACTIVE = 1  # the model cannot equal the unit's relevance at the data point
    NO_ROOT = 2  # the search has no point, or none ahead of the data point
    NOT_ZERO = 3  # the model does not vanish at the point
    DOMAIN = 4  # the point leaves the layer's domain
    REGION = 5  # the point leaves the closure of the model's linear region


def status(model: RelevanceModel, root: Root, units: FieldUnits, domain: Domain) -> Tensor:
    """The :class:`Status` of each unit's root; ``domain`` is the layer's. # shape: (B, k), int"""
    r, rounding = root.residual(units)
    points = root.points(units)
    eps = torch.finfo(points.dtype).eps * 64
    slack = eps * (units.activations.abs() + (units.z[..., None] * root.shift).abs()) + eps * rounding[..., None]
    inside = (units.domain(domain).contains(points, slack) | (units.real == 0)).all(-1)
    fails = {
        Status.REGION: ~model.in_region(r, rounding),
        Status.DOMAIN: ~inside,
        Status.NOT_ZERO: (model.value(r).abs() > rounding) | (rounding > UNDECIDABLE),
        Status.NO_ROOT: ~root.exists,
        Status.INACTIVE: ~model.defined(units.z),
    }
    return first_reason(fails)


def first_reason(fails: dict[Status, Tensor]) -> Tensor:
    """The status of each root: of the reasons that apply the one that comes last in ``fails``, VALID where none does."""
    result = torch.zeros_like(next(iter(fails.values())), dtype=torch.int8)
    for reason, failed in fails.items():
        result = result.masked_fill(failed, int(reason))
    return result


def distance(root: Root, units: FieldUnits) -> tuple[Tensor, Tensor]:
    """``‖a − ã‖₂``, a moving bias neuron included, and the same relative to ``‖a‖₂``. # shape: (B, k) each"""
    length = units.z.abs() * torch.hypot(root.shift.norm(dim=-1), root.bias_shift)
    size = units.activations.norm(dim=-1)
    return length, torch.where(length == 0, 0.0, length / size)
