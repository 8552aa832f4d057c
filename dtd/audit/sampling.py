"""How sure is an average over roots?"""

import torch
from torch import Tensor

from dtd.domain import Domain
from dtd.relevance import RelevanceModel
from dtd.root.units import FieldUnits


def sampling(model: RelevanceModel, units: FieldUnits, domain: Domain, relevance: Tensor) -> dict[str, Tensor]:
    """``standard_error``: ``‖s.e. of R_j←k‖ / ‖R_j←k‖`` of each unit over its roots; NaN for one root. # shape: (B, k)"""
    count, mean, squares = 0, torch.zeros_like(units.activations), torch.zeros_like(units.activations)
    for _, terms in model.expansions(units, domain, relevance):
        count += 1
        away = terms.first - mean
        mean = mean + away / count
        squares = squares + away * (terms.first - mean)
    error = (squares.sum(-1) / ((count - 1) * count)).sqrt() if count > 1 else torch.full_like(relevance, torch.nan)
    return {"standard_error": torch.where(error == 0, 0.0, error / mean.norm(dim=-1))}
