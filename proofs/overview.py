"""The DTD column of the LRP overview paper (Montavon 2019, Table 10.1), with what it means exactly.

The paper marks the rules that can be justified by deep Taylor decomposition. Here each mark is spelled out: the condition
under which the root lies in the domain, and exact examples, found by running the shipped root strategies.
"""

from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from itertools import product
from typing import Any

import numpy as np
from rich import box
from rich.markup import escape
from rich.table import Table

from dtd.domain import Box, Domain, NonNegative, Real
from dtd.plans.rules import catalogue
from dtd.root import mixed
from proofs.layers import Setting
from proofs.notation import plain, show, tex_text
from proofs.roots.equivalence import contained
from proofs.roots.points import unit

NUMBERS = tuple(map(Fraction, (1, 2, 0)))
WEIGHTS = tuple(tuple(map(Fraction, pair)) for pair in ((2, -1), (1, -2), (1, 1), (2, 1), (-1, 2)))
BIASES = tuple(map(Fraction, (-1, 1, 0, 2)))


WHERE = {NonNegative: "`a ≥ 0`", Real: "`ℝ^d`", Box: "box"}  # how the catalogue's domains are written


@dataclass(frozen=True)
class Row:
    """One rule: the paper's mark, and the parameters of the examples; the rest is the catalogue's."""

    rule: str
    mark: str
    parameters: tuple[tuple[str, int], ...] = ()

    @property
    def domain(self) -> type[Domain]:
        """Where the rule's root has to be."""
        return catalogue[self.rule].condition.domain

    @property
    def cells(self) -> tuple[str, ...]:
        """The row in print (formulas in backticks)."""
        rule = catalogue[self.rule]
        examples = (example(self, inside) for inside in (True, False))
        return (rule.alias, self.mark, WHERE[self.domain], rule.condition.text, *examples)


ROWS = (
    Row("lrp0", "yes"),
    Row("epsilon", "yes", (("epsilon", 1),)),
    Row("gamma", "yes", (("gamma", 1),)),
    Row("zplus", "yes"),
    Row("alphabeta", "no", (("alpha", 2), ("beta", 1))),
    Row("flat", "no"),
    Row("wsquare", "yes"),
    Row("zbox", "yes"),
)


def setting(row: Row, a: tuple, w: tuple, b: Fraction) -> Setting:
    """A unit with two inputs; the box of z^B is [0, 2]."""
    parameters: dict[str, Any] = {name: Fraction(value) for name, value in row.parameters}
    if row.rule == "zbox":
        parameters = {"low": np.array([[Fraction(0)] * 2]), "high": np.array([[Fraction(2)] * 2])}
    return unit(list(a), list(w), b, parameters, NonNegative() if row.domain is NonNegative else Real())


def inside(row: Row, at: Setting) -> tuple[bool, bool, np.ndarray]:
    """Whether the shipped root exists and vanishes, whether it lies in the domain, and the point itself."""
    root = mixed(catalogue[row.rule].derived(bias="fixed", **at.parameters).roots(at.units, at.domain))
    points = root.points(at.units)
    vanishes = bool((root.residual(at.units)[0] == 0).all() and root.exists.all())
    return vanishes, row.domain is Real or bool(contained(at, points)), points


@cache
def example(row: Row, wanted: bool) -> str:
    """The first active unit of a small grid whose root is in the domain, or exists outside it; "none" if there is none."""
    for w, a, b in product(WEIGHTS, product(NUMBERS, repeat=2), BIASES):
        at = setting(row, a, w, b)
        if at.z.item() <= 0:
            continue
        vanishes, held, points = inside(row, at)
        if vanishes and held == wanted:
            return f"`a = {numbers(a)}`, `w = {numbers(w)}`, `b = {b}`: `ã = {numbers(points.flat)}`"
    return "none"


def numbers(values) -> str:
    """Numbers in brackets."""
    return f"({', '.join(map(show, values))})"


def overview_table() -> Table:
    """The column as a table for the terminal."""
    table = Table(box=box.SIMPLE_HEAD, title="Where the root of each rule lies (bias fixed)")
    for title in ("rule", "overview", "domain", "root inside iff (z > 0)", "an example inside", "an example outside"):
        table.add_column(title, overflow="fold")
    for row in ROWS:
        table.add_row(*(escape(plain(cell)) for cell in row.cells))
    return table


def overview_tex() -> str:
    """The column as a LaTeX table."""
    lines = [
        r"\noindent The DTD column of Montavon 2019, Table 10.1, spelled out for an active unit with fixed bias: the",
        r"exact condition for the root of each rule to lie in its domain, with an example on either side ($\gamma = 1$,",
        r"$\alpha = 2$, $\beta = 1$, $\varepsilon = 1$, box $[0, 2]^2$), found by running the shipped root strategies.",
        r"\begin{center}\footnotesize",
        r"\begin{tabular}{@{}lll>{\raggedright}p{3.6cm}>{\raggedright}p{3.7cm}>{\raggedright\arraybackslash}p{3.7cm}@{}}",
        r"\toprule rule & paper & domain & root inside iff & inside & outside \\ \midrule",
    ]
    for row in ROWS:
        lines.append(" & ".join(map(tex_text, row.cells)) + r" \\[2pt]")
    return "\n".join([*lines, r"\bottomrule\end{tabular}\end{center}"])
