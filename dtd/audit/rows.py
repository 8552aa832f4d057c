"""The table of an audit: rows of pandas that a notebook shows in short, shares on a scale of colours."""

import pandas as pd

from dtd.callers.drawing import html_table

WORDS = ("layer", "kind", "model", "root", "domain")
SHARES = ("valid", "inactive", "no_root", "not_zero", "domain_left", "region_left", "rootless")
COLOUR = "0, 114, 178"  # of a share of 1; one of 0 has no colour


class AuditRows(pd.DataFrame):
    """What :func:`dtd.audit` returns: a table of pandas in every respect, drawn by ``dtd.plot.audited(rows)``.

    >>> import dtd, torch
    >>> net = dtd.trace(torch.nn.Linear(2, 1), torch.ones(1, 2))
    >>> rows = dtd.audit(net, torch.ones(1, 2), 0, dtd.Plan.uniform("wsquare"))
    >>> type(rows).__name__, type(rows[["layer", "valid"]]).__name__
    ('AuditRows', 'AuditRows')
    """

    @property
    def _constructor(self) -> "type[AuditRows]":
        return AuditRows

    def _repr_html_(self) -> str:
        names = [str(name) for name in self.columns]
        rows, styles = [names], []
        for _, row in self.iterrows():
            rows.append([in_few(name, row[name]) for name in self.columns])
            styles.append([heat(name, row[name]) for name in self.columns])
        return html_table(f"audit of {len(self)} layers", rows, styles)


def in_few(name: str, value: object) -> str:
    """A value in a few characters."""
    if pd.isna(value):
        return "–"
    if name in SHARES:
        return f"{100 * float(value):.0f} %"  # type: ignore[arg-type]
    return str(value) if name in WORDS or name == "units" else f"{value:.3g}"


def heat(name: str, value: object) -> str:
    """The background of a share."""
    return "" if name not in SHARES or pd.isna(value) else f"background:rgba({COLOUR}, {float(value):.2f})"  # type: ignore[arg-type]
