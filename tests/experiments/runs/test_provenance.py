"""Where numbers come from is written down truly."""

import subprocess

import torch

from experiments.runs.provenance import git_state, provenance


def git(where, *arguments: str) -> str:
    identity = ("-c", "user.name=a", "-c", "user.email=a@b.c")
    return subprocess.run(
        ["git", "-C", where, *identity, *arguments], capture_output=True, text=True, check=True
    ).stdout.strip()


def test_a_file_that_no_repository_tracks_has_no_git_state(tmp_path, monkeypatch):
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    (tmp_path / "dtd.py").touch()
    assert git_state(tmp_path / "dtd.py") is None
    git(tmp_path, "init")  # installed below somebody else's repository, whose commit says nothing about dtd
    git(tmp_path, "commit", "--allow-empty", "-m", "theirs")
    assert git_state(tmp_path / "dtd.py") is None
    monkeypatch.setattr("dtd.__file__", str(tmp_path / "dtd.py"))
    assert "git" not in provenance("key", 0, [])


def test_the_commit_is_that_of_dtd_and_not_of_the_directory_one_starts_in(tmp_path, monkeypatch):
    for name in ("ours", "theirs"):
        (tmp_path / name).mkdir()
        git(tmp_path / name, "init")
        (tmp_path / name / "a.py").write_text(f"x = '{name}'")
        git(tmp_path / name, "add", "a.py")
        git(tmp_path / name, "commit", "-m", "first")
    file, commit = tmp_path / "ours" / "a.py", git(tmp_path / "ours", "rev-parse", "HEAD")
    (tmp_path / "ours" / "untracked").write_text("rows")
    assert git_state(file) == {"commit": commit, "dirty": False}
    file.write_text("x = 2")
    monkeypatch.chdir(tmp_path / "theirs")
    monkeypatch.setattr("dtd.__file__", str(file))
    assert provenance("key", 0, [])["git"] == {"commit": commit, "dirty": True}


def test_a_machine_without_git_has_no_git_state(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert git_state(tmp_path / "a.py") is None


def test_versions_seed_and_overrides_are_there():
    found = provenance("abc", 7, ["seed=7"])
    assert (found["key"], found["seed"], found["overrides"]) == ("abc", 7, ["seed=7"])
    assert found["versions"]["torch"] == torch.__version__.split("+")[0] or found["versions"]["torch"] == torch.__version__
    assert found["versions"]["python"].startswith("3.") and found["threads"] == torch.get_num_threads()
