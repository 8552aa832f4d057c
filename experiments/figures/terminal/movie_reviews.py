"""What the movie reviews say in the terminal; reads rows only."""

from itertools import islice

import pandas as pd
from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from dtd.plot.words import for_terminal, strongest
from experiments.figures.movie_reviews import SIDES, TOP, counted, drawn, said
from experiments.figures.names import plain
from experiments.figures.summary import Tables
from experiments.figures.terminal.table import share, table

LEGEND = """\
differs: the largest |derived − explicit| relative to the text's largest |relevance|; of limit: as a share of what
rounding allows. valid: share of valid roots in the layer that reads the words. Σ: relevance of all words / log-odds
of the predicted class (median). spread: standard deviation of relevance over words / mean |relevance|; 0 tells no
word from another. against: share of relevance that speaks against the prediction. area: mean probability of the
predicted class while words are deleted, the most relevant first; lower is better. gain: how far that is below a
random order. ± is one standard error over texts."""
COLOURS = "Red speaks for positive, blue for negative; unknown words are underlined; words.html has all drawn texts."
NO_WORDS = "No text holds a word: the prediction is that of the biases alone, and there is no word to give relevance to."


def show_movie_reviews(tables: Tables, console: Console) -> None:
    """Accuracy; the first drawn text under every method; what every method is worth."""
    console.print(accuracy(tables["accuracy"]))
    if not len(tables["rows"]):
        console.print("\n" + NO_WORDS + " Predicted: " + said(tables["texts"].iloc[0]))
        return
    for text, methods in islice(drawn(tables), 1):
        console.print(f"\n[bold]Text {text.text}[/]: {said(text)}\n{COLOURS}")
        for method, words in methods:
            console.print(f"\n[bold]{plain(method)}[/]")
            console.print(Padding(Text.from_ansi(for_terminal(words)), (0, 2)))
            for side, sign in SIDES.items():
                listed = ", ".join(f"{word} {value:+.2g}" for word, value in strongest(words, TOP, sign))
                console.print(Padding(f"for {side}: {listed or 'no word'}", (0, 2)), style="dim", markup=False)
    console.print(methods_table(tables["rows"]))
    console.print("\n" + LEGEND, style="dim")


def accuracy(rows: pd.DataFrame):
    """Classifiers × parts."""
    made = table("Share of texts classified correctly", "classifier", "training", "test", "test texts")
    for name, part in rows.groupby("classifier", sort=False):
        by_part = part.set_index("part")
        test = by_part.loc["test"]
        tested = f"{100 * test.accuracy:.1f} ± {100 * test.se:.1f} %"
        made.add_row(name, f"{100 * by_part.accuracy['train']:.1f} %", tested, f"{test.texts:,.0f}")
    return made


def methods_table(rows: pd.DataFrame):
    """One line for each method."""
    columns = ("plan", "differs", "of limit", "valid", "Σ", "spread", "against", "area", "gain")
    made = table(f"Plans, on {counted(rows.texts.iloc[0], 'text')}", *columns)
    for row in rows.itertuples():
        derived = ("", "", "")
        if row.compared:
            derived = f"{row.max_rel:.1e}", share(row.of_allowed), share(row.valid)
        shape = ["" if pd.isna(x) else f"{x:.2f}" for x in (row.conserved, row.spread, row.against)]
        deletion = [spread(row.area, row.area_se), spread(row.gain, row.gain_se)]
        made.add_row(plain(row.plan), *derived, *shape, *deletion)
    return made


def spread(mean: float, error: float) -> str:
    """A mean with its standard error, where there is one."""
    return f"{mean:.3f}" if pd.isna(error) else f"{mean:.3f} ± {error:.3f}"
