"""LRP-γ with γ = 0 is LRP-0."""

from dtd.direction import ZPlus
from dtd.domain import Real
from dtd.lrp import LRPGamma
from proofs.layers import Family
from proofs.limits.limit import LimitProof
from proofs.rules import lrp0
from proofs.rules.derivation import with_direction, with_formula

proof = LimitProof(
    name="gamma_to_zero",
    claim="LRP-γ with `γ = 0` is LRP-0.",
    rule="gamma",
    parameters=lambda at: {"gamma": 0},
    paper=lrp0.paper,
    family=Family(Real(), patterned=False),
    mutants=(
        ("direction of `z⁺`", with_direction("gamma", lambda gamma: ZPlus())),
        ("explicit rule with `1 + γ` for `γ`", with_formula("gamma", lambda bias, gamma: LRPGamma(bias, 1 + gamma))),
    ),
    reference="Montavon 2019, Sec. 10.2.1",
).build()
