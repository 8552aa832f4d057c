"""The embedding of a classifier, pairs of its test samples, and what occlusion says of them."""

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from dtd.network import trace
from experiments.models import Subject

SAME, DIFFERENT = "same class", "different classes"


@dataclass(frozen=True, eq=False)
class Pairs:
    """Test samples two by two: of one class, then of two. # shape: left and right (N, *in)"""

    left: Tensor
    right: Tensor
    kinds: list[str]
    places: list[tuple[int, int]]  # in the test set


def embedding(subject: Subject) -> nn.Module:
    """A copy of the model without its last layer with weights: what it returns is what that layer reads.

    Raises :class:`TraceError` for a model that cannot be traced.
    """
    last = trace(subject.model, subject.test_x[:1], subject.domain).weighted[-1]
    model = deepcopy(subject.model)
    model.set_submodule(last.path, nn.Identity())
    return model.requires_grad_(False).eval()


def matched(subject: Subject, count: int) -> Pairs:
    """``count`` pairs of each kind: sample n with the next one of its class, and with the next one of another class."""
    labels = subject.test_y
    assert labels is not None
    places, kinds = [], []
    for kind in (SAME, DIFFERENT):
        found = list(partners(labels, kind))[:count]
        places += found
        kinds += [kind] * len(found)
    left, right = (subject.test_x[[pair[side] for pair in places]] for side in (0, 1))
    return Pairs(left, right, kinds, places)


def partners(labels: Tensor, kind: str) -> Iterator[tuple[int, int]]:
    """Each sample with the next one of its own class, or of another."""
    for n in range(len(labels)):
        fits = (labels[n + 1 :] == labels[n]) == (kind == SAME)
        if bool(fits.any()):
            yield n, n + 1 + int(fits.nonzero()[0])


@torch.no_grad()
def occluded(model: nn.Module, x: Tensor, patch: tuple[int, int]) -> Tensor:
    """By how much the embedding changes when a patch becomes 0, patch by patch, row by row. # shape: (C, H, W) -> (P, M)"""
    high, wide = patch
    copies = []
    for row in range(0, x.shape[1], high):
        for column in range(0, x.shape[2], wide):
            copies.append(x.clone())
            copies[-1][:, row : row + high, column : column + wide] = 0
    return model(x[None]).flatten(1) - model(torch.stack(copies)).flatten(1)


def interactions(model: nn.Module, left: Tensor, right: Tensor, patch: tuple[int, int], scale: float) -> Tensor:
    """How much less alike two images are for losing both of two patches than for losing each alone.

    ``s(x, y) − s(x∖i, y) − s(x, y∖j) + s(x∖i, y∖j) = ⟨f(x) − f(x∖i), f(y) − f(y∖j)⟩``; ``scale`` as for the relevance.

    # shape: left, right (C, H, W) -> (P, P)
    """
    return occluded(model, left, patch) @ occluded(model, right, patch).T * scale
