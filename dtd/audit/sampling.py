"""How sure is an average over roots?"""

import torch
from torch import Tensor

from dtd.domain import Domain
from dtd.relevance import RelevanceModel
from dtd.relevance.moments import Moments
from dtd.root.units import FieldUnits


def sampling(model: RelevanceModel, units: FieldUnits, domain: Domain, relevance: Tensor) -> dict[str, Tensor]:
    """``standard_error``: ``‖s.e. of R_j←k‖ / ‖R_j←k‖`` of each unit over its roots; NaN for one root. # shape: (B, k)"""
    moments = Moments()
    for _, terms in model.expansions(units, domain, relevance):
        moments = moments.with_value(terms.first)
    error = moments.variance_of_mean().sum(-1).sqrt()
    return {"standard_error": torch.where(error == 0, 0.0, error / torch.as_tensor(moments.mean).norm(dim=-1))}
