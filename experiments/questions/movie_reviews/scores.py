"""What each plan says about each text: relevance of words, agreement of derived and explicit, roots."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import pandas as pd
import torch
from torch import Tensor

from dtd.explaining.explain import explain
from experiments.configs.questions.explanations import MovieReviewsConfig
from experiments.configs.run import Config
from experiments.machine.console import progress
from experiments.measures.agreement import agreement
from experiments.measures.roots import audited_roots
from experiments.measures.rounding import bounds
from experiments.models.reviews import ReviewNetwork
from experiments.questions.movie_reviews.deletion import leaving_one_out
from experiments.questions.movie_reviews.explaining import Group, groups

GRADIENT, ALONE = "gradient_x_input", "leave_one_out"  # orders of words that no rule gives
STATUS = ("valid", "inactive", "no_root", "not_zero", "domain_left", "region_left")


@dataclass(frozen=True, eq=False)
class Spoken:
    """Relevance of the words of one text to its predicted class, by plan. # shape: x (n, D), relevance (n,) each"""

    x: Tensor
    target: int
    log_odds: float
    relevance: Mapping[str, Tensor]


@dataclass(frozen=True, eq=False)
class Findings:
    """All that plans say of some texts: relevance by place, agreement and roots as rows."""

    said: Mapping[int, Spoken]
    agreement: pd.DataFrame
    roots: pd.DataFrame


def findings(config: Config, network: ReviewNetwork, texts: Sequence[Tensor]) -> Findings | None:
    """One group of texts after the other; None where no text holds a word.

    Derived and explicit relevance are compared, and roots audited, on the first texts that hold a word.
    """
    asked = config.asked(MovieReviewsConfig)
    places = [place for place, text in enumerate(texts) if len(text)]
    said: dict[Any, Any] = {}
    agreement, audited = [], []
    for group in progress(groups(config, network, texts), "explaining", len({len(texts[place]) for place in places})):
        said |= spoken(network, group)
        agreement.append(compared(group.only(places[: asked.compared])))
        audited.append(roots(group.only(places[: asked.audited])))
    return Findings(said, pd.concat(agreement, ignore_index=True), averaged(pd.concat(audited))) if said else None


@torch.no_grad()
def spoken(network: ReviewNetwork, group: Group) -> dict[int, Spoken]:
    """What is said of each text, by its place."""
    by_plan = {name: group.relevance(plan) for name, plan in group.plans.items()}
    by_plan[GRADIENT] = group.gradient_times_input()
    log_odds = group.model(group.x).amax(1)
    texts = {}
    for i, place in enumerate(group.members):
        x, target = group.x[i], int(group.target[i])
        relevance = {name: values[i] for name, values in by_plan.items()}
        relevance[ALONE] = leaving_one_out(network, x, target)
        texts[place] = Spoken(x, target, log_odds[i].item(), relevance)
    return texts


@torch.no_grad()
def compared(group: Group) -> pd.DataFrame:
    """One row for each plan: agreement of derived and explicit relevance, entry by entry of the vectors."""
    rows, x, target = [], group.x, group.target
    for name, plan in group.plans.items() if len(x) else ():
        derived, explicit = (explain(group.network, x, target, p).relevance.flatten(1) for p in (plan, plan.explicit()))
        limits = bounds(group.network, plan.bind(group.network), x, target).network.flatten(1)
        rows.append({"plan": name, "compared": len(x), **asdict(agreement(derived, explicit, limits))})
    return pd.DataFrame(rows)


@torch.no_grad()
def roots(group: Group) -> pd.DataFrame:
    """One row for each plan and layer: the units that receive relevance, and how many of their roots have each status."""
    rows = []
    for name, plan in group.plans.items() if group.members else ():
        table = audited_roots(group.network, group.x, group.target, plan)
        counts = table[list(STATUS)].mul(table.units, axis=0)
        rows.append(table[["layer", "units"]].join(counts).assign(plan=name))
    return pd.concat(rows) if rows else pd.DataFrame()


def averaged(counts: pd.DataFrame) -> pd.DataFrame:
    """Shares of each status among all units counted, by plan and layer."""
    total = counts.groupby(["plan", "layer"], sort=False).sum()
    return total[["units"]].join(total[list(STATUS)].div(total.units, axis=0)).reset_index()
