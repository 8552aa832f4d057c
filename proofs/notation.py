"""How derivations are written: formulas in one line of text, and in LaTeX.

Prose marks its formulas with backticks, and names of left sides are formulas: Unicode letters, ``_j`` for indices,
``1[x > 0]`` for indicators.
"""

import re
from typing import Any

import numpy as np
import sympy
from sympy.printing.latex import LatexPrinter
from sympy.printing.pretty.pretty_symbology import pretty_symbol
from sympy.printing.str import StrPrinter

from proofs.units import J, K


class Line(StrPrinter):
    """A formula in one line: ``Σ_i(…)``, ``w_j⁺``, ``a·b``."""

    printmethod = "_line"

    def _print_Indicator(self, e):  # noqa: N802 - sympy's names
        return f"1[{e.condition(self._print)}]"

    def _part(self, e, mark: str) -> str:
        text = self._print(e.args[0])
        return f"{text if e.args[0].is_Atom or e.args[0].is_Indexed else f'({text})'}{mark}"

    def _print_PositivePart(self, e):  # noqa: N802
        return self._part(e, "⁺")

    def _print_NegativePart(self, e):  # noqa: N802
        return self._part(e, "⁻")

    def _print_Sign(self, e):  # noqa: N802
        return f"sign({self._print(e.args[0])})"

    def _print_Nonzero(self, e):  # noqa: N802
        return f"1[{self._print(e.args[0])} ≠ 0]"

    def _print_Reciprocal(self, e):  # noqa: N802
        return f"(1/({self._print(e.args[0])}))"

    def _print_Indexed(self, e):  # noqa: N802
        index = ",".join(map(self._print, e.indices))
        return f"{pretty_symbol(str(e.base))}_{index if len(index) < 4 else f'{{{index}}}'}"

    def _print_Symbol(self, e):  # noqa: N802
        return pretty_symbol(e.name)

    def _print_Sum(self, e):  # noqa: N802
        index, low, high = e.limits[0]
        bounds = "" if high in (J, K) else f"={self._print(low)}..{self._print(high)}"
        return f"Σ_{index}{bounds}({self._print(e.function)})"


class Tex(LatexPrinter):
    """LaTeX with ``w_j`` for an indexed symbol, and sums without bounds where they run over all inputs or units."""

    def _print_Indexed(self, e):  # noqa: N802
        base = self._print(e.base.label)
        base = f"{{{base}}}" if "_" in base else base  # LaTeX refuses a second subscript
        return f"{base}_{{{','.join(map(self._print, e.indices))}}}"

    def _print_Sum(self, e):  # noqa: N802
        index, _, high = e.limits[0]
        if high not in (J, K):
            return super()._print_Sum(e)
        body = self._print(e.function)
        return rf"\sum_{{{index}}} " + (rf"\left({body}\right)" if e.function.is_Add else body)


def line(e) -> str:
    """A formula as text."""
    return Line().doprint(sympy.sympify(e)).replace("**2", "²").replace("**", "^").replace("*", "·")


def tex(e) -> str:
    """A formula in LaTeX."""
    return Tex({"fold_short_frac": False}).doprint(sympy.sympify(e))


LETTERS = {
    "α": "alpha", "β": "beta", "γ": "gamma", "δ": "delta", "ε": "varepsilon", "λ": "lambda", "μ": "mu", "σ": "sigma",
    "τ": "tau", "∂": "partial", "∇": "nabla",
    "ã": "tilde{a}", "x̃": "tilde{x}", "R̂": "hat{R}", "Σ": "sum", "∞": "infty", "√": "surd",
    "≤": "le", "≥": "ge", "≠": "ne", "→": "to", "←": "leftarrow", "·": "cdot", "±": "pm", "×": "times",
    "⊙": "odot", "…": "dots",
}  # fmt: skip
WORD = re.compile(r"(?<![\\{\w])((?:zeroth|remainder|margins?|corner|root|moving|mirrored|at)(?: at)? ?)(?![A-Za-z])")
INDEX = re.compile(r"_([A-Za-z0-9]+(?:←[A-Za-z0-9]+)?)")
BLACKBOARD = {
    "ℝ": r"\mathbb{R}",
    "z^B": r"z^{\mathcal{B}}",
    "⁺": "^{+}",
    "⁻": "^{-}",
    "₊": "_{+}",
    "₋": "_{-}",
    "‖": r"\|",
    "²": "^{2}",
    "⁴": "^{4}",
    "ᵀ": r"^{\top}",
    "½": r"\tfrac12 ",
    "₁": "_{1}",
    "₂": "_{2}",
    "′": "'",
    "1[": r"\mathbf{1}[",
}


def tex_formula(text: str) -> str:
    """A formula of the prose in LaTeX."""
    text = WORD.sub(r"\\text{\1}", text)
    text = re.sub(r"\b(max|lim)(?![a-z])", r"\\\1", text)
    text = re.sub(r"\bsign ?(?![a-z])", r"\\operatorname{sign} ", text)
    text = re.sub(r"Σ(?=[⁺⁻])", r"\\Sigma", text)
    text = INDEX.sub(lambda m: "_{" + re.sub(r"[a-z]{3,}", r"\\text{\g<0>}", m.group(1)) + "}", text)
    for sign, command in BLACKBOARD.items():
        text = text.replace(sign, command)
    for letter, command in LETTERS.items():
        text = text.replace(letter, f"\\{command} ")
    return re.sub(r"(?<=[\w}\])]) (?=[A-Za-z0-9(])", r"\\,", text)


def tex_text(text: str) -> str:
    """Prose in LaTeX."""
    parts = text.split("`")
    plain = [re.sub(r"([&%#_])", r"\\\1", part) for part in parts[::2]]
    plain = [re.sub("[αβγδεσ²<>]|<=|>=", lambda m: f"${tex_formula(m.group(0))}$", part) for part in plain]
    formulas = [f"${tex_formula(part)}$" for part in parts[1::2]]
    return "".join(x for pair in zip(plain, [*formulas, ""], strict=True) for x in pair)


def plain(text: str) -> str:
    """Prose for the terminal."""
    return text.replace("`", "")


def show(values: Any) -> str:
    """Exact numbers, briefly."""
    if isinstance(values, np.ndarray):
        return "(" + ", ".join(show(v) for v in values) + ")" if values.shape != (1,) else show(values[0])
    return str(values)


def showing(parameters: dict[str, Any]) -> str:
    """Parameters, briefly."""
    return " ".join(f"{name}={show(value)}" for name, value in parameters.items())
