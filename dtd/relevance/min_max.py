"""The min-max relevance model: a small trained network for the relevance of each upper unit."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from dtd.affine import Dense
from dtd.algebra import negative, positive
from dtd.callers.printing import Printed
from dtd.direction import Direction, ToBox, Weights, ZPlus
from dtd.domain import Box, Domain, NonNegative
from dtd.errors import InputError
from dtd.propagation import Context, Contextual, Layer, Propagated, Propagation, balance, per_sample
from dtd.relevance.training_free import TrainingFree
from dtd.root import Ray


@dataclass(frozen=True, eq=False)
class MinMax(Contextual, Printed):
    """``R̂_k(a) = Σ_p max(0, Σ_j a_j v_kpj + d_kp)`` with ``d_kp = min(0, Σ_l R_l u_kpl + e_kp)``.

    Each upper unit k of a dense layer has P hidden units of its own; their biases are never positive and depend on the
    relevance ``R_l`` of the next layer with weights above (Montavon 2017). Because ``d ≤ 0`` every hidden unit
    has its root in the domain, and the layer's relevance is that of the hidden layer, redistributed from there:

        R_j = Σ_kp R̂_kp ρ_kpj / Σ_i ρ_kpi,   ρ_kpj = v_kpj × (its direction: z⁺ on a ≥ 0, z^B on a box, w² elsewhere)

    What the model predicts wrongly, ``R_k − R̂_k``, is the remainder; nothing is rescaled. The parameters come from
    :func:`dtd.fit_min_max` or :func:`load`. # shape: v (K, P, J), u (K, P, L), e (K, P)

    A hidden unit with v = (1, 1) and d = 0 predicts R̂ = 2 of the relevance 3, shared as z⁺ does; 1 is the
    remainder.

    >>> import dtd, torch
    >>> model = torch.nn.Sequential(torch.nn.Linear(2, 1), torch.nn.ReLU(), torch.nn.Linear(1, 1))
    >>> for layer, weight in ((model[0], [[1.0, 2.0]]), (model[2], [[1.0]])):
    ...     _ = layer.load_state_dict({"weight": torch.tensor(weight), "bias": torch.zeros(1)})
    >>> net = dtd.trace(model, torch.ones(1, 2), dtd.NonNegative())
    >>> learned = dtd.MinMax(torch.ones(1, 1, 2), torch.zeros(1, 1, 1), torch.zeros(1, 1))
    >>> out = dtd.explain(net, torch.ones(1, 2), 0, dtd.Plan([("0", learned), ("*", dtd.rules.choose("lrp0"))]))
    >>> out.relevance, out.layers["0"].balance.remainder
    (tensor([[1., 1.]]), tensor([1.]))
    """

    v: Tensor
    u: Tensor
    e: Tensor

    def accepts(self, layer: Layer) -> bool:
        units, _, inputs = self.v.shape
        return per_unit(layer) and layer.op.weight.shape == (units, inputs)

    def check(self, layers: Sequence[Layer], models: Sequence[Propagation], position: int, batch: int) -> None:
        above = upper(layers, position)
        found, (*_, expected) = torch.Size(layers[above].shape).numel(), self.u.shape
        if found != expected:
            raise InputError(
                f"The min-max model of layer '{layers[position].name}' depends on {expected} relevances above; layer "
                f"'{layers[above].name}' has {found} units. Fit it on this network."
            )

    def forward(self, layer: Layer, inputs: tuple[Tensor, ...]) -> tuple[Tensor, Any]:
        return layer(*inputs), None

    def hidden(self, a: Tensor, relevance: Tensor) -> Tensor:
        """``max(0, a·v + d)`` given the relevance above. # shape: a (B, J), relevance (B, L) -> (B, K, P)"""
        d = negative(torch.einsum("bl,kpl->bkp", relevance, self.u) + self.e)
        return positive(torch.einsum("bj,kpj->bkp", a, self.v) + d)

    def layer(self, layer: Layer) -> Layer:
        """The hidden layer, with its units in one row."""
        weight = self.v.flatten(0, 1)
        dense = Dense(weight=weight, bias=None, in_shape=layer.op.in_shape, out_shape=(len(weight),))
        return replace(layer, op=dense, shape=dense.out_shape)

    def decompose(self, layer: Layer, context: Context, relevance: Tensor) -> Propagated:
        a = layer.joined(tuple(context.values[j] for j in layer.inputs))
        above = context.arrived[upper(context.above.layers, context.position)]
        hidden, inner = self.hidden(a, above.flatten(1)), self.layer(layer)
        model = TrainingFree(Ray(direction_on(layer.domain), line=True))
        found = model.backward(inner, model.forward(inner, (a,))[1], hidden.flatten(1))
        missing = per_sample(relevance) - per_sample(hidden)
        parts = {"zeroth": found.balance.zeroth, "remainder": found.balance.remainder + missing, "bias": 0 * missing}
        return Propagated(found.relevance, balance(relevance, found.relevance, **parts))


def per_unit(layer: Layer) -> bool:
    """Whether each upper unit has a weight row of its own: dense layers on flat inputs."""
    return isinstance(layer.op, Dense) and len(layer.op.in_shape) == 1


def direction_on(domain: Domain) -> Direction:
    """The direction of the hidden layer that a domain prescribes (Montavon 2017)."""
    return ToBox() if isinstance(domain, Box) else ZPlus() if domain.within(NonNegative()) else Weights()


def upper(layers, position: int) -> int:
    """The next layer with weights above a layer.

    Raises :class:`InputError` for the last one: what arrives there is the output itself, and no relevance lies above.
    """
    above = [i for i in range(position + 1, len(layers)) if layers[i].weighted]
    if not above:
        raise InputError(
            f"The min-max model needs a layer with weights above; '{layers[position].name}' is the last. Its relevance is "
            "the output itself: give it a rule."
        )
    return above[0]


def save_models(path: Path | str, models: Mapping[str, MinMax]) -> None:
    """Write the models of several layers into one file of tensors (``torch.save``)."""
    torch.save({name: {f.name: getattr(model, f.name) for f in fields(MinMax)} for name, model in models.items()}, path)


def load(path: Path | str, layer: str) -> MinMax:
    """The model of one layer from a file that :func:`save_models` wrote; only tensors are read from it, no code.

    Raises :class:`InputError` for a layer that the file lacks.
    """
    models = torch.load(path, weights_only=True)
    if layer not in models:
        raise InputError(f"'{path}' has no min-max model for layer '{layer}'; it has {', '.join(sorted(models))}.")
    return MinMax(**models[layer])
