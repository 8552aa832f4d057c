"""Real sweeps in processes of their own: killed, two at once, and under every launcher."""

import json
import os
import random
import re
import signal
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from time import sleep

import pandas as pd
import pytest

from experiments.runs.record import completed_runs
from tests.experiments.conftest import CONF

CHEAP = (
    *("model=mlp", "model.epochs=1", "model.seed=0", "data.seed=0", "question=correspondence", "question.samples=1"),
    *("question.rules=[lrp0]", "question.biases=[fixed]", "question.dtypes=[float64]"),
)


@pytest.fixture
def started(tmp_path):
    """Start ``python -m experiments -m`` with cheap jobs into one directory."""
    alone = {name: value for name, value in os.environ.items() if name != "OMP_NUM_THREADS"}
    environment = alone | {
        "PYTHONPATH": str(CONF.parent),
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
        "OMP_NUM_THREADS": "1",
    }

    def start(*arguments: str) -> subprocess.Popen:
        command = [sys.executable, "-m", "experiments", "-m", *CHEAP, f"hydra.sweep.dir={tmp_path / 'sweep'}", *arguments]
        with (tmp_path / "output").open("a") as output:
            return subprocess.Popen(
                command, cwd=CONF.parent, env=environment, stdout=output, stderr=output, start_new_session=True
            )

    return start


def counted(sweep: Path, word: str) -> list[int]:
    """How often each job of the sweep was started, or done, by its own log."""
    return [len(re.findall(rf"INFO {word}", log.read_text())) for log in sorted(sweep.glob("*/job.log"))]


def check_rows(sweep: Path, jobs: int) -> None:
    """The rows of every job are there once."""
    runs = list(completed_runs(sweep))
    assert len(runs) == jobs == len(list(sweep.rglob("rows.csv")))
    assert all(len(pd.read_csv(run / "rows.csv")) == 4 for run in runs)  # three layers and the network


def needs(plugin: str):
    return pytest.mark.skipif(find_spec(f"hydra_plugins.{plugin}") is None, reason="needs the extra sweep")


LAUNCHERS = ["basic", pytest.param("joblib", marks=needs("hydra_joblib_launcher"))]


@pytest.mark.slow
@pytest.mark.parametrize("launcher", LAUNCHERS)
def test_a_sweep_of_24_jobs_that_is_killed_twice_loses_and_repeats_nothing(started, tmp_path, launcher):
    sweep, arguments = tmp_path / "sweep", ("seed=range(24)", f"hydra/launcher={launcher}")
    draw = random.Random()
    print(seed := draw.randrange(10**6))
    draw.seed(seed)
    interrupted = 0
    for goal in sorted(draw.sample(range(1, 22), 2)):
        process = started(*arguments)
        while len(list(sweep.glob("*/outcome.json"))) < goal:
            assert process.poll() is None, (tmp_path / "output").read_text()
            sleep(0.02)
        sleep(draw.random())
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        interrupted += sum(not (log.parent / "outcome.json").exists() for log in sweep.glob("*/job.log"))
        assert all((run / "rows.csv").exists() for run in completed_runs(sweep))
    assert started(*arguments).wait() == 0, (tmp_path / "output").read_text()
    check_rows(sweep, 24)
    assert counted(sweep, "done") == [1] * 24
    assert sum(counted(sweep, "started")) <= 24 + interrupted
    assert not list(sweep.glob("*/.rows-*"))


@pytest.mark.slow
def test_two_sweeps_at_once_share_the_jobs(started, tmp_path):
    sweeps = [started("seed=range(12)"), started("seed=range(12)")]
    assert [sweep.wait() for sweep in sweeps] == [0, 0], (tmp_path / "output").read_text()
    check_rows(tmp_path / "sweep", 12)
    assert counted(tmp_path / "sweep", "started") == [1] * 12


@needs("hydra_joblib_launcher")
@pytest.mark.slow
def test_a_worker_that_is_killed_costs_nothing_but_its_job_once_more(started, tmp_path):
    process = started("seed=range(6)", "hydra/launcher=joblib", "hydra.launcher.n_jobs=2")
    sweep = tmp_path / "sweep"
    while not list(sweep.glob("*/outcome.json")):
        sleep(0.02)
    workers = subprocess.run(["pgrep", "-P", str(process.pid), "-f", "loky.backend.popen"], capture_output=True, text=True)
    os.kill(int(workers.stdout.split()[0]), signal.SIGKILL)
    assert process.wait() == 0, (tmp_path / "output").read_text()
    check_rows(sweep, 6)


@needs("hydra_joblib_launcher")
@pytest.mark.slow
def test_joblib_gives_the_same_rows_to_the_bit_and_shares_the_cores_out_among_the_jobs(started, tmp_path):
    jobs, parallel = ("seed=0,1", "threads=null"), ("hydra/launcher=joblib", "hydra.launcher.n_jobs=2")
    assert started("seed=0,1").wait() == 0
    alone = {run.name: (run / "rows.csv").read_bytes() for run in completed_runs(tmp_path / "sweep")}
    (tmp_path / "sweep").rename(tmp_path / "alone")
    assert started(*jobs, *parallel).wait() == 0
    together = list(completed_runs(tmp_path / "sweep"))
    assert sorted((run / "rows.csv").read_bytes() for run in together) == sorted(alone.values())
    threads = {json.loads((run / "provenance.json").read_text())["threads"] for run in together}
    assert max(threads) == max(1, os.cpu_count() // 2)


@needs("hydra_submitit_launcher")
def test_submitit_starts_a_process_for_each_job(started, tmp_path):
    assert started("seed=0", "hydra/launcher=submitit_local").wait() == 0, (tmp_path / "output").read_text()
    check_rows(tmp_path / "sweep", 1)
    assert len(list((tmp_path / "sweep" / ".submitit").glob("*/*_result.pkl"))) == 1
