"""Where numbers come from is written down truly."""

import subprocess

import torch

from experiments.runs.provenance import git_state, provenance


def git(where, *arguments: str) -> str:
    identity = ("-c", "user.name=a", "-c", "user.email=a@b.c")
    return subprocess.run(
        ["git", "-C", where, *identity, *arguments], capture_output=True, text=True, check=True
    ).stdout.strip()


def test_outside_a_repository_there_is_no_git_state(tmp_path, monkeypatch):
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    monkeypatch.chdir(tmp_path)
    assert git_state(tmp_path) is None
    assert "git" not in provenance("key", 0, [])


def test_the_commit_is_named_and_whether_tracked_files_differ_from_it(tmp_path, monkeypatch):
    git(tmp_path, "init")
    (tmp_path / "a.py").write_text("x = 1")
    git(tmp_path, "add", "a.py")
    git(tmp_path, "commit", "-m", "first")
    commit = git(tmp_path, "rev-parse", "HEAD")
    (tmp_path / "untracked").write_text("rows")
    assert git_state(tmp_path) == {"commit": commit, "dirty": False}
    (tmp_path / "a.py").write_text("x = 2")
    monkeypatch.chdir(tmp_path)
    assert provenance("key", 0, [])["git"] == {"commit": commit, "dirty": True}


def test_a_machine_without_git_has_no_git_state(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert git_state(tmp_path) is None


def test_versions_seed_and_overrides_are_there():
    found = provenance("abc", 7, ["seed=7"])
    assert (found["key"], found["seed"], found["overrides"]) == ("abc", 7, ["seed=7"])
    assert found["versions"]["torch"] == torch.__version__.split("+")[0] or found["versions"]["torch"] == torch.__version__
    assert found["versions"]["python"].startswith("3.") and found["threads"] == torch.get_num_threads()
