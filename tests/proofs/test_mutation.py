"""Changed lines are made, looked at in a copy, and counted."""

from pathlib import Path

import pytest

from proofs.judge import REFUTED
from proofs.mutation.changes import changes_of
from proofs.mutation.copies import changed, forked
from proofs.mutation.guards import Guards
from proofs.mutation.report import COLUMNS, counts, table
from proofs.mutation.survey import Row, append, by_proofs, by_tests, drawn, rows_of, run
from proofs.registry import PROOFS

SOURCE = '''"""A file; 1 + 1 in a text is left alone."""

def area(a: "1 + 1", b=2):
    """0 + 1."""
    if a < 0 and b:
        raise ValueError(f"{a + 1}" + str(1 + 1))
    return -a * b if max(a, b) else 0
'''
TEST = """from dtd.area import area

def test_area():
    assert area(1, 3) == -3
"""


@pytest.fixture
def project(tmp_path) -> Path:
    for name, text in {
        "dtd/area.py": SOURCE,
        "tests/test_area.py": TEST,
        "dtd/__init__.py": "",
        "pyproject.toml": "",
    }.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def test_every_kind_of_change_is_found_and_nothing_else(project):
    found = changes_of(project, project / "dtd/area.py")
    said = {(change.before, change.after) for change in found}
    assert {
        ("2", "(3)"),
        ("a < 0", "(a <= 0)"),
        ("a < 0", "(a > 0)"),
        ("a < 0 and b", "(b)"),
        ("-a", "(a)"),
        ("-a * b", "((-a) / b)"),
        ("-a * b", "(b)"),
        ("max(a, b)", "max(b, a)"),
        ("-a * b if max(a, b) else 0", "(0 if max(a, b) else -a * b)"),
    } <= said
    assert {change.start[0] for change in found} == {3, 5, 7}, "texts, types, errors and docstrings are left alone"
    for change in found:
        compile(change.made(SOURCE), "area.py", "exec")
        assert change.made(SOURCE).count("\n") == SOURCE.count("\n")


def test_the_project_itself_has_enough_to_change_and_the_seed_decides():
    root = Path(__file__).parents[2]
    one, same, other = drawn(root, 0), drawn(root, 0), drawn(root, 1)
    assert one == same and one != other and sorted(one, key=str) == sorted(other, key=str)
    assert len({change.key for change in one}) == len(one) > 4000
    for change in one[:300]:
        compile(change.made((root / change.path).read_text()), change.path, "exec")


def test_a_changed_copy_is_looked_at_and_mended(project):
    test = "tests/test_area.py::test_area"
    (change,) = (each for each in changes_of(project, project / "dtd/area.py") if each.after == "(a)")
    assert forked(project, by_tests, ([[test]],), 60)[0] == ""
    with changed(project, change):
        assert forked(project, by_tests, ([[test]],), 60)[0] == test
    assert (project / "dtd/area.py").read_text() == SOURCE
    assert forked(project, by_tests, ([[test]],), 0.0)[0] == "time out"


def test_rows_are_written_one_by_one_and_a_run_goes_on_where_it_was_cut(project):
    place, test = project / "changes.csv", "tests/test_area.py::test_area"
    guards = Guards({test: 0.01}, {"dtd/area.py": {7: [test]}})
    mine = [change for change in changes_of(project, project / "dtd/area.py") if change.start[0] == 7]
    first = list(run(project, place, mine[:2], Guards(), guards))
    rest = list(run(project, place, mine, Guards(), guards))
    assert len(rest) == len(mine) - 2 and rows_of(place) == first + rest
    noticed = {row.after: row.test for row in rows_of(place)}
    assert noticed["(a)"] == test and noticed["max(b, a)"] == ""


def test_the_report_counts_who_noticed(tmp_path):
    def row(number: int, proof: str, test: str) -> Row:
        return Row(f"dtd/root/mix.py:{number}:0:1:1 x", "sign", "-a", f"a{number}", proof, test, 1, 1, 0, 1.0)

    rows = [row(1, "master", "t"), row(2, "", "t"), row(3, "", "")]
    assert counts(rows) == dict(zip(COLUMNS, (1, 1, 0, 1), strict=True))
    assert "| root | 3 | 1 | 1 | 0 | 1 |" in table(rows)
    assert "- `dtd/root/mix.py:3`: `-a` becomes `a3`" in table(rows) and "a2" not in table(rows)
    for each in rows:
        append(tmp_path / "changes.csv", each)
    assert rows_of(tmp_path / "changes.csv") == rows


def test_guards_of_a_line_and_of_a_file(tmp_path):
    guards = Guards({"slow": 2.0, "quick": 1.0, "other": 3.0}, {"dtd/a.py": {3: ["slow", "quick", "gone"], 9: ["other"]}})
    assert guards.of("dtd/a.py", (2, 4)) == ["quick", "slow"]
    assert guards.of("dtd/a.py", (5, 5)) == ["quick", "slow", "other"], "what runs on import alone: the whole file's"
    guards.write(tmp_path / "guards.json")
    assert Guards.read(tmp_path / "guards.json") == guards


def test_a_proof_of_a_wrong_subject_fails():
    proof = PROOFS["lrp0"]
    assert proof.failure() is None and by_proofs(["lrp0"]) == ""
    wrong = type(proof)(**{**vars(proof), "subject": proof.mutants[0].subject})
    assert wrong.failure().verdict == REFUTED
