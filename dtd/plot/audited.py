"""Audits as tables with a heat scale."""

import pandas as pd

from dtd.errors import InputError
from dtd.plot.matrix import SHARE, matrix
from dtd.plot.style import Picture, in_style, width

REASONS = {
    "valid": "valid",
    "inactive": "inactive",
    "no_root": "no root",
    "not_zero": "not zero",
    "domain_left": "domain left",
    "region_left": "region left",
    "rootless": "domain without root",
}
BESIDE = {"units": "units", "relative_distance": "‖a − ã‖/‖a‖", "gap": "gap"}  # printed beside the shares
LINE, FRAME = 0.17, 0.75  # inches: a layer, what surrounds the table
MATRIX = 0.45  # of the width


@in_style
def audited(rows: pd.DataFrame) -> Picture:
    """The rows of :func:`dtd.audit`: a line for each layer that has roots, the input at the top.

    Shares of valid roots, and of the others by reason, in per cent on a scale of colours from 0 to 1; beside them the number
    of units, the median relative distance of their roots, and the gap of the balance.

    Raises :class:`dtd.InputError` for a table that is no audit, or in which no layer has roots.

    >>> import dtd, torch
    >>> unit = torch.nn.Linear(2, 1)
    >>> _ = unit.load_state_dict({"weight": torch.tensor([[3.0, -1.0]]), "bias": torch.tensor([0.0])})
    >>> net = dtd.trace(unit, torch.ones(1, 2), dtd.NonNegative())
    >>> rows = dtd.audit(net, torch.ones(1, 2), 0, dtd.Plan.uniform("wsquare"))
    >>> dtd.plot.audited(rows).axes[0].images[0].get_array().tolist()
    [[1.0, 0.0, 0.0, 0.0, 0.0, 0.0]]
    """
    missing = [name for name in ("layer", "units", "valid", "gap") if name not in getattr(rows, "columns", ())]
    if missing:
        raise InputError(f"'rows' must be the table of dtd.audit; it has no {', '.join(missing)}.")
    found = rows[rows.valid.notna()]
    if not len(found):
        raise InputError("No layer of this audit has units with roots that receive relevance: there is nothing to draw.")
    shares = {name: label for name, label in REASONS.items() if name in found}
    values = found[list(shares)].to_numpy(dtype=float, na_value=float("nan"))
    figure = Picture(figsize=(width(), FRAME + LINE * len(found)), layout="constrained")
    axes = figure.subplots()
    image = matrix(axes, values, SHARE, MATRIX * width())
    axes.set_yticks(range(len(found)), found.layer)
    axes.set_xticks(range(len(shares)), list(shares.values()), rotation=30, ha="left", rotation_mode="anchor")
    axes.xaxis.tick_top()
    beside = {name: label for name, label in BESIDE.items() if name in found}
    for k, (name, label) in enumerate(beside.items()):
        place = len(shares) + 0.6 + 1.1 * k
        axes.text(place, -0.75, label, ha="right", va="bottom", rotation=0)
        for i, value in enumerate(found[name]):
            text = "–" if pd.isna(value) else f"{value:,}" if name == "units" else f"{value:.2g}"
            axes.text(place, i, text.replace("-", "−"), ha="right", va="center")
    axes.set_xlim(-0.5, len(shares) + 0.8 + 1.1 * (len(beside) - 1))
    for spine in axes.spines.values():
        spine.set_visible(False)
    axes.tick_params(length=0)
    figure.colorbar(image, ax=axes, ticks=[0, 0.5, 1], fraction=0.03, pad=0.01, label="share of units")
    return figure
