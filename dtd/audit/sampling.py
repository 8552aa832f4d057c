"""How sure is an average over roots?"""

from collections.abc import Sequence

import torch
from torch import Tensor

from dtd.domain import Domain
from dtd.relevance import RelevanceModel
from dtd.relevance.moments import Moments
from dtd.root.units import FieldUnits


def standard_error(
    models: Sequence[RelevanceModel], units: FieldUnits, domain: Domain, relevance: Tensor
) -> dict[str, Tensor]:
    """``standard_error``: ``‖s.e. of R_j←k‖ / ‖R_j←k‖`` of each unit over draws of its root; NaN for one draw.

    One model for each draw; all the roots of a mix are one draw. # shape: (B, k)
    """
    moments = Moments()
    for model in models:
        moments = moments.with_value(model.terms(units, domain, relevance).first)
    error = moments.variance_of_mean().sum(-1).sqrt()
    return {"standard_error": torch.where(error == 0, 0.0, error / torch.as_tensor(moments.mean).norm(dim=-1))}
