"""Run directories as jobs leave them, with rows that are written down here."""

import json
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from omegaconf import OmegaConf

from experiments.runs.record import Outcome, Record, write_record

PLANS, SAMPLES = ("gamma", "zplus", "random"), 2


def faithful(seed: int, gamma: float) -> dict[str, pd.DataFrame]:
    """Tables of question faithfulness with means that one can add up by hand."""
    rows, curves = [], []
    for i, plan in enumerate(PLANS):
        for sample in range(SAMPLES):
            kept = None if plan == "random" else 1.0 + 0.1 * i
            morf = 0.5 + 0.1 * i + 0.02 * seed + 0.01 * sample + (0.001 * gamma if plan == "gamma" else 0)
            areas = {"aopc_morf": morf, "aopc_lerf": 0.1, "difference": morf - 0.1}
            rows.append({"model": "mlp", "value": 0.0, "plan": plan, "sample": sample, **areas, "conservation": kept})
        for step in range(3):
            drop = {"gone": step / 2, "drop": 0.4 * step + 0.1 * seed}
            curves += [{"model": "mlp", "value": 0.0, "plan": plan, "order": o, **drop} for o in ("most", "least")]
    return {"rows": pd.DataFrame(rows), "curves": pd.DataFrame(curves)}


@pytest.fixture
def made() -> Callable[..., Path]:
    """Write a run directory."""

    def make(path: Path, seed=0, gamma=0.25, outcome=Outcome.done, question="faithfulness", tables=None) -> Path:
        path.mkdir(parents=True)
        config = {"seed": seed, "data": {"seed": seed}, "plan": {"parameters": {"gamma": gamma}}, "threads": 1 + seed}
        (path / "config.yaml").write_text(OmegaConf.to_yaml(config))
        git = {"commit": "0123456789abcdef", "dirty": False}
        (path / "provenance.json").write_text(json.dumps({"question": question, "seed": seed, "git": git}))
        for name, table in (faithful(seed, gamma) if tables is None else tables).items():
            table.to_csv(path / f"{name}.csv", index=False)
        if outcome is not None:
            messages = () if outcome is Outcome.done else ("no such rule",)
            write_record(path, Record(f"{question}-{seed}-{gamma}", outcome, messages, seconds=1.5))
        return path

    return make
