"""Language models: words and tokens on the colour of their relevance, deletion, and what each block keeps back."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from experiments.figures.movie_reviews import deletion, document, page
from experiments.figures.names import printed
from experiments.figures.order import COLOURS
from experiments.figures.stacked import stacked_bars
from experiments.figures.style import width
from experiments.figures.summary import Tables

TOKEN_SIDES = {"the token": 1, "what stands against it": -1}
TOKEN_LEGEND = "the evidence of each token of the prompt"


def sentiment_figures(tables: Tables) -> Mapping[str, Figure | str]:
    """``deletion``, ``blocks``, and the drawn texts as ``words.html`` and ``words.tex``."""
    pages = {"words.html": page(tables), "words.tex": document(tables)}
    return {"deletion": deletion(tables["deletion"], tables["rows"]), "blocks": blocks(tables["blocks"]), **pages}


def next_token_figures(tables: Tables) -> Mapping[str, Figure | str]:
    """``blocks``, and the prompt under each explained token as ``tokens.html`` and ``tokens.tex``."""
    pages = {
        "tokens.html": page(tables, said_of_token, TOKEN_SIDES, TOKEN_LEGEND, cased=True),
        "tokens.tex": document(tables, said_of_token),
    }
    return {"blocks": blocks(tables["blocks"]), **pages}


def said_of_token(text: Any) -> str:
    """A row of ``texts`` of the question ``next_token`` in words."""
    against = "" if pd.isna(text.against) else f" rather than “{text.against.strip()}”"
    return (
        f"next token “{text.answer.strip()}”{against}, probability {text.probability:.3f}; explained: "
        f"{'the difference of logits' if against else 'its logit'}, {text.explained:.2f}"
    )


def blocks(rows: pd.DataFrame) -> Figure:
    """What each block keeps back as a share of what is explained: a panel for each plan, a bar for each block, by part."""
    plans, parts = list(rows.plan.unique()), list(rows.part.unique())
    figure = Figure(figsize=(width(), 0.24 * width() * len(plans)), layout="constrained")
    panels = figure.subplots(len(plans), 1, sharex=True, squeeze=False)[:, 0]
    looks = {part: (part, COLOURS[k % len(COLOURS)]) for k, part in enumerate(parts)}
    for axes, plan in zip(panels, plans, strict=True):
        own = rows[rows.plan == plan].pivot_table(index="block", columns="part", values="kept", sort=False)
        stacked_bars(axes, own.reindex(columns=parts), looks, 0.8)
        axes.set_title(printed(plan), loc="left")
        axes.set_xticks(range(len(own)), own.index)
        axes.set_ylabel("kept back")
    panels[-1].set_xlabel("block")
    panels[0].legend(ncols=3, frameon=False)
    return figure
