"""One progress for a whole sweep, and none where it shall be quiet."""

from time import sleep

import pytest

from experiments.runs import watch
from experiments.runs.record import Outcome, Record, write_record
from experiments.runs.settle import Planned
from experiments.runs.watch import watched


@pytest.mark.parametrize("quiet", [False, True])
def test_without_a_terminal_a_line_says_how_many_jobs_have_ended(tmp_path, monkeypatch, capsys, quiet):
    monkeypatch.setattr(watch, "LOOK", 0.01)
    monkeypatch.setattr(watch, "SAY", 0.0)
    jobs = [Planned(i, (), f"key{i}", tmp_path / f"key{i}") for i in range(3)]
    with watched(jobs, quiet):
        for job in jobs[:2]:
            job.out.mkdir()
            write_record(job.out, Record(job.key, Outcome.failed))
        sleep(0.3)
    said = capsys.readouterr().out
    assert said == "" if quiet else said.splitlines()[-1] == "2 of 3 jobs"
