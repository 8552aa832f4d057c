"""What a run says in the terminal; reads rows only."""

from collections.abc import Callable, Mapping

import pandas as pd
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from experiments.questions.base import Tables
from experiments.summary import Summary, averaged, best, form

LEGEND = """\
float64, float32: the largest |derived − explicit| of any layer or of the network, relative to the largest |relevance|.
of limit: the largest difference as a share of what rounding allows that entry (float64: plus 1e-10); where: the layer.
cosine, rank: the lowest in any layer, sample and precision. Σ: relevance that reaches the input / explained output."""
WIDE, WIDE_ONLY = 110, ("where", "cosine", "rank")
NARROW = f"\nThe columns where, cosine and rank need a terminal of {WIDE} columns; rows.csv has everything."
BUSY = 0.5  # share of the cores that may be in use before a benchmark

COST_LEGEND = """\
ms, ratio: medians of {rounds} rounds, in parentheses the fastest and slowest; float32, threads: {threads}.
ratio: to gradient × input in the same round. difference: the largest to dtd's relevance in float64, relative to the
largest relevance; dtd's own in float32, all others in float64."""

OVERHEAD_LEGEND = """\
s: from the command to its end, start of Python included; CPU: processor seconds. overhead: seconds a job beyond its
bare computation, which is shared out among the processes. speed-up: to one process (basic)."""


def table(title: str, *columns: str, left: int = 1) -> Table:
    """An empty table; the first ``left`` columns are aligned to the left."""
    layout = {"box": box.SIMPLE_HEAD, "show_edge": False, "pad_edge": False, "padding": 0}
    made = Table(title="\n" + title, title_justify="left", title_style="bold", **layout)
    for i, column in enumerate(columns):
        made.add_column(column, justify="left" if i < left else "right", no_wrap=True)
    return made


def share(value: float) -> str:
    """A share in per cent."""
    if value != value:
        return "nan"
    return "0 %" if value == 0 else "< 1 %" if value < 0.01 else f"{100 * value:.0f} %"


def show_correspondence(tables: Tables, console: Console) -> None:
    """One table for each model: rules × bias modes, over all layers, samples and precisions."""
    rows = tables["rows"]
    wide = console.width >= WIDE
    for model, part in rows.groupby("model", sort=False):
        console.print(correspondence(model, part, wide))
    console.print("\n" + (LEGEND if wide else LEGEND + NARROW), style="dim")
    wrong = int((~rows.agree).sum())
    verdict = f"{wrong:,} of {len(rows):,} pairs disagree." if wrong else f"All {len(rows):,} pairs agree."
    console.print(Text(verdict, style="bold red" if wrong else "bold green"))


def correspondence(model: str, rows: pd.DataFrame, wide: bool) -> Table:
    """The table of one model."""
    lines = [line(group) for _, group in rows.groupby(["rule", "bias"], sort=False)]
    columns = [column for column in lines[0] if wide or column not in WIDE_ONLY]
    first = rows.iloc[0]
    accuracy = "" if pd.isna(first.accuracy) else f", test accuracy {100 * first.accuracy:.1f} %"
    made = table(f"{model}: derived against explicit ({first.samples} samples{accuracy})", *columns, left=2)
    last = None
    for cells in lines:
        made.add_row("" if cells["rule"] == last else cells["rule"], *(cells[column] for column in columns[1:]))
        last = cells["rule"]
    return made


def line(rows: pd.DataFrame) -> dict[str, str | Text]:
    """What the table says about one rule in one bias mode."""
    worst = rows.loc[rows.of_allowed.fillna(float("inf")).idxmax()]
    whole = rows[rows.kind == "network"].iloc[0]
    errors = {dtype: part.max_rel.max(skipna=False) for dtype, part in rows.groupby("dtype", sort=False)}
    return {
        "rule": worst.rule,
        "bias": worst.bias,
        **{dtype: f"{error:.1e}" for dtype, error in errors.items()},
        "of limit": share(worst.of_allowed),
        "where": worst.layer,
        "cosine": f"{rows.cosine.min(skipna=False):.6f}",
        "rank": f"{rows['rank'].min(skipna=False):.4f}",
        "Σ derived": f"{whole.conserved_derived:.4f}",
        "Σ explicit": f"{whole.conserved_explicit:.4f}",
        "": Text("agree", "green") if rows.agree.all() else Text("DIFFER", "bold red"),
    }


