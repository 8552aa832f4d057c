"""No half rows, whatever the disk does, and the error says what to do."""

import os
import resource
import signal
import subprocess
from contextlib import contextmanager
from pathlib import Path

import pandas as pd
import pytest

from experiments.machine.results import OutputError, remove_parts, require_writable, save_table
from experiments.runs.record import completed_runs

LARGE = pd.DataFrame({"x": range(100_000)})  # about 0.7 MB


@contextmanager
def full_after(size: int):
    """The system refuses to make any file larger than ``size`` bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


@pytest.fixture
def small_disk(tmp_path):
    """A real file system with room for 256 KiB."""
    where = tmp_path / "disk"
    where.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", where], capture_output=True)
    if mounted.returncode:
        pytest.skip("needs the right to mount a file system")
    yield where
    subprocess.run(["umount", where], check=True)


def test_a_table_that_does_not_fit_leaves_the_old_one(tmp_path):
    save_table(tmp_path / "rows.csv", LARGE[:3])
    with full_after(100_000), pytest.raises(OutputError, match=r"rows.csv' could not be written: .*make space"):
        save_table(tmp_path / "rows.csv", LARGE)
    assert len(pd.read_csv(tmp_path / "rows.csv")) == 3
    assert [path.name for path in tmp_path.iterdir()] == ["rows.csv"]


def test_a_full_disk(small_disk):
    with pytest.raises(OutputError, match="No space left on device"):
        save_table(small_disk / "rows.csv", LARGE)
    assert list(small_disk.iterdir()) == []


def test_a_sweep_on_a_disk_that_fills_up(command, probe, small_disk, capsys):
    yielded = probe.tables

    def tables(config):
        yield from yielded(config)
        if config.seed == 1:
            yield "more", LARGE

    probe.tables = tables
    assert command("-m", "seed=0,1,2", f"hydra.sweep.dir={small_disk}/sweep") == 1
    assert len(list(completed_runs(small_disk))) == 2
    assert not list(small_disk.rglob("more.csv")) and not list(small_disk.rglob(".more*"))
    assert "1 failed" in (said := capsys.readouterr().out) and "could not be written: No space left on device" in said


def test_when_not_even_the_record_can_be_written_the_job_still_counts_as_failed(command, probe, capsys):
    def full():
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))

    with full_after(10**9):
        probe.fate[1] = full
        assert command("seed=1", "hydra.run.dir=alone") == 3
    assert not list(completed_runs(Path("alone"))) and not Path("alone/rows.csv").exists()
    assert "could not be written" in capsys.readouterr().out


def test_a_summary_that_cannot_be_written_is_told_and_fails_the_sweep(command, probe, capsys):
    Path("mine/summary.csv").mkdir(parents=True)
    assert command("-m", "seed=0", "hydra.sweep.dir=mine") == 1
    assert "'mine/summary.csv' could not be written: Is a directory" in capsys.readouterr().out


def test_a_directory_that_cannot_be_made_is_refused_before_any_work(command, probe, capsys):
    Path("file").write_text("")
    for arguments in (("seed=0", "hydra.run.dir=file/x"), ("-m", "seed=0,1", "hydra.sweep.dir=file/x")):
        assert command(*arguments) == 2
        assert "Refused: The directory 'file/x' cannot be written to: Not a directory." in capsys.readouterr().out
    assert probe.computed == []


def test_a_read_only_directory_is_refused(small_disk):
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    with pytest.raises(OutputError, match="Read-only file system. Choose another one with hydra.run.dir"):
        require_writable(small_disk)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_directory_without_permission_is_refused(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(OutputError, match="Permission denied"):
        require_writable(tmp_path / "x")


def test_only_what_killed_writers_left_is_removed(tmp_path):
    names = (".rows-" + "0" * 32 + ".csv", ".hidden-file", "rows.csv", ".lock")
    for name in names:
        (tmp_path / name).write_text("")
    remove_parts(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == set(names[1:])
