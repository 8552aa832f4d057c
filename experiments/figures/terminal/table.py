"""The look of every table in the terminal."""

from rich import box
from rich.table import Table


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
