"""Composites from the literature for attention and for recurrent gates, and the plan that a network's make-up suggests."""

from dtd.affine import Convolution, Dense, TransposedConvolution
from dtd.errors import check_parameter
from dtd.network.graph import Graph
from dtd.network.network import Network
from dtd.plans.entry import Entry
from dtd.plans.plan import Plan
from dtd.plans.rules import Choice, choose
from dtd.plans.where import every, kind
from dtd.primitive import Product, Softmax
from dtd.propagation import Propagation
from dtd.relevance import Constant, HeldScale, Identity, MatMulShares, ProductShares, SoftmaxTangent
from dtd.relevance.products import is_gate
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

    Softmax at ``(1, 1)`` is ``(½, ½)``; for ``R = (½, 0)`` its terms are ``(½ − ¼, 0 − ¼)``:

    >>> import dtd, torch
    >>> a = torch.tensor([[1.0, 1.0]]).double()
    >>> net = dtd.trace(torch.nn.Softmax(1), a)
    >>> dtd.explain(net, a, 0, dtd.presets.attnlrp()).relevance.tolist()
    [[0.25, -0.25]]
    """
    check_parameter(norm in ("scale", "identity"), "norm", "'scale' or 'identity'", repr(norm))
    model = HeldScale("neuron") if norm == "scale" else Identity()
    halves = MatMulShares(0.5)
    return transformer(linear(gamma, epsilon), model, SoftmaxTangent(), halves, "AttnLRP", positions)


def cp_lrp(gamma: float | None = None, epsilon: float = 1e-6, positions: Bias = "neuron") -> Plan:
    """CP-LRP: attention weights are held constant, so that the values take all (Ali 2022, as named by Achtibat 2024).

    Everything else is as in :func:`attnlrp`.

    Softmax is held constant, so that its inputs get nothing:

    >>> import dtd, torch
    >>> a = torch.tensor([[1.0, 1.0]]).double()
    >>> net = dtd.trace(torch.nn.Softmax(1), a)
    >>> dtd.explain(net, a, 0, dtd.presets.cp_lrp()).relevance.tolist()
    [[0.0, 0.0]]
    """
    values = MatMulShares(None)
    return transformer(linear(gamma, epsilon), HeldScale("neuron"), Constant(), values, "CP-LRP", positions)


def transformers_2022(gamma: float | None = None, positions: Bias = "neuron") -> Plan:
    """Ali 2022: attention weights and the norms' scales are held constant, LRP-0 with bias neurons everywhere else.

    A layer norm of ``x = (3, 1)`` is ``(1, −1)``; for ``R = (1, 0)`` its terms are ``(3 · ½, −1 · ½)``:

    >>> import dtd, torch
    >>> a = torch.tensor([[3.0, 1.0]]).double()
    >>> net = dtd.trace(torch.nn.LayerNorm(2, eps=0.0, elementwise_affine=False), a)
    >>> dtd.explain(net, a, 0, dtd.presets.transformers_2022()).relevance.tolist()
    [[1.5, -0.5]]
    """
    values = MatMulShares(None)
    return transformer(linear(gamma, 0.0), HeldScale("neuron"), Constant(), values, "Ali 2022", positions)


def lstm_2017(epsilon: float = 1e-3, bias: Bias = "neuron") -> Plan:
    """LRP for LSTMs (Arras 2017): at products with a gate the signal takes all, ε in linear layers.

    ``a σ(b)`` at ``(3, 0)`` is worth 1.5, which the signal ``a`` takes:

    >>> import dtd, torch
    >>> class Product(torch.nn.Module):
    ...     def forward(self, a, b):
    ...         return a * b.sigmoid()
    >>> values = torch.tensor([[3.0]]).double(), torch.tensor([[0.0]]).double()
    >>> plan = dtd.presets.lstm_2017()
    >>> out = dtd.explain(dtd.trace(Product(), values), values, 0, plan)
    >>> [round(relevance.item(), 6) for relevance in out.relevance.values()]
    [1.5, 0.0]
    """
    return Plan(
        [
            Entry(kind("product"), ProductShares(None), optional=True),
            Entry(NORMS, Identity(), optional=True),
            Entry(every, choose("epsilon", bias, epsilon=epsilon), optional=True),
        ],
        note="Arras 2017, on LSTMs",
    )


def recommended(network: Network | Graph) -> Plan:
    """The plan that a network's make-up suggests, with the reason in its ``note``; the default of :func:`dtd.explain`.

    * attention (softmax): :func:`attnlrp`, relevance passing norms (Prop. 3.4), as it does in all of these plans;
    * gates and dense layers without convolutions (recurrent cells): :func:`lstm_2017` with its bias fixed;
    * convolutions: z⁺ (signed form) for them and LRP-ε for dense layers, ε⁺ of Kohlbrenner 2020, bias fixed;
    * dense layers alone (tabular data): the generalised γ rule, bias fixed, which keeps both signs.

    Any of them is a starting point, not the truth: docs/coverage.md shows how they conserve on many architectures.

    For a dense layer it is γ = ¼: ``4 a_1 − a_2`` at ``(1, 1)`` is worth 3, with the terms ``3 (5, −1) / 4``:

    >>> import dtd, torch
    >>> unit, a = torch.nn.Linear(2, 1, bias=False).double(), torch.ones(1, 2).double()
    >>> unit.weight.data[:] = torch.tensor([4.0, -1.0])
    >>> net = dtd.trace(unit, a)
    >>> dtd.explain(net, a, 0, dtd.presets.recommended(net)).relevance.tolist()
    [[3.75, -0.75]]
    """
    layers = (network.graph if isinstance(network, Network) else network).layers
    sliding = any(isinstance(layer.op, (Convolution, TransposedConvolution)) for layer in layers)
    gates = any(isinstance(layer.op, Product) and any(map(is_gate, layer.domains)) for layer in layers)
    if any(isinstance(layer.op, Softmax) for layer in layers):
        return Plan(attnlrp(norm="identity").entries, note="the network has attention: AttnLRP (Achtibat 2024)")
    if gates and not sliding and any(isinstance(layer.op, Dense) for layer in layers):
        return Plan(
            lstm_2017(bias="fixed").entries, note="the network has gates and no convolutions: Arras 2017, bias fixed"
        )
    if sliding:
        entries = [
            Entry(NORMS, Identity(), optional=True),
            Entry(kind("dense"), choose("epsilon", "fixed", epsilon=1e-6), optional=True),
            Entry(every, choose("zplus_signed", "fixed"), optional=True),
        ]
        return Plan(entries, note="the network has convolutions: ε⁺ (Kohlbrenner 2020), bias fixed")
    return Plan(
        [Entry(NORMS, Identity(), optional=True), Entry(every, choose("gamma_signed", "fixed", gamma=0.25), optional=True)],
        note="the network has dense layers and no convolutions: generalised γ = 0.25, bias fixed",
    )
