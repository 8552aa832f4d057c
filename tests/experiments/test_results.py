"""Files are complete or not there."""

import os

import pandas as pd
import pytest

from experiments.machine.results import atomically, read_table, save_table


def test_a_table_is_read_back_bit_for_bit(tmp_path):
    table = pd.DataFrame({"x": [1 / 3, 1e-300, -0.1 + 0.3], "name": ["a", "b", "c"], "n": [1, 2, 3]})
    save_table(tmp_path / "rows.csv", table)
    pd.testing.assert_frame_equal(read_table(tmp_path / "rows.csv"), table, check_exact=True)


def test_a_writer_that_fails_leaves_nothing(tmp_path):
    def half(path):
        path.write_text("half of it")
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        atomically(tmp_path / "rows.csv", half)
    assert list(tmp_path.iterdir()) == []


def test_a_writer_that_fails_leaves_the_old_file_alone(tmp_path):
    target = tmp_path / "rows.csv"
    target.write_text("old")

    def half(path):
        path.write_text("half of it")
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        atomically(target, half)
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_the_file_appears_only_when_it_is_complete(tmp_path, monkeypatch):
    target, seen = tmp_path / "rows.csv", []
    rename = os.replace

    def watched(part, path):
        seen.append((target.exists(), part.read_text()))
        rename(part, path)

    monkeypatch.setattr(os, "replace", watched)
    save_table(target, pd.DataFrame({"x": [1, 2]}))
    assert seen == [(False, "x\n1\n2\n")]
    assert target.read_text() == "x\n1\n2\n"
