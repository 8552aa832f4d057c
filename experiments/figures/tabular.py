"""Models × columns: the share of each column in the relevance of all."""

from collections.abc import Mapping

from matplotlib.figure import Figure

from dtd.plot.style import width
from experiments.figures.names import printed
from experiments.figures.summary import Tables

LINE, LABELS = 0.17, 1.0  # inches: of a model, of the columns' names below a table


def tabular_figures(tables: Tables) -> Mapping[str, Figure]:
    """The figure ``tabular``: a matrix for each table."""
    columns = tables["columns"]
    parts = {name: part for name, part in columns.groupby("table", sort=False)}
    heights = [LINE * part.model.nunique() + LABELS for part in parts.values()]
    figure = Figure(figsize=(width(), sum(heights)), layout="constrained")
    panels = figure.subplots(len(parts), 1, squeeze=False, height_ratios=heights)[:, 0]
    for axes, (name, part) in zip(panels, parts.items(), strict=True):
        order = list(part.model.unique()), list(part.column.unique())
        values = part.pivot_table(index="model", columns="column", values="share", aggfunc="mean")
        values = values.reindex(index=order[0], columns=order[1])
        image = axes.imshow(values.to_numpy(), aspect="auto", cmap="cividis", vmin=0)
        axes.set_xticks(range(len(order[1])), order[1], rotation=60, ha="right", rotation_mode="anchor")
        axes.set_yticks(range(len(order[0])), order[0])
        axes.set_title(printed(name))
        figure.colorbar(image, ax=axes, pad=0.01, label="share of Σ|R|")
    return {"tabular": figure}
