"""Every proof holds, every mutant is killed, and the catalogue is covered."""

from dataclasses import replace

import pytest

from dtd.plans.rules import catalogue
from proofs.judge import PROVED
from proofs.registry import GROUPS, PROOFS
from proofs.roots.margins import margins_of


@pytest.mark.parametrize("name", PROOFS)
def test_proof_holds_and_mutants_die(name):
    result = PROOFS[name].check()
    assert result.verdict == PROVED, list(map(str, result.failures[:3]))
    assert not result.survivors
    assert len(result.killed) >= 2
    assert result.points >= 5, "too few exact points satisfy the conditions"


def test_every_rule_of_the_catalogue_is_proved():
    assert set(catalogue) <= set(PROOFS)


def test_every_shipped_domain_condition_is_proved():
    with_margins = {name for name, rule in catalogue.items() if rule.condition.margins}
    assert {f"{name}_root" for name in with_margins} <= set(PROOFS)


def test_a_rule_without_margins_has_no_condition_to_prove():
    for name, rule in catalogue.items():
        if rule.condition.margins is None:
            with pytest.raises(ValueError, match=f"'{name}' must have a condition with margins"):
                margins_of(rule, None)


def test_a_condition_holds_a_kind_of_domain():
    conditions = [proof.subject.condition for proof in PROOFS.values() if hasattr(proof.subject, "condition")]
    assert len(conditions) > len(catalogue)
    assert all(isinstance(condition.domain, type) for condition in conditions)


def test_proofs_are_named_after_their_file():
    for module in (module for modules in GROUPS.values() for module in modules):
        assert module.proof.name == module.__name__.rsplit(".", 1)[-1]


def test_a_region_with_the_wrong_truth_is_noticed():
    """The regions of a domain condition are checked: claiming the opposite in any of them fails."""
    proof = PROOFS["gamma_root"]
    regions = [case for case in proof.cases() if not case.point and case.at[1] is not None]
    assert len(regions) >= 6
    for case in regions:
        at, region = case.at
        flipped = replace(case, at=(at, replace(region, inside=not region.inside)))
        _, failure = proof._run(flipped, proof.subject)
        assert failure is not None, case.title
