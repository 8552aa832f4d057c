"""One run: check, compute, write, then report what was written."""

from pathlib import Path

import torch
from omegaconf import DictConfig, OmegaConf

from experiments import plans
from experiments.configs import Config, ConfigError, typed
from experiments.console import console
from experiments.figures.style import styled
from experiments.questions import question
from experiments.questions.base import Question
from experiments.results import read_table, save_figure, save_table, save_text, save_versions

DONE, WRONG, REFUSED = 0, 1, 2


def run(config: DictConfig, out: Path) -> int:
    """Ask the config's question and leave tables, figures, config and versions in ``out``; returns the exit status.

    0: done. 1: done, and the answer has problems, which are named. 2: refused, since the config does not fit.
    """
    try:
        made = typed(config)
        plans.check(made)
        asked = question(made.question)
        asked.check(made)
        if made.threads is not None:
            torch.set_num_threads(made.threads)
        save_text(out / "config.yaml", OmegaConf.to_yaml(config, resolve=True))
        save_versions(out / "versions.json")
        problems = answer(asked, made, out)
    except ConfigError as error:
        console.print(f"[bold red]Refused:[/] {error}", soft_wrap=True)
        return REFUSED
    for problem in problems:
        console.print(f"[bold red]Problem:[/] {problem}", soft_wrap=True)
    console.print(f"Results: {out}", soft_wrap=True)
    return WRONG if problems else DONE


def answer(asked: Question, config: Config, out: Path) -> list[str]:
    """Write every table as soon as it is there, then report from what was written; returns the problems."""
    names = []
    for name, table in asked.tables(config):
        save_table(out / f"{name}.csv", table)
        names.append(name)
    tables = {name: read_table(out / f"{name}.csv") for name in names}
    asked.show(tables, console)
    with styled():
        for name, figure in asked.figures(tables).items():
            save_figure(out / name, figure)
    return asked.problems(tables)
