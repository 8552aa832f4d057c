"""LRP-αβ with α = 1, β = 0 is z⁺."""

from dataclasses import replace

from dtd.domain import Real
from dtd.lrp import LRPAlphaBeta
from dtd.plans.rules import catalogue
from proofs.layers import Family
from proofs.limits.limit import LimitProof
from proofs.rules import zplus_signed
from proofs.rules.derivation import derived_as


def swapped(bias, alpha, beta):
    """The explicit rule with 1 − α and −α for α and β."""
    return LRPAlphaBeta(bias, 1 - alpha, -alpha)


rule = catalogue["alphabeta"]
proof = LimitProof(
    name="alphabeta_to_zplus",
    claim="LRP-αβ with `α = 1`, `β = 0` is the `z⁺` rule.",
    rule="alphabeta",
    parameters=lambda at: {"alpha": 1, "beta": 0},
    paper=zplus_signed.paper,
    family=Family(Real(), patterned=False),
    mutants=(
        ("the derived side of LRP-0", derived_as("alphabeta", "lrp0")),
        ("explicit rule with `α = 0`, `β = -1`", replace(rule, formula=swapped)),
    ),
    reference="Bach 2015, Eq. 60; Montavon 2019, Table 10.1",
).build()
