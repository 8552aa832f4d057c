"""What the questions about language models say in the terminal; reads rows only."""

from collections.abc import Callable, Mapping
from itertools import islice
from typing import Any

import pandas as pd
from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from dtd.plot.words import for_terminal, strongest
from experiments.figures.language import TOKEN_SIDES, said_of_token
from experiments.figures.movie_reviews import SIDES, TOP, counted, drawn, said
from experiments.figures.names import plain
from experiments.figures.summary import Tables
from experiments.figures.terminal.movie_reviews import accuracy, spread
from experiments.figures.terminal.table import table

LEGEND = """\
differs: the largest |derived − explicit| in double precision, single: the largest error of single precision, rounded:
that of weights rounded to bfloat16, computed with in single precision; all relative to the text's largest |relevance|.
gap: what balances leave of what is explained. Σ: relevance of all tokens / log-odds of the predicted class, special: that
of the tokens that the tokenizer adds (medians). against: share of words' relevance that speaks against the prediction.
area: mean probability of the predicted class while words are deleted, the most relevant first; lower is better. gain: how
far that is below a random order. ± is one standard error over texts."""
TOKEN_LEGEND = """\
Σ: relevance of all tokens / what is explained; first: that of the first token, likewise; size: Σ|relevance of a token| /
what is explained; gradient: correlation with gradient × input over the tokens. gap: what balances leave of it."""
BLOCKS_LEGEND = "Shares of what is explained that bias neurons, zeroth and remainder terms keep back; − means that they add."


def show_sentiment(tables: Tables, console: Console) -> None:
    """Accuracy; the first drawn text under every method; what every method is worth; what blocks keep back."""
    console.print(accuracy(tables["accuracy"]))
    show_texts(tables, console, said, SIDES)
    columns = ("plan", "differs", "single", "rounded", "gap", "Σ", "special", "spread", "against", "area", "gain")
    made = table(f"Plans, on {counted(tables['rows'].texts.iloc[0], 'text')}", *columns)
    for row in tables["rows"].itertuples():
        checks = [f"{x:.1e}" for x in (row.differs, row.single, row.rounded, row.gap)] if row.compared else [""] * 4
        shape = ["" if pd.isna(x) else f"{x:.2f}" for x in (row.conserved, row.special, row.spread, row.against)]
        made.add_row(plain(row.plan), *checks, *shape, spread(row.area, row.area_se), spread(row.gain, row.gain_se))
    console.print(made)
    show_blocks(tables["blocks"], console)
    console.print("\n" + LEGEND, style="dim")


def show_next_token(tables: Tables, console: Console) -> None:
    """The most probable tokens; the prompt under every method; what every method says; what blocks keep back."""
    made = table("Next tokens", "token", "probability", "logit")
    for row in tables["candidates"].itertuples():
        made.add_row(repr(row.token), f"{row.probability:.4f}", f"{row.logit:.2f}")
    console.print(made)
    show_texts(tables, console, said_of_token, TOKEN_SIDES, cased=True)
    made = table("Plans", "plan", "token", "Σ", "first", "size", "gradient", "gap", left=2)
    for row in tables["rows"].itertuples():
        shape = ["" if pd.isna(x) else f"{x:.2f}" for x in (row.conserved, row.first, row.size, row.gradient)]
        made.add_row(plain(row.plan), row.answer.strip(), *shape, "" if pd.isna(row.gap) else f"{row.gap:.1e}")
    console.print(made)
    show_blocks(tables["blocks"], console)
    console.print("\n" + TOKEN_LEGEND, style="dim")


def show_texts(
    tables: Tables, console: Console, describe: Callable[[Any], str], sides: Mapping[str, int], cased: bool = False
) -> None:
    """The first drawn text under every method, and its strongest words; ``cased``: upper and lower case are different."""
    high, low = (next(side for side, own in sides.items() if own == sign) for sign in (1, -1))
    for text, methods in islice(drawn(tables), 1):
        console.print(f"\n[bold]Text {text.text}[/]: ", end="")
        console.print(describe(text), markup=False)
        console.print(f"Red speaks for {high}, blue for {low}.")
        for method, words in methods:
            console.print(f"\n[bold]{plain(method)}[/]")
            console.print(Padding(Text.from_ansi(for_terminal(words)), (0, 2)))
            for side, sign in sides.items():
                listed = ", ".join(f"{word.strip()} {value:+.2g}" for word, value in strongest(words, TOP, sign, cased))
                console.print(Padding(f"for {side}: {listed or 'no word'}", (0, 2)), style="dim", markup=False)


def show_blocks(rows: pd.DataFrame, console: Console) -> None:
    """What is kept back under each plan, by block and by part; ``blocks.csv`` has both at once."""
    for along in ("block", "part"):
        kept = rows.pivot_table(index=along, columns="plan", values="kept", aggfunc="sum", sort=False)
        made = table(f"Kept back by {along}", along, *map(plain, kept.columns))
        for name, values in kept.iterrows():
            made.add_row(str(name), *map(number, values))
        made.add_row("all", *map(number, kept.sum()))
        console.print(made)
    console.print("\n" + BLOCKS_LEGEND, style="dim")


def number(value: float) -> str:
    """A share with its sign; a dot where there is nothing, or next to nothing."""
    return f"{value:+.3f}" if abs(value) >= 5e-4 else "·"
