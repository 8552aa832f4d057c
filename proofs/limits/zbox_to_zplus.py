"""z^B with l = 0 and h = a is z⁺ on ``a >= 0``."""

from dtd.lrp import LRPZBox
from proofs.layers import Family
from proofs.limits.limit import LimitProof
from proofs.rules import zplus
from proofs.rules.derivation import with_direction, with_formula
from proofs.rules.zbox import OneCorner, Swapped

proof = LimitProof(
    name="zbox_to_zplus",
    claim="For `a ≥ 0`, the `z^B` rule with `l = 0` and `h = a` is the `z⁺` rule; with a fixed bias, since the box of "
    "the bias neuron is a point.",
    rule="zbox",
    parameters=lambda at: {"low": 0 * at.input, "high": at.input},
    paper=zplus.paper,
    family=Family(patterned=False),
    mutants=(
        ("direction with `l` and `h` exchanged", with_direction("zbox", Swapped)),
        ("direction to the lower corner", with_direction("zbox", OneCorner)),
        ("explicit rule with `l` and `h` exchanged", with_formula("zbox", lambda bias, low, high: LRPZBox(bias, high, low))),
    ),
    reference="Montavon 2017, Sec. 4.2",
    biases=("fixed",),
).build()
