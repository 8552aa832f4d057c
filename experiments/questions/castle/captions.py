"""What each panel says in words, for a caption or a table."""

import pandas as pd

from experiments.figures.castle import percent
from experiments.figures.names import printed


def captions(rows: pd.DataFrame) -> pd.DataFrame:
    """What each panel says, in words, for a caption or a table."""
    return pd.DataFrame([{"key": row.key, "caption": caption(row)} for row in rows.itertuples()])


def caption(row) -> str:
    """One panel in a few sentences."""
    parts = [
        f"{printed(row.model)}, {row.image}: relevance of '{row.class_name}' (p = {row.probability:.4f}, "
        f"f(x) = {row.output:.4g}) under {row.key}, bias {row.bias_mode}.",
        f"Of f(x), {percent(row.reaches_pixels)} reaches the pixels, {percent(row.bias)} stays with biases, "
        f"{percent(row.zeroth)} in zeroth terms, {percent(row.remainder)} in remainders; Σ|R| is {row.absolute:.3g} |f(x)|.",
        f"Of the sampled roots {percent(row.valid)} are valid; {percent(row.inactive)} belong to inactive units, "
        f"{percent(row.no_root)} do not exist, {percent(row.not_zero)} are no zeros, {percent(row.domain_left)} leave the "
        f"domain, {percent(row.region_left)} the linear region.",
        f"Derived and explicit relevance differ by {row.max_rel:.1e} of the largest.",
    ]
    if row.pooling == "average" and not pd.isna(row.apart_from_winner):
        parts.append(f"Σ|R − R_winner| is {percent(row.apart_from_winner)} of Σ|R_winner|.")
    return " ".join(parts)
