"""One order, colour and marker for each rule, plan and baseline, in every figure and table: those of the catalogue."""

from collections.abc import Iterable

from dtd.plans.rules import catalogue

COMPOSITES = (
    *("deep_taylor_2017", "epsilon_plus", "epsilon_plus_flat", "epsilon_alpha2_beta1", "epsilon_gamma_box"),
    *("lrp_overview_2019", "overview", "attnlrp", "cp_lrp", "transformers_2022", "lstm_2017", "neuralised"),
)
BASELINES = ("gradient_x_input", "leave_one_out", "random")
ORDER = (*catalogue, *COMPOSITES, *BASELINES)
LIKE = {"gamma_signed": "gamma", "zplus_signed": "zplus"}  # the same colour with another marker
COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00")  # Okabe and Ito
MORE_COLOURS = ("#000000", "#8C564B", "#7F7F7F", "#BCBD22", "#332288", "#882255")
MARKERS = "osD^vP*X<>"
Look = tuple[str, str]


def rank(name: object) -> int:
    """The place of a name in the order; behind it all others, which are alike."""
    return ORDER.index(name) if name in ORDER else len(ORDER)


def fixed() -> dict[str, Look]:
    """Colour and marker of every known name; no two have both alike."""
    colours, looks = COLOURS + MORE_COLOURS, {}
    for i, name in enumerate(each for each in ORDER if each not in LIKE):
        looks[name] = (colours[i % len(colours)], MARKERS[(i + i // len(colours)) % len(MARKERS)])
    for name, base in LIKE.items():
        colour, marker = looks[base]
        looks[name] = (colour, MARKERS[(MARKERS.index(marker) + 5) % len(MARKERS)])
    return looks


FIXED = fixed()


def rule_looks(lines: Iterable[str]) -> dict[str, Look]:
    """Colour and marker of each line; that of a rule is always the same.

    A line is a name, or several joined by a comma. The first line of a rule has the rule's look; further lines of it, and
    names that are not known, have looks that no known name of the figure has.
    """
    looks: dict[str, Look] = {}
    lines = list(dict.fromkeys(lines))
    for line in lines:
        known = next((FIXED[word] for word in str(line).split(", ") if word in FIXED), None)
        if known is not None and known not in looks.values():
            looks[line] = known
    colours = COLOURS + MORE_COLOURS
    steps = range(len(MARKERS))
    every = [(colour, MARKERS[(i + step) % len(MARKERS)]) for step in steps for i, colour in enumerate(colours)]
    used = {colour for colour, _ in looks.values()}
    free = [look for look in every if look[0] not in used] + [look for look in every if look[0] in used]
    left = iter([look for look in free if look not in looks.values()] + every)
    return {line: looks[line] if line in looks else next(left) for line in lines}
