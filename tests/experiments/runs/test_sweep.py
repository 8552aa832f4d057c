"""Sweeps from the command line, in this process: what is computed, what is left behind, and what is said."""

import json
import warnings
from pathlib import Path

import pandas as pd
import pytest

from experiments.runs.record import LOCK, completed_runs, lock
from tests.experiments.runs.conftest import rows

MINE = Path("runs/sweeps/mine")


def interrupt():
    raise KeyboardInterrupt


def fail():
    raise ZeroDivisionError("the data are gone")


def test_the_jobs_of_a_sweep_leave_their_rows_and_where_they_come_from(command, probe, capsys):
    assert command("-m", "seed=0,1,2", "sweep=mine") == 0
    assert probe.computed == [0, 1, 2] and sorted(rows(MINE).seed) == [0, 1, 2]
    for run in completed_runs(MINE):
        assert {path.name for path in run.iterdir()} == {
            *("rows.csv", "config.yaml", "provenance.json", "outcome.json", "job.log", LOCK)
        }
        origin = json.loads((run / "provenance.json").read_text())
        assert origin["overrides"] == [f"seed={origin['seed']}", "sweep=mine"]
        log = (run / "job.log").read_text()
        assert f"the value of seed {origin['seed']}" in log and "done after" in log
    said = capsys.readouterr()
    assert "3 jobs in" in said.out and "3 done" in said.out and "the value" not in said.out + said.err


def test_a_sweep_that_was_stopped_ends_with_its_summary_and_goes_on_where_it_was(command, probe, capsys):
    probe.fate[2] = interrupt
    with pytest.raises(KeyboardInterrupt):
        command("-m", "seed=0,1,2,3", "sweep=mine")
    assert sorted(rows(MINE).seed) == [0, 1] and list(pd.read_csv(MINE / "summary.csv").seed) == [0, 1]
    said = capsys.readouterr().out
    assert "2 jobs in" in said and "2 jobs are left; the same command goes on with them." in said
    probe.fate.clear()
    assert command("-m", "seed=0,1,2,3", "sweep=mine") == 0
    assert probe.computed == [0, 1, 2, 2, 3] and sorted(rows(MINE).seed) == [0, 1, 2, 3]
    summary = pd.read_csv(MINE / "summary.csv")
    assert list(summary.reused) == [True, True, False, False] and list(summary.seed) == [0, 1, 2, 3]


def test_without_a_name_the_same_command_goes_on_too(command, probe):
    assert command("-m", "seed=0,1") == 0 and command("-m", "seed=0,1", "quiet=true") == 0
    assert probe.computed == [0, 1]
    assert len(list(Path("runs/sweeps").iterdir())) == 1


def test_a_longer_sweep_under_the_same_name_computes_what_is_new(command, probe):
    command("-m", "seed=0,1", "sweep=mine")
    command("-m", "seed=0,1,2", "sweep=mine")
    assert probe.computed == [0, 1, 2]


def test_jobs_that_fail_are_recorded_and_do_not_stop_the_others(command, probe, capsys):
    probe.fate[1] = fail
    assert command("-m", "seed=0,1,8,9,2", "sweep=mine") == 1
    assert sorted(probe.computed) == [0, 1, 2, 9]
    summary = pd.read_csv(MINE / "summary.csv").set_index("job")
    assert list(summary.outcome) == ["done", "failed", "refused", "problems", "done"]
    log = (MINE / summary.directory[1] / "job.log").read_text()
    assert "Traceback" in log and "the data are gone" in log
    said = capsys.readouterr().out
    assert "2 done, 1 problems, 1 refused, 1 failed" in said
    assert "failed: seed=1 sweep=mine: ZeroDivisionError: the data are gone (log: runs/sweeps/mine/" in said
    assert "'seed' must not be 8" in said and "the value is wrong" in said
    probe.fate.clear()
    assert command("-m", "seed=0,1", "sweep=mine") == 0
    assert probe.computed[4:] == [1]


def test_problems_of_an_earlier_sweep_count_again(command, probe):
    assert command("-m", "seed=9", "sweep=mine") == 1 and command("-m", "seed=9", "sweep=mine") == 1
    assert probe.computed == [9]


def test_quiet_says_only_what_went_wrong(command, probe, capsys):
    probe.fate[1] = fail
    assert command("-m", "seed=0", "sweep=mine", "quiet=true") == 0 and command("seed=0", "quiet=true") == 0
    said = capsys.readouterr()
    assert said.out == "" and said.err == ""
    command("-m", "seed=0,1", "sweep=mine", "quiet=true")
    said = capsys.readouterr()
    assert said.out.startswith("failed: seed=1") and said.out.count("\n") == 1 and said.err == ""


def test_warnings_go_to_the_log_of_every_job_that_warns(command, probe, capsys):
    probe.fate = dict.fromkeys((0, 1), lambda: warnings.warn("careful", stacklevel=1))
    command("-m", "seed=0,1", "sweep=mine")
    assert [("careful" in (run / "job.log").read_text()) for run in completed_runs(MINE)] == [True, True]
    said = capsys.readouterr()
    assert "careful" not in said.out + said.err


def test_the_same_job_alone_and_in_a_sweep_gives_the_same_rows_to_the_bit(command, probe):
    command("-m", "seed=3,1", "sweep=mine")
    command("seed=1", "hydra.run.dir=alone")
    (run,) = (run for run in completed_runs(MINE) if "seed: 1" in (run / "config.yaml").read_text().splitlines())
    assert (run / "rows.csv").read_bytes() == Path("alone/rows.csv").read_bytes()


def test_a_single_run_computes_again_but_not_while_another_process_does(command, probe, capsys):
    assert command("seed=0", "hydra.run.dir=alone") == 0 and command("seed=0", "hydra.run.dir=alone") == 0
    assert probe.computed == [0, 0]
    with lock(Path("alone")):
        assert command("seed=0", "hydra.run.dir=alone") == 2
    assert "Another process computes in" in capsys.readouterr().out


def test_an_error_of_a_single_run_is_told_and_logged_and_its_status_is_3(command, probe, capsys):
    probe.fate[0] = fail
    assert command("seed=0", "hydra.run.dir=alone") == 3
    said = capsys.readouterr()
    assert "Failed: ZeroDivisionError: the data are gone" in said.out and "Traceback" in said.err
    assert json.loads(Path("alone/outcome.json").read_text())["outcome"] == "failed"
    assert not list(completed_runs(Path("alone")))


def test_a_wrong_value_anywhere_stops_the_sweep_before_any_job(command, probe, capsys):
    assert command("-m", "question.samples=1,many", "sweep=mine") == 1
    assert probe.computed == [] and "'many' of type 'str' could not be converted" in capsys.readouterr().err


def test_an_objective_that_the_question_does_not_offer_is_refused(command, capsys):
    assert command("objective=[loss]") == 2
    assert "'objective' must be among the measures of the question (value, seed); found loss." in capsys.readouterr().out
