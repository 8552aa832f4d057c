"""One run: check, compute, write, then report what was written."""

from pathlib import Path

import torch
from omegaconf import DictConfig, OmegaConf

from experiments.configs import ConfigError, typed
from experiments.console import console
from experiments.questions import question
from experiments.results import read_table, save_figure, save_table, save_text, save_versions

OK, WRONG, REFUSED = 0, 1, 2


def run(config: DictConfig, out: Path) -> int:
    """Ask the config's question and leave tables, figures, config and versions in ``out``; returns the exit status.

    0: done; 1: done, and the answer has problems, which are named; 2: refused before any work.
    """
    try:
        made = typed(config)
        asked = question(made.question.name)
        asked.check(made)
    except ConfigError as error:
        console.print(f"[bold red]Refused:[/] {error}")
        return REFUSED
    if made.threads is not None:
        torch.set_num_threads(made.threads)
    save_text(out / "config.yaml", OmegaConf.to_yaml(config, resolve=True))
    save_versions(out / "versions.json")
    for name, table in asked.tables(made):
        save_table(out / f"{name}.csv", table)
    tables = {path.stem: read_table(path) for path in out.glob("*.csv")}
    asked.show(tables, console)
    for name, figure in asked.figures(tables).items():
        save_figure(out / name, figure)
    problems = asked.problems(tables)
    for problem in problems:
        console.print(f"[bold red]Problem:[/] {problem}", soft_wrap=True)
    console.print(f"Results: {out}", soft_wrap=True)
    return WRONG if problems else OK
