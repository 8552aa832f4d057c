"""All proofs, in the order of an appendix: theorems, rules, where roots live, limits, other primitives."""

from proofs.kernel import Proof
from proofs.limits import alphabeta_to_zplus, epsilon_to_zero, gamma_to_infinity, gamma_to_zero, zbox_to_zplus
from proofs.primitives import (
    average_pooling,
    batch_norm,
    constant,
    gate,
    held_scale,
    layer_norm,
    local_response_norm,
    matmul,
    max_pooling,
    norm_identity,
    product,
    product_path,
    residual_sum,
    softmax,
    tangent,
)
from proofs.readings import passes
from proofs.roots import (
    alphabeta_root,
    flat_root,
    gamma_root,
    lrp0_root,
    nearest_root,
    wsquare_root,
    zbox_root,
    zplus_root,
    zplus_signed_root,
)
from proofs.rules import (
    alphabeta,
    epsilon,
    flat,
    gamma,
    gamma_signed,
    lrp0,
    pattern,
    wsquare,
    zbox,
    zplus,
    zplus_signed,
)
from proofs.theorems import (
    bilrp,
    conservation,
    epsilon_is_gradient_times_input,
    every_root,
    exact_at_the_kink,
    four_steps,
    gradient_times_input,
    master,
    mirror,
    parts,
    unit_balance,
    walks,
)

GROUPS = {
    "Theorems": (
        master,
        every_root,
        gradient_times_input,
        exact_at_the_kink,
        unit_balance,
        conservation,
        parts,
        four_steps,
        mirror,
        bilrp,
        walks,
    ),
    "Rules": (lrp0, epsilon, gamma, gamma_signed, zplus, zplus_signed, alphabeta, wsquare, zbox, flat, pattern),
    "Passes": (passes,),
    "Where the root lives": (
        lrp0_root,
        gamma_root,
        zplus_root,
        zplus_signed_root,
        alphabeta_root,
        wsquare_root,
        nearest_root,
        zbox_root,
        flat_root,
    ),
    "Limits": (gamma_to_zero, gamma_to_infinity, epsilon_to_zero, alphabeta_to_zplus, zbox_to_zplus),
    "Attention, norms and gates": (
        softmax,
        product,
        product_path,
        matmul,
        gate,
        layer_norm,
        held_scale,
        norm_identity,
        constant,
        tangent,
    ),
    "Other primitives": (
        residual_sum,
        average_pooling,
        max_pooling,
        batch_norm,
        local_response_norm,
        epsilon_is_gradient_times_input,
    ),
}
PROOFS: dict[str, Proof] = {module.proof.name: module.proof for modules in GROUPS.values() for module in modules}
assert len(PROOFS) == sum(map(len, GROUPS.values())), "proof names must be unique"
