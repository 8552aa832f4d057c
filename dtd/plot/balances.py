"""Where the explained output goes: what each layer keeps back, and what reaches the input."""

import numpy as np
import pandas as pd
from torch import Tensor

from dtd.errors import InputError
from dtd.explaining.explanation import Explanation
from dtd.plot.stacked import stacked_bars
from dtd.plot.style import PARTS_LOOKS, Picture, in_style, width
from dtd.propagation import PARTS

HEIGHT = 2.2  # inches
VISIBLE = 1e-6  # share of the output: a layer without weights that keeps less back has no bar
KEPT_LOOKS = {"input": ("reaches the input", PARTS_LOOKS["first"][1])} | {part: PARTS_LOOKS[part] for part in PARTS[1:]}


@in_style
def balances(out: Explanation) -> Picture:
    """A bar for each layer, the output at the left: the shares of what is explained that it keeps back, by part.

    The last bar is what reaches the inputs, so all bars add up to 1, up to rounding. Shares are of the whole batch. Layers
    without weights that keep nothing back are left out.

    Raises :class:`dtd.InputError` where what is explained adds up to 0, and :class:`dtd.StaleError` as ``out.layers`` does.

    >>> import dtd, torch
    >>> unit = torch.nn.Linear(2, 1)
    >>> _ = unit.load_state_dict({"weight": torch.tensor([[3.0, -1.0]]), "bias": torch.tensor([2.0])})
    >>> out = dtd.explain(dtd.trace(unit, torch.ones(1, 2)), torch.ones(1, 2), 0, dtd.Plan.uniform("lrp0", "neuron"))
    >>> bars = dtd.plot.balances(out).axes[0].containers[1]
    >>> float(bars[0].get_height())  # of 4 the bias neuron keeps 2
    0.5
    """
    rows = kept_rows(out)
    figure = Picture(figsize=(width(), HEIGHT), layout="constrained")
    axes = figure.subplots()
    stacked_bars(axes, rows, KEPT_LOOKS, 0.75)
    axes.set_xticks(range(len(rows)), rows.index, rotation=45, ha="right", rotation_mode="anchor")
    axes.set_ylabel("share of the output")
    axes.use_sticky_edges = False
    axes.margins(y=0.04)
    axes.legend(frameon=False, ncols=len(KEPT_LOOKS), loc="lower center", bbox_to_anchor=(0.5, 1.0))
    return figure


def kept_rows(out: Explanation) -> pd.DataFrame:
    """``bias``, ``zeroth``, ``remainder`` and ``input`` as shares of what is explained, by layer, from the output down."""
    total = float(total_of(out.initial))
    if total == 0:
        raise InputError("Shares of what is explained need an initial relevance that does not add up to 0.")
    rows = {}
    for name, record in reversed(list(out.layers.items())):
        shares = {part: float(total_of(getattr(record.balance, part))) / total for part in PARTS[1:]}
        if record.layer.weighted or np.abs(list(shares.values())).max() > VISIBLE:
            rows[name] = shares
    rows["(inputs)"] = {"input": float(sum(total_of(part) for part in out.parts)) / total}
    return pd.DataFrame.from_dict(rows, orient="index").reindex(columns=[*PARTS[1:], "input"])


def total_of(values: Tensor) -> Tensor:
    """The sum over the batch, in double precision."""
    return values.detach().double().sum()
