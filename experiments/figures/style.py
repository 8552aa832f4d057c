"""One look for all figures: page widths, small type, colours that colour-blind readers can tell apart."""

PAGE = 6.9  # inches: two columns
STYLE = {
    "font.family": "sans-serif",
    "font.size": 7,
    "axes.titlesize": 7,
    "axes.labelsize": 7,
    "xtick.labelsize": 6.5,
    "ytick.labelsize": 6.5,
    "legend.fontsize": 6.5,
    "axes.linewidth": 0.5,
    "xtick.major.width": 0.5,
    "ytick.major.width": 0.5,
    "pdf.fonttype": 42,
}
DIVERGING = "RdBu_r"
COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00")  # Okabe and Ito
MARKERS = "osD^vP*X<>"
MORE_COLOURS = ("#000000", "#8C564B", "#7F7F7F", "#BCBD22")


def rule_looks(rules) -> dict[str, tuple[str, str]]:
    """Colour and marker of each rule, in the order given."""
    colours = COLOURS + MORE_COLOURS
    return {rule: (colours[i % len(colours)], MARKERS[i % len(MARKERS)]) for i, rule in enumerate(rules)}
