"""Composites from the literature, as plans."""

from dtd.domain import Bound, Box, NonNegative, Real
from dtd.errors import check_parameter
from dtd.plans.attention import attnlrp, cp_lrp, lstm_2017, transformers_2022
from dtd.plans.damping import DeviationEpsilon, RelativeEpsilon
from dtd.plans.entry import Entry
from dtd.plans.plan import Plan
from dtd.plans.positions import OnInputs
from dtd.plans.recommended import recommended
from dtd.plans.rules import choose
from dtd.plans.where import domain, every, first, fraction, kind, path
from dtd.relevance import Generic, SphereRoot, TakeMost, Tangent
from dtd.root import Bias, Damping

__all__ = [
    "DeviationEpsilon",
    "RelativeEpsilon",
    "attnlrp",
    "cp_lrp",
    "deep_taylor_2017",
    "epsilon_alpha2_beta1",
    "epsilon_gamma_box",
    "epsilon_plus",
    "epsilon_plus_flat",
    "lrp_overview_2019",
    "lstm_2017",
    "neuralised",
    "recommended",
    "transformers_2022",
    "uniform",
]

uniform = Plan.uniform


def deep_taylor_2017(bias: Bias = "fixed") -> Plan:
    """The rule that each layer's inferred domain prescribes: box → z^B, non-negative → z⁺, real → w² (Montavon 2017).

    Real inputs get w²: ``2 a_1 + a_2`` at ``(2, 1)`` is worth 5, with the terms ``(4, 1)``:

    >>> import dtd, torch
    >>> unit, a = torch.nn.Linear(2, 1, bias=False).double(), torch.tensor([[2.0, 1.0]]).double()
    >>> unit.weight.data[:] = torch.tensor([2.0, 1.0])
    >>> dtd.explain(dtd.trace(unit, a), a, 0, dtd.presets.deep_taylor_2017()).relevance.tolist()
    [[4.0, 1.0]]
    """
    return Plan(
        [
            Entry(domain(Box), choose("zbox", bias), optional=True),
            Entry(domain(NonNegative), choose("zplus", bias), optional=True),
            Entry(domain(Real), choose("wsquare", bias), optional=True),
        ]
    )


def lrp_overview_2019(
    gamma: float = 0.25,
    epsilon: Damping = RelativeEpsilon(),
    bias: Bias = "neuron",
    *,
    signed: bool = False,
    average_pooling: bool = False,
) -> Plan:
    """LRP-γ in lower, LRP-ε in middle, LRP-0 in upper layers; z^B on a box of pixels, w² on real inputs.

    Source: Montavon 2019, Sec. 10.3 and Fig. 10.4. The split is theirs for VGG-16, as fractions of the layers with
    weights: 7/16 (up to ``features.16``), 13/16 (up to ``features.30``), the rest (the classifier).

    Args:
        signed: the generalised LRP-γ, for networks whose layers receive or return negative values; on others it is LRP-γ.
        average_pooling: max pooling as average pooling, in the middle layers under LRP-ε (:meth:`Plan.average_pooling`), as
            in the authors' VGG-16 tutorial.

    The first layer on real inputs gets w²: ``2 a_1 + a_2`` at ``(2, 1)``, worth 5, has the terms ``(4, 1)``:

    >>> import dtd, torch
    >>> unit, a = torch.nn.Linear(2, 1, bias=False).double(), torch.tensor([[2.0, 1.0]]).double()
    >>> unit.weight.data[:] = torch.tensor([2.0, 1.0])
    >>> dtd.explain(dtd.trace(unit, a), a, 0, dtd.presets.lrp_overview_2019()).relevance.tolist()
    [[4.0, 1.0]]
    """
    plan = Plan(
        [
            Entry(first & domain(Box), choose("zbox", bias), optional=True),
            Entry(first & domain(Real), choose("wsquare", bias), optional=True),
            Entry(fraction(0, 7 / 16), choose("gamma_signed" if signed else "gamma", bias, gamma=gamma), optional=True),
            Entry(fraction(7 / 16, 13 / 16), choose("epsilon", bias, epsilon=epsilon), optional=True),
            Entry(every, choose("lrp0", bias), optional=True),
        ]
    )
    return plan.average_pooling() if average_pooling else plan


def epsilon_plus(epsilon: float = 1e-6, bias: Bias = "fixed") -> Plan:
    """ε⁺: z⁺ (signed form) for convolutions, LRP-ε for dense layers (Kohlbrenner 2020).

    At ``a = (1, 1)`` the unit ``3 a_1 − 2 a_2`` is worth 1; with ε = 1 its terms are ``(3, −2) / 2``:

    >>> import dtd, torch
    >>> unit, a = torch.nn.Linear(2, 1, bias=False).double(), torch.ones(1, 2).double()
    >>> unit.weight.data[:] = torch.tensor([3.0, -2.0])
    >>> dtd.explain(dtd.trace(unit, a), a, 0, dtd.presets.epsilon_plus(epsilon=1.0)).relevance.tolist()
    [[1.5, -1.0]]
    """
    return Plan(
        [
            Entry(kind("dense"), choose("epsilon", bias, epsilon=epsilon), optional=True),
            Entry(every, choose("zplus_signed", bias), optional=True),
        ]
    )


