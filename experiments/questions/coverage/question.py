"""Which of today's architectures are traced, and is what is explained of them right?

Each architecture and library works in a process of its own, so that none stops the rest. Models have random weights.
"""

from collections.abc import Iterator

import pandas as pd

from experiments.configs.base import require
from experiments.configs.questions.cost import CoverageConfig
from experiments.configs.run import Config
from experiments.figures.coverage import page
from experiments.figures.summary import Measure, Summary, Tables
from experiments.figures.terminal.coverage import show_coverage
from experiments.machine.console import console, progress
from experiments.questions.base import Question
from experiments.questions.coverage.apart import Lost, apart
from experiments.questions.coverage.architectures import architectures, missing, modules
from experiments.questions.coverage.architectures.base import Architecture
from experiments.questions.coverage.measuring import Row, measure
from experiments.questions.coverage.peers import PEERS, measure_peer, peers

FORWARD, GAP, GRADIENT = 1e-5, 1e-8, 1e-6  # relative; the models of some libraries compute parts in float32
PEERS_MODULE = "experiments.questions.coverage.peers"
SUMMARIES = {
    "rows": Summary(
        within=("family",),
        compared=("library",),
        measures={"explained": Measure("share explained", "high"), "right": Measure("share explained and right", "high")},
    )
}


def check(config: Config) -> None:
    """Raises :class:`ConfigError` where the question does not fit; says which libraries are missing."""
    asked = config.asked(CoverageConfig)
    require(asked.seconds > 0, "question.seconds", "above 0", asked.seconds)
    families = sorted({each.family for each in architectures()})
    for family in asked.families:
        require(family in families, "question.families", f"among {', '.join(families)}", family)
    for peer in asked.peers:
        require(peer in PEERS, "question.peers", f"among {', '.join(PEERS)}", peer)
    absent = [*missing(), *(peer for peer in asked.peers if peer not in peers(asked.peers))]
    if absent:
        console.print(
            f"Not installed, and left out: {', '.join(absent)}. To have them: pip install '.[peers,transformers]'."
        )


def wanted(asked: CoverageConfig) -> list[Architecture]:
    """The architectures of the families that are asked for (none named: all), at most ``first`` of each."""
    found: dict[str, list[Architecture]] = {}
    for each in architectures():
        if not asked.families or each.family in asked.families:
            found.setdefault(each.family, []).append(each)
    return [each for family in found.values() for each in family[: asked.first or None]]


def tables(config: Config) -> Iterator[tuple[str, pd.DataFrame]]:
    """``rows``: one for each architecture and library."""
    asked = config.asked(CoverageConfig)
    rows = []
    for each in progress(wanted(asked), "tracing and explaining"):
        own = row(asked, each, "dtd", measure, each.name)
        rows.append(own)
        linear = bool(own.get("piecewise_linear", False))
        rows += [row(asked, each, peer, measure_peer, each.name, peer, linear) for peer in peers(asked.peers)]
    yield "rows", judged(pd.DataFrame(rows))


def row(asked: CoverageConfig, each: Architecture, library: str, work, *arguments) -> Row:
    """What one library finds; a process that is lost is a row too."""
    try:
        return apart(work, *arguments, limit=asked.seconds, preload=[*modules(), PEERS_MODULE])
    except Lost as lost:
        return {"name": each.name, "family": each.family, "library": library, "status": "lost", "reason": lost.why}


def judged(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows with what counts as explained, and as right: forward pass, balances and gradient × input as they must be."""
    columns = {name: pd.NA for name in ("forward", "gap", "gradient", "growth", "reached", "finite", "reason")}
    rows = rows.assign(**{name: value for name, value in columns.items() if name not in rows})
    explained = (rows.status == "explained") & rows.finite.fillna(False).astype(bool)
    right = explained.copy()
    for name, limit in {"forward": FORWARD, "gap": GAP, "gradient": GRADIENT}.items():
        values = pd.to_numeric(rows[name])
        due = (rows.library == "dtd") & (name != "gradient")  # what dtd always has; a missing number is then wrong
        right &= (values <= limit) | (values.isna() & ~due)
    return rows.assign(explained=explained, right=right)


def problems(tables: Tables) -> list[str]:
    """What ``dtd`` explained wrongly; what it refuses is an answer and no problem."""
    rows = tables["rows"]
    wrong = rows[(rows.library == "dtd") & (rows.status == "explained") & ~rows.right]
    broken = rows[rows.status == "broken"]
    return [
        *(f"{r.name}: forward {r.forward:.2g}, balance {r.gap:.2g}, LRP-0 {r.gradient:.2g}" for r in wrong.itertuples()),
        *(f"{r.name} is not as its library has it: {r.reason}" for r in broken.itertuples()),
    ]


MEASURES = {
    "explained": lambda tables: float(tables["rows"].query("library == 'dtd'").explained.mean()),
    "right": lambda tables: float(tables["rows"].query("library == 'dtd'").right.mean()),
}
QUESTION = Question(check, tables, show_coverage, page, problems, measures=MEASURES, summaries=SUMMARIES)
