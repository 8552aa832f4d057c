"""What each method says about each text: relevance of words, agreement of derived and explicit, roots."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import pandas as pd
import torch
from torch import Tensor

from dtd.audit import audit
from dtd.explain import explain
from experiments.agreement import agreement
from experiments.console import progress
from experiments.models.reviews import ReviewNetwork
from experiments.reviews.deletion import leaving_one_out
from experiments.reviews.explaining import Group
from experiments.rounding import bounds

GRADIENT, ALONE = "gradient_x_input", "leave_one_out"  # orders of words that no rule gives
STATUS = ("valid", "inactive", "no_root", "not_zero", "domain_left", "region_left")


@dataclass(frozen=True, eq=False)
class Spoken:
    """Relevance of the words of one text to its predicted class, by method. # shape: x (n, D), relevance (n,) each"""

    x: Tensor
    target: int
    log_odds: float
    relevance: Mapping[str, Tensor]


@torch.no_grad()
def spoken(network: ReviewNetwork, found: Sequence[Group]) -> dict[int, Spoken]:
    """Every text that holds a word, by its place."""
    texts = {}
    for group in progress(found, "explaining"):
        by_method = {name: group.relevance(plan) for name, plan in group.plans.items()}
        by_method[GRADIENT] = group.gradient_times_input()
        log_odds = group.model(group.x).amax(1)
        for i, place in enumerate(group.members):
            x, target = group.x[i], int(group.target[i])
            relevance = {name: values[i] for name, values in by_method.items()}
            relevance[ALONE] = leaving_one_out(network, x, target)
            texts[place] = Spoken(x, target, log_odds[i].item(), relevance)
    return texts


@torch.no_grad()
def compared(found: Sequence[Group]) -> pd.DataFrame:
    """One row for each method and group: agreement of derived and explicit relevance, entry by entry of the vectors."""
    rows = []
    for group in progress(found, "comparing derived and explicit"):
        x, target = group.x, group.target
        for name, plan in group.plans.items():
            derived, explicit = (explain(group.network, x, target, p).relevance.flatten(1) for p in (plan, plan.explicit()))
            limits = bounds(group.network, plan.bind(group.network), x, target).network.flatten(1)
            rows.append({"plan": name, "compared": len(x), **asdict(agreement(derived, explicit, limits))})
    return pd.DataFrame(rows)


@torch.no_grad()
def roots(found: Sequence[Group]) -> pd.DataFrame:
    """One row for each method and layer: the units that receive relevance, and the status of their roots."""
    rows = []
    for group in progress(found, "auditing roots"):
        for name, plan in group.plans.items():
            table = audit(group.network, group.x, group.target, plan).assign(plan=name)
            rows.append(table[["plan", "layer", "units", *STATUS]])
    every = pd.concat(rows, ignore_index=True)
    every[list(STATUS)] = every[list(STATUS)].mul(every.units, axis=0)
    total = every.groupby(["plan", "layer"], sort=False).sum()
    return total[["units"]].join(total[list(STATUS)].div(total.units, axis=0)).reset_index()
