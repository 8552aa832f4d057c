"""What the question ``function_view`` says in the terminal."""

from rich.console import Console

from experiments.figures.summary import Tables
from experiments.figures.terminal.table import table


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
