"""LRP-γ tends to z⁺ as γ grows."""

from proofs.layers import Family
from proofs.limits.limit import LimitProof, U
from proofs.rules import zplus
from proofs.rules.derivation import with_direction, with_formula
from proofs.rules.gamma import BoostsAll, BoostsNegative, ForgetsBias

proof = LimitProof(
    name="gamma_to_infinity",
    claim="For `γ → ∞` LRP-γ tends to the `z⁺` rule (`γ = 1/u`, `u → 0`).",
    rule="gamma",
    parameters=lambda at: {"gamma": 1 / U},
    paper=zplus.paper,
    family=Family(patterned=False),
    mutants=(
        ("direction with `|w|` for `w⁺`", with_direction("gamma", BoostsAll)),
        ("direction boosts the negative weights", with_direction("gamma", BoostsNegative)),
        ("explicit rule without the boost of the bias", with_formula("gamma", lambda bias, gamma: ForgetsBias(bias, gamma))),
    ),
    reference="Montavon 2019, Sec. 10.2.1",
).build()
