"""Whatever happens to a sweep's jobs, each is computed once, and each has a record at the end."""

from threading import Event, Thread
from time import sleep

import pytest

from experiments.runs import settle as module
from experiments.runs.record import BEGUN, Outcome, Record, finished, lock, write_record
from experiments.runs.settle import Planned, settle


@pytest.fixture
def sweep(tmp_path, monkeypatch):
    """Jobs, and a launcher that notes what it is given and does to a job what ``fate`` says."""
    monkeypatch.setattr(module, "WAIT", 0.01)
    return Sweep(tmp_path)


class Sweep:
    def __init__(self, root):
        self.jobs = [Planned(i, (f"seed={i}",), f"key{i}", root / f"key{i}") for i in range(4)]
        self.fate = {}
        self.launched = []

    def run(self):
        return settle(self.jobs, self.start)

    def outcomes(self, records):
        return [records[job.key].outcome.value for job in self.jobs]

    def start(self, jobs):
        self.launched.append([job.number for job in jobs])
        return [self.compute(job) for job in jobs]

    def compute(self, job):
        job.out.mkdir(exist_ok=True)
        (job.out / BEGUN).write_text("{}")
        if job.number in self.fate:
            return self.fate[job.number](job)
        record = Record(job.key, Outcome.done, measures={"number": float(job.number)})
        write_record(job.out, record)
        return record


def dies(job):
    raise RuntimeError("a worker was killed")


def fails(job):
    record = Record(job.key, Outcome.failed, ("no",))
    write_record(job.out, record)
    return record


def test_every_job_is_computed_once_and_then_never_again(sweep):
    first = sweep.run()
    assert sweep.launched == [[0, 1, 2, 3]] and not any(record.reused for record in first.values())
    again = sweep.run()
    assert len(sweep.launched) == 1 and all(record.reused for record in again.values())
    assert [record.measures["number"] for record in again.values()] == [0, 1, 2, 3]


def test_only_what_is_missing_is_computed(sweep):
    sweep.compute(sweep.jobs[1])
    sweep.run()
    assert sweep.launched == [[0, 2, 3]]


def test_two_jobs_with_the_same_config_are_one(sweep):
    sweep.jobs.append(Planned(4, ("seed=00",), "key0", sweep.jobs[0].out))
    assert sweep.outcomes(sweep.run()) == ["done"] * 5
    assert [len(batch) for batch in sweep.launched] == [4]


def test_a_job_of_other_code_is_computed_again(sweep):
    write_record(make(sweep.jobs[2].out), Record("other", Outcome.done))
    sweep.run()
    assert sweep.launched == [[0, 1, 2, 3]]


def make(path):
    path.mkdir(exist_ok=True)
    return path


def test_a_failed_job_does_not_stop_the_others_and_is_tried_again_next_time(sweep):
    sweep.fate[1] = fails
    assert sweep.outcomes(sweep.run()) == ["done", "failed", "done", "done"]
    assert len(sweep.launched) == 1
    del sweep.fate[1]
    assert sweep.outcomes(sweep.run()) == ["done"] * 4
    assert sweep.launched[1:] == [[1]]


def test_a_job_that_takes_its_process_down_is_tried_alone_then_failed_and_the_rest_goes_on(sweep):
    sweep.fate[1] = dies
    records = sweep.run()
    assert sweep.outcomes(records) == ["done", "failed", "done", "done"]
    assert sweep.launched == [[0, 1, 2, 3], [1], [2, 3]]
    assert "Its process died twice" in records["key1"].messages[0] and "a worker was killed" in records["key1"].messages[0]
    assert not records["key0"].reused


def test_a_job_that_died_once_by_accident_is_done_in_the_end(sweep):
    def once(job):
        del sweep.fate[1]
        dies(job)

    sweep.fate[1] = once
    assert sweep.outcomes(sweep.run()) == ["done"] * 4


def test_a_launcher_that_does_not_work_is_an_error_not_an_endless_loop(sweep):
    def broken(jobs):
        raise FileNotFoundError("no sbatch here")

    with pytest.raises(FileNotFoundError, match="no sbatch here"):
        settle(sweep.jobs, broken)


def test_what_another_sweep_computes_is_left_to_it(sweep):
    held = sweep.jobs[2]
    make(held.out)
    locked = Event()

    def other():
        with lock(held.out):
            locked.set()
            while not sweep.launched:
                sleep(0.005)
            sleep(0.05)
            write_record(held.out, Record(held.key, Outcome.done))

    thread = Thread(target=other)
    thread.start()
    locked.wait()
    records = sweep.run()
    thread.join()
    assert sweep.launched == [[0, 1, 3]] and records["key2"].reused


def test_a_job_that_turns_out_to_be_held_is_waited_for(sweep):
    tries = []

    def held(job):
        tries.append(job)
        return Record(job.key, Outcome.busy) if len(tries) == 1 else fails(job)

    sweep.fate[3] = held
    assert sweep.outcomes(sweep.run()) == ["done", "done", "done", "failed"]
    assert sweep.launched == [[0, 1, 2, 3], [3]]


def test_code_that_changes_during_the_sweep_is_a_failure_that_says_so(sweep):
    def newer(job):
        return write_and_return(job, Record("newer", Outcome.done))

    sweep.fate[0] = newer
    records = sweep.run()
    assert sweep.outcomes(records) == ["failed", "done", "done", "done"]
    assert "changed after the sweep had started" in records["key0"].messages[0]
    assert finished(sweep.jobs[0].out, "key0") is None


def write_and_return(job, record):
    write_record(job.out, record)
    return record
