"""The plan that a network's make-up suggests."""

from dtd.affine import Convolution, Dense, TransposedConvolution
from dtd.network.graph import Graph
from dtd.network.network import Network
from dtd.plans.attention import NORMS, attnlrp, lstm_2017
from dtd.plans.entry import Entry
from dtd.plans.plan import Plan
from dtd.plans.rules import Choice, choose
from dtd.plans.where import every, kind, position_wise, rectified
from dtd.primitive import MatMul, Product, Softmax
from dtd.relevance import Identity
from dtd.relevance.products import is_gate
from dtd.root import Bias

GAMMA = 0.25  # as in the composites for images (Montavon 2019; Anders 2021; Achtibat 2024 on ViTs)
SUMS = kind("sum") & ~rectified  # one that a ReLU follows hands nothing down unless it is positive
WHY_SUMS = f"sums under γ = {GAMMA} too, since LRP-0 and ε grow wherever their terms cancel"


def gamma_rule(bias: Bias) -> Choice:
    """The generalised γ rule."""
    return choose("gamma_signed", bias, gamma=GAMMA)


IN_SUMS = Entry(SUMS, gamma_rule("fixed"), optional=True)


def recommended(network: Network | Graph) -> Plan:
    """The plan that a network's make-up suggests, with the reason in its ``note``; the default of :func:`dtd.explain`.

    * attention and convolutions (images): :func:`attnlrp` with γ = 0.25 in linear layers and sums;
    * attention without convolutions (language): :func:`attnlrp` with ε in linear layers;
    * gates and dense layers without convolutions (recurrent cells): :func:`lstm_2017` with its bias fixed;
    * convolutions: z⁺ (signed form) for them and LRP-ε for dense layers, ε⁺ of Kohlbrenner 2020, bias fixed; sums that no
      ReLU follows, and dense layers that are applied at each position, get the generalised γ rule with γ = 0.25;
    * dense layers alone (tabular data): the generalised γ rule, which keeps both signs, in sums too.

    Relevance passes norms in all of them (Achtibat 2024, Prop. 3.4). In a residual sum ``a + b``, or a dense layer of one
    of many blocks, LRP-0 and LRP-ε divide by a sum whose terms may cancel, and relevance grows from block to block. The
    denominators of γ keep a share of the terms that have the sum's sign: ``Σ|R|`` grows by less than ``(2 + γ) / γ`` in a
    layer, however close to 0 its output is. With a fixed bias the denominators would lack it and could cancel again, so
    under γ biases are inputs: in dense networks their share goes evenly to the layer's inputs.
    Any of them is a starting point, not the truth: docs/coverage.md shows how they conserve on many architectures.
    """
    graph = network.graph if isinstance(network, Network) else network
    sliding = any(isinstance(layer.op, (Convolution, TransposedConvolution)) for layer in graph.layers)
    if attends(graph):
        return of_attention(sliding)
    gates = any(isinstance(layer.op, Product) and any(map(is_gate, layer.domains)) for layer in graph.layers)
    if gates and not sliding and any(isinstance(layer.op, Dense) for layer in graph.layers):
        return Plan(
            lstm_2017(bias="fixed").entries, note="the network has gates and no convolutions: Arras 2017, bias fixed"
        )
    passing = Entry(NORMS, Identity(), optional=True)
    if sliding:
        entries = [
            passing,
            IN_SUMS,
            Entry(position_wise, gamma_rule("distribute"), optional=True),
            Entry(kind("dense"), choose("epsilon", "fixed", epsilon=1e-6), optional=True),
            Entry(every, choose("zplus_signed", "fixed"), optional=True),
        ]
        return Plan(entries, note=f"the network has convolutions: ε⁺ (Kohlbrenner 2020), bias fixed; {WHY_SUMS}")
    return Plan(
        [passing, IN_SUMS, Entry(every, gamma_rule("distribute"), optional=True)],
        note=f"the network has dense layers and no convolutions: generalised γ = {GAMMA}, biases handed to the inputs",
    )


def attends(graph: Graph) -> bool:
    """Whether softmax, other than that of the output, weighs values: by a product of two activations' matrices."""
    mixing = any(isinstance(layer.op, MatMul) for layer in graph.layers)
    return mixing and any(isinstance(layer.op, Softmax) for i, layer in enumerate(graph.layers) if i != graph.output)


def of_attention(images: bool) -> Plan:
    """AttnLRP as its paper has it for language, and for images."""
    if not images:
        return Plan(attnlrp(norm="identity").entries, note="the network has attention: AttnLRP (Achtibat 2024)")
    return Plan(
        [IN_SUMS, *attnlrp(gamma=GAMMA, norm="identity").entries],
        note=f"the network has attention and convolutions: AttnLRP (Achtibat 2024) with γ = {GAMMA}; {WHY_SUMS}",
    )
