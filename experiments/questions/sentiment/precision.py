"""Checks on the first texts in double precision: derived and explicit relevance, single precision, and every balance."""

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd
from torch import Tensor

from experiments.measures.blocks import arrived, kept_back
from experiments.questions.sentiment.explaining import Reader


@dataclass(frozen=True, eq=False)
class Checked:
    """What was found.

    ``agreement``: columns ``plan``, ``compared`` (texts), ``differs`` (largest |derived − explicit|), ``single`` (largest
    error of single precision) and ``rounded`` (of weights rounded to bfloat16, computed with in single precision), relative
    to the text's largest |relevance|. ``blocks``: what each block keeps back,
    :func:`experiments.measures.blocks.kept_back`, by plan. ``closed``: ``plan``, ``arrived``, and ``gap``, what the balances
    leave of 1.
    """

    agreement: pd.DataFrame
    blocks: pd.DataFrame
    closed: pd.DataFrame


def relevances(reader: Reader, ids: Tensor) -> dict[str, Tensor]:
    """Relevance of each number of each token by plan, in the reader's precision. # shape: (B, T, D) each"""
    return {name: reader.explained(ids, plan).relevance for name, plan in reader.plans.items()}


def checked(reader: Reader, ids: Tensor, others: Mapping[str, Mapping[str, Tensor]], balanced: int) -> Checked:
    """Compare on the texts ``ids``, and balance the first so many of them; ``reader`` is one in double precision.

    ``others`` are relevances of less precision, by the name of their error and by plan.

    # shape: ids (B, T)
    """
    agreement, blocks, closed = [], [], []
    for name, plan in reader.plans.items():
        derived = reader.explained(ids, plan).relevance
        explicit = reader.explained(ids, plan.explicit()).relevance
        errors = {error: largest(derived, relevance[name].double()) for error, relevance in others.items()}
        agreement.append({"plan": name, "compared": len(ids), "differs": largest(derived, explicit), **errors})
        found = reader.explained(ids[:balanced], plan)
        kept, share = kept_back(found), arrived(found)
        blocks.append(kept.assign(plan=name))
        closed.append({"plan": name, "arrived": share, "gap": 1 - share - kept.kept.sum()})
    return Checked(pd.DataFrame(agreement), pd.concat(blocks, ignore_index=True), pd.DataFrame(closed))


def largest(found: Tensor, wanted: Tensor) -> float:
    """The largest difference relative to the largest entry of the text, for the worst text."""
    scale = wanted.abs().flatten(1).amax(1)
    return ((found - wanted).abs().flatten(1).amax(1) / scale).max().item()
