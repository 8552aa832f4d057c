"""LRP-ε tends to LRP-0 as ε vanishes."""

from dtd.domain import Real
from proofs.layers import Family
from proofs.limits.limit import LimitProof, U
from proofs.rules import lrp0
from proofs.rules.derivation import derived_as, without_bias

proof = LimitProof(
    name="epsilon_to_zero",
    claim="For `ε → 0` LRP-ε tends to LRP-0 (`ε = u`).",
    rule="epsilon",
    parameters=lambda at: {"epsilon": U},
    paper=lrp0.paper,
    family=Family(Real(), patterned=False),
    mutants=(
        ("direction of `z⁺`", derived_as("epsilon", "zplus_signed")),
        ("explicit rule without the bias", without_bias("epsilon")),
    ),
    reference="Montavon 2019, Sec. 10.2.1",
).build()