def epsilon_plus_flat(epsilon: float = 1e-6, bias: Bias = "fixed") -> Plan:
    """ε⁺ with the flat rule in the first layer (Kohlbrenner 2020; Lapuschkin 2019).

    At ``a = (1, 1)`` the unit ``3 a_1 − 2 a_2`` is worth 1, of which each input takes half in a first layer:

    >>> import dtd, torch
    >>> unit, a = torch.nn.Linear(2, 1, bias=False).double(), torch.ones(1, 2).double()
    >>> unit.weight.data[:] = torch.tensor([3.0, -2.0])
    >>> dtd.explain(dtd.trace(unit, a), a, 0, dtd.presets.epsilon_plus_flat()).relevance.tolist()
    [[0.5, 0.5]]
    """
    return Plan([Entry(first, choose("flat", bias)), *epsilon_plus(epsilon, bias).entries])


def epsilon_alpha2_beta1(epsilon: float = 1e-6, bias: Bias = "fixed") -> Plan:
    """α2β1 for convolutions, LRP-ε for dense layers (Kohlbrenner 2020).

    A convolution ``3 a_1 − 2 a_2`` at ``(1, 1)`` is worth 1, with the terms ``2 (1, 0) − (0, 1)``:

    >>> import dtd, torch
    >>> unit, a = torch.nn.Conv1d(1, 1, 2, bias=False).double(), torch.ones(1, 1, 2).double()
    >>> unit.weight.data[:] = torch.tensor([3.0, -2.0])
    >>> dtd.explain(dtd.trace(unit, a), a, lambda y: y, dtd.presets.epsilon_alpha2_beta1()).relevance.tolist()
    [[[2.0, -1.0]]]
    """
    return Plan(
        [
            Entry(kind("dense"), choose("epsilon", bias, epsilon=epsilon), optional=True),
            Entry(every, choose("alphabeta", bias, alpha=2.0, beta=1.0), optional=True),
        ]
    )


def epsilon_gamma_box(gamma: float = 0.25, epsilon: float = 1e-6, bias: Bias = "fixed") -> Plan:
    """z^B in the first layer, γ (signed form) for convolutions, LRP-ε for dense layers (Anders 2021).

    ``3 a_1 − a_2`` at ``(½, ½)`` is worth 1; with the box [0, 1] its terms are ``(1.5, 1 − 0.5) / 2``:

    >>> import dtd, torch
    >>> unit, a = torch.nn.Linear(2, 1, bias=False).double(), torch.tensor([[0.5, 0.5]]).double()
    >>> unit.weight.data[:] = torch.tensor([3.0, -1.0])
    >>> dtd.explain(dtd.trace(unit, a, dtd.Box(0.0, 1.0)), a, 0, dtd.presets.epsilon_gamma_box()).relevance.tolist()
    [[0.75, 0.25]]
    """
    return Plan(
        [
            Entry(first, choose("zbox", bias)),
            Entry(kind("dense"), choose("epsilon", bias, epsilon=epsilon), optional=True),
            Entry(every, choose("gamma_signed", bias, gamma=gamma), optional=True),
        ]
    )


def neuralised(constants: Bias = "neuron", gamma: float = 0.0, reference: Bound | None = None) -> Plan:
    """For models that :func:`dtd.neuralise` wrote as layers: linear, kernel, distance and density models.

    Squared distances are expanded around their centres, and hard minima follow the winner. ``constants`` is what thresholds,
    priors, normalisations and intercepts are:

    * ``"neuron"``: inputs that keep their share back, as the balances report it. A soft maximum is expanded at its origin
      (:class:`Tangent`): a column gets what it adds to each term, weighted by softmax, whose entropy is kept back too. A
      linear model hands down ``w_j x_j``, naive Bayes the log-ratio of each column.
    * ``"fixed"``: parts of the relevance model, so that all relevance arrives at the columns (:class:`TakeMost`: the
      min-take-most of Kauffmann 2020 and 2022).

    ``gamma`` puts layers with weights under the generalised γ rule, for perceptrons; else they are under LRP-0.
    ``reference`` is a point x̃ at which the first layers with weights are expanded instead: for a linear model
    ``w_j (x_j − x̃_j)`` and the value at x̃ in the zeroth term, which are the exact Shapley values where x̃ is the mean.
    Source: Kauffmann 2020 and 2022; Montavon 2022.

    Raises :class:`InputError` for constants that are distributed, and, where it meets a network, :class:`PlanError` for a
    reference where the first layers with weights do not read the inputs themselves (behind a scaler).

    ``3 a_1 − 2 a_2`` at ``(1, 1)`` is worth 1, and its terms are ``w_j x_j``:

    >>> import dtd, torch
    >>> unit, a = torch.nn.Linear(2, 1, bias=False).double(), torch.ones(1, 2).double()
    >>> unit.weight.data[:] = torch.tensor([3.0, -2.0])
    >>> dtd.explain(dtd.trace(unit, a), a, 0, dtd.presets.neuralised()).relevance.tolist()
    [[3.0, -2.0]]
    """
    check_parameter(constants in ("fixed", "neuron"), "constants", "'fixed' or 'neuron'", repr(constants))
    weighted = choose("gamma_signed", constants, gamma=gamma) if gamma else choose("lrp0", constants)
    at = [] if reference is None else [Entry(OnInputs(), Generic(reference, at="reference"), optional=True)]
    return Plan(
        [
            *at,
            Entry(kind("squared_distance", "mahalanobis_distance"), SphereRoot(), optional=True),
            Entry(kind("log_sum_exp"), TakeMost() if constants == "fixed" else Tangent(), optional=True),
            Entry(kind("shift") & path("*.constants"), choose("lrp0", constants), optional=True),
            Entry(kind("shift"), choose("wsquare"), optional=True),
            Entry(every, weighted, optional=True),
        ],
        note=f"models written as layers, constants {constants}",
    )
