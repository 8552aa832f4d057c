"""What an audit finds of roots that are known in closed form: spheres around centres, and soft maxima."""

from collections.abc import Iterator

import torch
from torch import Tensor

from dtd.audit.findings import Findings, Look, findings
from dtd.audit.validity import Status, first_reason
from dtd.relevance import SphereRoot, TakeMost


def closed_form(look: Look, relevance: Tensor, share: Tensor, exists: Tensor, root: Tensor, at: Tensor) -> Findings:
    """The findings for roots that exist or not; ``share`` of the relevance is handed down. # shape: root, at (B, k, J)"""
    first, nothing = relevance * share * exists, torch.zeros_like(relevance)
    slack = 64 * torch.finfo(root.dtype).eps * (1 + root.abs())
    inside = look.layer.domain.contains(root.flatten(2), slack.flatten(2)).all(-1)
    distance, size = (at - root).flatten(2).norm(dim=-1), at.flatten(2).norm(dim=-1)
    return Findings(
        relevance=relevance,
        first=first,
        bias=nothing,
        zeroth=relevance * ~exists,
        remainder=relevance * exists - first,
        exists=exists,
        status=first_reason({Status.DOMAIN: ~inside, Status.NO_ROOT: ~exists}),
        distance=distance,
        relative_distance=torch.where(distance == 0, 0.0, distance / size),
    )


@findings.register
def _(model: SphereRoot, look: Look) -> Iterator[Findings]:
    (a,) = look.inputs
    centres, rows = look.layer.op.centres, a.flatten(1, -2) if a.ndim > 2 else a.unsqueeze(1)
    each = max(1, len(a) * a.shape[-1] * a.element_size() * 6)
    y = look.layer(a)
    s, share = model.scale(y).flatten(1), (model.share(y) + 0 * y).flatten(1)
    for part in look.index.split(max(1, look.memory // each)):
        at = rows[:, part // len(centres)]
        u = centres[part % len(centres)].expand_as(at)
        root = u + s[:, part, None] * (at - u)
        here = look.relevance.flatten(1)[:, part]
        yield closed_form(look, here, share[:, part], y.flatten(1)[:, part] != 0, root, at)


@findings.register
def _(model: TakeMost, look: Look) -> Iterator[Findings]:
    (a,) = look.inputs
    pooled = a.movedim(look.layer.op.axis, -1).flatten(1, -2) if a.ndim > 2 else a.unsqueeze(1)
    each = max(1, len(a) * pooled.shape[-1] * a.element_size() * 6)
    for part in look.index.split(max(1, look.memory // each)):
        at = pooled[:, part]
        root = at - at.logsumexp(-1, keepdim=True)
        here = look.relevance.flatten(1)[:, part]
        yield closed_form(look, here, torch.ones_like(here), torch.ones_like(here, dtype=torch.bool), root, at)
