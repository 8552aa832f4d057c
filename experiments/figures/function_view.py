"""One unit with two inputs, as a figure and as a page, and the flow of relevance through a small network."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure

from dtd.plot.flow import flow_figure
from dtd.plot.unit_view import unit_figure
from experiments.figures.interactive import page
from experiments.figures.names import printed
from experiments.figures.summary import Tables


def function_view_figures(tables: Tables) -> Mapping[str, Figure | str]:
    """The figures ``function_view`` and ``flow``, and the page ``function_view.html``."""
    return {
        "function_view": unit_figure(tables["rows"], tables["surface"], tables["cuts"]),
        "flow": flow_figure(flow_panels(tables)),
        "function_view.html": page(tables["rows"], tables["formulas"]),
    }


def flow_panels(tables: Tables) -> dict[str, dict[str, pd.DataFrame]]:
    """The tables of each model and plan by the title of their panel."""
    panels = {}
    for (model, plan), layers in tables["flow_layers"].groupby(["model", "plan"], sort=False):
        own = {name: of(tables[f"flow_{name}"], model, plan) for name in ("edges", "units")}
        title = f"{printed(model)}, {printed(plan)}: relevance of class {layers.target.iloc[0]} as shares of the output"
        panels[title] = {**own, "layers": layers}
    return panels


def of(rows: pd.DataFrame, model: str, plan: str) -> pd.DataFrame:
    """The rows of one model and plan."""
    return rows[(rows.model == model) & (rows.plan == plan)]
