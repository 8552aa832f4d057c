"""Composites from the literature for attention and for recurrent gates."""

from dtd.errors import check_parameter
from dtd.plans.entry import Entry
from dtd.plans.plan import Plan
from dtd.plans.rules import Choice, choose
from dtd.plans.where import every, kind
from dtd.propagation import Propagation
from dtd.relevance import Constant, HeldScale, Identity, MatMulShares, ProductShares, SoftmaxTangent
from dtd.root import Bias

NORMS = kind("layer_norm", "rms_norm", "norm")
SHIFTS = kind("shift")  # sums with constants and side values: positions, class tokens, biases written by hand


def linear(gamma: float | None, epsilon: float) -> Choice:
    """What layers with weights get: LRP-ε, or the generalised γ rule where ``gamma`` is given; the bias is a neuron."""
    if gamma is not None:
        return choose("gamma_signed", "neuron", gamma=gamma)
    return choose("epsilon", "neuron", epsilon=epsilon) if epsilon else choose("lrp0", "neuron")


def transformer(
    weighted: Choice, norm: Propagation, softmax: Propagation, matmul: MatMulShares, note: str, positions: Bias = "neuron"
) -> Plan:
    """A plan for attention from its parts."""
    return Plan(
        [
            Entry(NORMS, norm, optional=True),
            Entry(kind("softmax"), softmax, optional=True),
            Entry(kind("matmul"), matmul, optional=True),
            Entry(kind("product"), ProductShares(0.5), optional=True),
            Entry(SHIFTS, choose("lrp0", positions), optional=True),
            Entry(every, weighted, optional=True),
        ],
        note=note,
    )


def attnlrp(gamma: float | None = None, epsilon: float = 1e-6, norm: str = "scale", positions: Bias = "neuron") -> Plan:
    """AttnLRP (Achtibat 2024): ε in linear layers, products and matmuls ½–½, softmax at the data point, norms by ``norm``.

    Every bias is a neuron, that of norms and of sums with constants included, as LXT's efficient patches compute it: with
    ``epsilon=0`` and without γ relevance is a gradient × input in which scales are held and products halve.

    Args:
        gamma: the generalised γ rule in layers with weights instead of ε, as the vision papers use.
        norm: ``"scale"``: the scale is held (Ali 2022); ``"identity"``: mean and scale are (Achtibat 2024, Prop. 3.4).
        positions: the bias mode of sums with constants (position embeddings): what ``"neuron"`` keeps back of them is in
            the balance, ``"distribute"`` hands it to the token, ``"fixed"`` keeps nothing (Bakish 2025, on positions).
    """
    check_parameter(norm in ("scale", "identity"), "norm", "'scale' or 'identity'", repr(norm))
    model = HeldScale("neuron") if norm == "scale" else Identity()
    halves = MatMulShares(0.5)
    return transformer(linear(gamma, epsilon), model, SoftmaxTangent(), halves, "AttnLRP", positions)


def cp_lrp(gamma: float | None = None, epsilon: float = 1e-6, positions: Bias = "neuron") -> Plan:
    """CP-LRP: attention weights are held constant, so that the values take all (Ali 2022, as named by Achtibat 2024).

    Everything else is as in :func:`attnlrp`.
    """
    values = MatMulShares(None)
    return transformer(linear(gamma, epsilon), HeldScale("neuron"), Constant(), values, "CP-LRP", positions)


def transformers_2022(gamma: float | None = None, positions: Bias = "neuron") -> Plan:
    """Ali 2022: attention weights and the norms' scales are held constant, LRP-0 with bias neurons everywhere else."""
    values = MatMulShares(None)
    return transformer(linear(gamma, 0.0), HeldScale("neuron"), Constant(), values, "Ali 2022", positions)


def lstm_2017(epsilon: float = 1e-3, bias: Bias = "neuron") -> Plan:
    """LRP for LSTMs (Arras 2017): at products with a gate the signal takes all, ε in linear layers."""
    return Plan(
        [
            Entry(kind("product"), ProductShares(None), optional=True),
            Entry(NORMS, Identity(), optional=True),
            Entry(every, choose("epsilon", bias, epsilon=epsilon), optional=True),
        ],
        note="Arras 2017, on LSTMs",
    )
