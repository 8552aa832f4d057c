"""A network as its layers: a box for each, coloured by the rule that speaks for it, and lines for what it reads."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.patches import FancyArrowPatch, Rectangle

from dtd.network.network import Network
from dtd.network.table import across
from dtd.plans.plan import Plan
from dtd.plans.rules import LOOKS, Choice
from dtd.plot.colours import letters_on
from dtd.plot.names import rule_name
from dtd.plot.style import Picture, in_style, rule_looks, width
from dtd.propagation import Layer

LONGEST, WIDE = 24, 2.2  # layers in a column, while there is room for columns of that many inches
LINE, HEAD = 0.24, 0.5  # inches: of a layer, of the legend
BOX, HIGH = 0.72, 0.7  # of a column's width and of a line: the box of a layer
DEFAULT, PLAIN, WIRE = "#E6E6E6", "#DCE6F0", "#777777"


@dataclass(frozen=True)
class BoxPlace:
    """Where the box of a layer is: its column, and its line from the bottom."""

    column: int
    line: int


@in_style
def layers(network: Network, plan: Plan | None = None) -> Picture:
    """The layers from the inputs at the bottom to the output at the top; what does not fit goes on in the next column.

    With a plan, a layer has the colour of its rule, as in every figure; grey ones have the default of their kind. Lines show
    what each layer reads, where that is not the layer below it.

    Raises what :meth:`dtd.Plan.bind` raises.

    >>> import dtd, torch
    >>> net = dtd.trace(torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.ReLU()), torch.ones(1, 2))
    >>> figure = dtd.Plan.uniform("zplus").plot(net)
    >>> [text.get_text() for text in figure.axes[0].texts]
    ['input  2', '0  dense  3', '1  relu  3']
    >>> [text.get_text() for text in figure.legends[0].get_texts()]
    ['z⁺', 'default']
    """
    graph = network.graph
    spoken = keys(network, plan)
    looks = colours_of(spoken) if plan is not None else {key: PLAIN for key in spoken}
    texts = [f"{each.name}  {across(each.shape)}" for each in graph.inputs]
    texts += [f"{layer.name}  {layer.kind}  {across(layer.shape)}" for layer in graph.layers]
    fills = [DEFAULT] * len(graph.inputs) + [looks[key] for key in spoken]
    most = max(1, int(width() / WIDE))
    high = max(LONGEST, -(-len(texts) // most))
    columns = -(-len(texts) // high)
    high = -(-len(texts) // columns)
    figure = Picture(figsize=(min(width(), WIDE * 1.5 * columns), LINE * high + HEAD), layout="constrained")
    axes = figure.subplots()
    places = [BoxPlace(i // high, i % high) for i in range(len(texts))]
    for place, text, fill in zip(places, texts, fills, strict=True):
        box(axes, place, text, fill)
    shift = len(graph.inputs)
    for i, layer in enumerate(graph.layers):
        for j in layer.inputs:
            wire(axes, places[-1 - j if j < 0 else j + shift], places[i + shift])
    axes.set(xlim=(-0.02, columns), ylim=(-0.1, high))
    axes.set_axis_off()
    if plan is not None:
        handles = [Rectangle((0, 0), 1, 1, facecolor=colour) for colour in looks.values()]
        entries = [rule_name(key) for key in looks]
        figure.legend(handles, entries, loc="outside upper center", ncols=min(6, len(looks)), frameon=False)
    return figure


def keys(network: Network, plan: Plan | None) -> list[str]:
    """What speaks for each layer: a rule of the catalogue by its name, another model by its class, or ``default``."""
    if plan is None:
        return ["default"] * len(network.graph.layers)
    return [
        "default" if chosen is None else chosen.rule.name if isinstance(chosen, Choice) else spoken_class(layer, chosen)
        for layer, chosen, _ in plan.speakers(network)
    ]


def spoken_class(layer: Layer, chosen: object) -> str:
    """The name of a model's class; a strategy that it searches with follows."""
    root = getattr(chosen, "root", None)
    return type(chosen).__name__ + (f"({type(root).__name__})" if root is not None else "")


def colours_of(spoken: Sequence[str]) -> Mapping[str, str]:
    """The colour of each key: rules in the catalogue's order, then other models, the default last."""
    others = [key for key in dict.fromkeys(spoken) if key not in LOOKS and key != "default"]
    order = [rule for rule in LOOKS if rule in spoken] + others
    looks = {key: colour for key, (colour, _) in rule_looks(order).items()}
    return looks | ({"default": DEFAULT} if "default" in spoken else {})


def box(axes: Axes, place: BoxPlace, text: str, colour: str) -> None:
    """The box of a layer with its text, cut to the box."""
    axes.add_patch(Rectangle((place.column, place.line), BOX, HIGH, facecolor=colour, edgecolor="none", zorder=2))
    letters = letters_on(*to_rgb(colour))
    size = 0.85 * mpl.rcParams["font.size"]
    axes.text(
        place.column + 0.02, place.line + HIGH / 2, text, va="center", fontsize=size, color=letters, zorder=3, clip_on=True
    )


def wire(axes: Axes, lower: BoxPlace, upper: BoxPlace) -> None:
    """What a layer reads: a short line from the layer below it, else an arc at the right."""
    look: dict[str, Any] = {"color": WIRE, "linewidth": 0.7, "zorder": 1}
    if lower.column == upper.column and upper.line == lower.line + 1:
        axes.plot([lower.column + BOX / 2] * 2, [lower.line + HIGH, upper.line], **look)
    elif lower.column == upper.column:
        right, reach = lower.column + BOX, min(0.24, 0.04 + 0.02 * (upper.line - lower.line))
        ends = [lower.line + HIGH / 2, upper.line + HIGH / 2]
        axes.plot([right, right + reach, right + reach, right], [ends[0], ends[0], ends[1], ends[1]], **look)
    else:
        start, end = (lower.column + BOX, lower.line + HIGH / 2), (upper.column, upper.line + HIGH / 2)
        axes.add_patch(FancyArrowPatch(start, end, arrowstyle="-", connectionstyle="arc3,rad=0", **look))