def show_cost(tables: Tables, console: Console) -> None:
    """For each model, methods × (seconds, ratio to gradient × input): medians over the rounds."""
    rows = tables["rows"]
    for (model, batch), part in rows.groupby(["model", "batch"], sort=False):
        console.print(cost(f"{model}, batch {batch}", part))
    for (model, batch), part in tables["memory"].groupby(["model", "batch"], sort=False) if "memory" in tables else ():
        console.print(peaks(f"{model}, batch {batch}", part))
    if "audits" in tables:
        console.print(audits(tables["audits"]))
    first = rows.iloc[0]
    console.print("\n" + COST_LEGEND.format(rounds=rows["round"].max() + 1, threads=first.threads), style="dim")
    say_whether_busy(first, console)


def say_whether_busy(row: pd.Series, console: Console) -> None:
    """A warning where times were measured beside other work."""
    if row.load > BUSY * row.cores:
        busy = f"The machine was busy when this began (load {row.load:.1f} on {row.cores} cores)"
        console.print(f"{busy}: do not trust these times.", style="bold red")


def cost(model: str, rows: pd.DataFrame) -> Table:
    """The table of one model."""
    made = table(f"{model}: cost of one explanation", "rule", "bias", "library", "ms", "ratio", "", "difference", left=3)
    last = None
    for (rule, bias, library), group in rows.groupby(["rule", "bias", "library"], sort=False, dropna=False):
        made.add_row(
            rule if rule != last else "",
            "" if pd.isna(bias) else bias,
            library if library != "gradient × input" else "torch",
            f"{1e3 * group.seconds.median():.4g}",
            f"{group.ratio.median():.2f}",
            f"({group.ratio.min():.2f} – {group.ratio.max():.2f})",
            "" if pd.isna(group.difference.iloc[0]) else f"{group.difference.iloc[0]:.1e}",
        )
        last = rule
    return made


def peaks(title: str, rows: pd.DataFrame) -> Table:
    """Peak memory on one model."""
    made = table(f"{title}: peak memory added to the loaded and traced model", "rule", "library", "MB", "ratio", left=2)
    baseline = rows[rows.rule == rows.library].megabytes.iloc[0]
    for r in rows.itertuples():
        library = "torch" if r.rule == r.library else r.library
        made.add_row(r.rule, library, f"{r.megabytes:.0f}", f"{r.megabytes / baseline:.2f}")
    return made


def audits(rows: pd.DataFrame) -> Table:
    """Seconds of one audit of each model."""
    columns = ("model", "layers", "units", "coordinates", "s", "largest gap")
    made = table("one sample, so many units: every root built", *columns, left=1)
    for r in rows.itertuples():
        made.add_row(r.model, str(r.layers), str(r.units), f"{r.coordinates:.1e}", f"{r.seconds:.2f}", f"{r.gap:.1e}")
    return made


def show_function_view(tables: Tables, console: Console) -> None:
    """Each rule's root and Taylor terms, and the balance of the network's layers."""
    rows = tables["rows"]
    first = rows.iloc[0]
    unit = f"z = {first.w1:g} a1 + {first.w2:g} a2 + {first.b:g} at a = ({first.a1:g}, {first.a2:g}): R = {first.z:.4g}"
    made = table(unit, "rule", "root", "status", "R1", "R2", "bias", "zeroth", "remainder", "|derived − explicit|")
    for r in rows.itertuples():
        numbers = (f"{x:.4f}" for x in (r.first1, r.first2, r.bias_share, r.zeroth, r.remainder))
        made.add_row(r.rule, f"({r.root1:.3f}, {r.root2:.3f})", r.status, *numbers, f"{r.difference:.1e}")
    console.print(made)
    for (model, plan), layers in tables["flow_layers"].groupby(["model", "plan"], sort=False):
        parts = ("relevance", "first", "bias", "zeroth", "remainder")
        made = table(f"{model}, {plan}: relevance of class {layers.target.iloc[0]} as shares of the output", "layer", *parts)
        for layer in layers.iloc[::-1].itertuples():
            made.add_row(str(layer.layer), *(f"{getattr(layer, part):.4f}" for part in parts))
        console.print(made)


