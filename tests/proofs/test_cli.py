"""``python -m proofs``: exit status and what it prints."""

from dataclasses import replace

import pytest

from proofs import __main__ as cli
from proofs import terminal
from proofs.kernel import Mutant
from proofs.registry import PROOFS

NAME = "lrp0_root"


def run(arguments, capsys, monkeypatch, width="160"):
    monkeypatch.setenv("COLUMNS", width)
    status = cli.main(arguments)
    return status, capsys.readouterr().out


def test_checks_and_says_what_killed_each_mutant(capsys, monkeypatch):
    status, out = run([NAME, "--workers", "1"], capsys, monkeypatch)
    assert status == 0
    assert "1 of 1 proofs hold, 3 mutants killed" in out
    for mutant in PROOFS[NAME].mutants:
        assert terminal.plain(mutant.change) in out


def test_steps_print_a_readable_derivation(capsys, monkeypatch):
    status, out = run(["gamma", "--steps"], capsys, monkeypatch)
    assert status == 0
    assert "v_j = (γ·1[w_j > 0] + 1)·a_j" in out
    assert "R_j←k = R·(γ·w_j⁺ + w_j)·a_j/Σ_i((γ·w_i⁺ + w_i)·a_i)" in out
    assert "assume  γ ≥ 0" in out and "Montavon 2019" in out


@pytest.mark.parametrize("name", PROOFS)
def test_every_derivation_prints(name, capsys, monkeypatch):
    status, out = run([name, "--steps"], capsys, monkeypatch)
    assert status == 0
    assert "1. " in out and "`" not in out


def broken(change):
    proof = PROOFS[NAME]
    if change == "survivor":
        return replace(proof, mutants=(*proof.mutants, Mutant("no change at all", proof.subject)))
    return replace(proof, subject=proof.mutants[0].subject)


@pytest.mark.parametrize(("change", "said"), [("survivor", "SURVIVES"), ("refuted", "refuted")])
def test_a_failure_exits_non_zero(change, said, capsys, monkeypatch):
    monkeypatch.setitem(PROOFS, NAME, broken(change))
    status, out = run([NAME, "--workers", "1"], capsys, monkeypatch)
    assert status == 1
    assert said in out and "0 of 1 proofs hold" in out


def test_an_unknown_name_lists_the_proofs(capsys):
    with pytest.raises(SystemExit) as stopped:
        cli.main(["nothing"])
    assert stopped.value.code == 2
    assert "the proofs are master" in capsys.readouterr().err


def test_overview_shows_both_sides(capsys, monkeypatch):
    status, out = run(["--overview"], capsys, monkeypatch, width="240")
    assert status == 0
    assert "b ≤ γ Σ⁻/(1 + γ)" in out and "a = (1, 1), w = (2, -1), b = 1: ã = (-1, -1)" in out
