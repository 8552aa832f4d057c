"""The function view as one self-contained page: drag the data point and the line z = 0, and see every root move.

The page evaluates the formulas of :mod:`experiments.questions.function_view.formulas`; it holds no rule of its own.
"""

import json

import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined

from experiments.figures.names import plain
from experiments.figures.order import rule_looks

ARGUMENTS = "(a1, a2, w1, w2, b)"


def page(rows: pd.DataFrame, formulas: pd.DataFrame) -> str:
    """HTML without any reference to another file."""
    unit = rows.iloc[0]
    start = {name: float(unit[name]) for name in ("a1", "a2", "w1", "w2", "b")}
    domain = {side: float(unit[side]) if abs(unit[side]) != float("inf") else None for side in ("low", "high")}
    looks = rule_looks(rows.rule)
    rules = [{"key": rule, "name": plain(rule), "colour": looks[rule][0]} for rule in rows.rule]
    template = Environment(loader=PackageLoader("experiments.figures"), undefined=StrictUndefined, autoescape=True)
    return template.get_template("function_view.html").render(
        start=json.dumps(start), domain=json.dumps(domain), rules=json.dumps(rules), functions=functions(formulas)
    )


def functions(formulas: pd.DataFrame) -> str:
    """The formulas as one JavaScript object: rule → quantity → function of the unit."""
    parts = []
    for rule, own in formulas.groupby("rule", sort=False):
        entries = ",\n".join(f"    {r.quantity}: {ARGUMENTS} => {r.formula}" for r in own.itertuples())
        parts.append(f"  {json.dumps(rule)}: {{\n{entries}\n  }}")
    return "{\n" + ",\n".join(parts) + "\n}"