def show_summaries(summaries: Mapping[str, Summary]) -> Callable[[Tables, Console], None]:
    """What shows the means of tables, a table for each scene; curves are left to the figures."""

    def show(tables: Tables, console: Console) -> None:
        for name, summary in summaries.items():
            if summary.along is None:
                rows = tables.get(name, tables["rows"])
                for made in scenes(rows, summary.of(rows)):
                    console.print(made)
        console.print("\nMeans over samples; bold: the best.", style="dim")

    return show


def scenes(rows: pd.DataFrame, summary: Summary) -> list[Table]:
    """Means of the measures: a table for each scene, a line for each of what is compared."""
    means = averaged(rows, summary).xs("mean", axis=1, level=1)
    forms = {name: form(means[name]) for name in means}
    marked = pd.DataFrame({name: best(means[name], measure, summary.within) for name, measure in summary.measures.items()})
    made = []
    within = list(summary.within)
    for scene, part in means.groupby(within, sort=False) if within else [((), means)]:
        title = ", ".join(f"{column} {value}" for column, value in zip(summary.within, scene, strict=True))
        labels = (measure.label.replace(" ", "\n") for measure in summary.measures.values())
        made.append(table(title, *summary.compared, *labels, left=len(summary.compared)))
        for line, values in part.iterrows():
            names = (str(name) for name in (line if isinstance(line, tuple) else (line,))[len(summary.within) :])
            cells = (
                Text("" if pd.isna(value) else f"{value:{forms[name]}}", "bold" if marked.loc[line, name] else "")
                for name, value in values.items()
            )
            made[-1].add_row(*names, *cells)
    return made


def show_overhead(tables: Tables, console: Console) -> None:
    """Launcher by launcher: seconds a job, beyond its bare computation, and how much faster than one process."""
    rows = tables["rows"].assign(each=lambda rows: rows.seconds / rows.jobs, cpu=lambda rows: rows.cpu / rows.jobs)
    one = rows[rows.launcher == "basic"].each.max()
    columns = ("launcher", "jobs", "processes", "s", "s/job", "CPU/job", "overhead", "speed-up")
    made = table("A sweep beside its bare computation", *columns)
    for r in rows.itertuples():
        beside = ("", "") if r.launcher == "bare" else (f"{r.overhead:.3f}", f"{one / r.each:.2f}")
        counts = (str(r.jobs), str(r.processes))
        made.add_row(r.launcher, *counts, f"{r.seconds:.1f}", f"{r.each:.3f}", f"{r.cpu:.3f}", *beside)
    console.print(made)
    console.print("\n" + OVERHEAD_LEGEND, style="dim")
    say_whether_busy(rows.iloc[0], console)


CASTLE_LEGEND = """\
of f(x): what reaches the pixels, stays with biases, in zeroth terms and remainders. |Σ|: Σ|relevance| / |f(x)|.
valid: share of sampled units whose root is one, mean over layers. apart: Σ|R − R_winner| / Σ|R_winner|, average pooling.
|d − e|: the largest difference of derived and explicit, relative to the largest relevance."""


def show_castle(tables: Tables, console: Console) -> None:
    """One line for each panel."""
    rows = tables["rows"]
    first = rows.iloc[0]
    made = table(
        f"{first.model} on {first.image}: '{first.class_name}', p = {first.probability:.4f} (top-1: '{first.predicted}', "
        f"p = {first.probability_predicted:.4f})",
        *("panel", "reaches", "bias", "zeroth", "remainder", "|Σ|", "valid", "apart", "|d − e|", ""),
    )
    for row in rows.itertuples():
        made.add_row(
            row.key,
            *(f"{value:.3g}" for value in (row.reaches_pixels, row.bias, row.zeroth, row.remainder, row.absolute)),
            share(row.valid),
            "" if pd.isna(row.apart_from_winner) else f"{row.apart_from_winner:.2f}",
            f"{row.max_rel:.0e}",
            Text("agree", "green") if row.agree else Text("DIFFER", "bold red"),
        )
    console.print(made)
    console.print("\n" + CASTLE_LEGEND, style="dim")
