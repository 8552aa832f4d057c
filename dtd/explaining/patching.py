"""What replacing a part of a hidden layer by that of another input changes: by relevance, by gradients, by doing it."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import pandas as pd
import torch
from torch import Tensor

from dtd.callers.arithmetic import own_arithmetic
from dtd.callers.printing import Printed
from dtd.errors import InputError, check_parameter
from dtd.explaining.explain import explain
from dtd.explaining.hidden import At, Places
from dtd.explaining.patched import Run, held_above, patched, per_patch, slopes
from dtd.explaining.request import Asked
from dtd.explaining.rows import samples_at
from dtd.explaining.starts.unit import layer_index
from dtd.explaining.target import target_at
from dtd.network.leaves import Inputs
from dtd.network.network import Network
from dtd.plans.plan import Plan, check_asked


@dataclass(frozen=True, eq=False)
class Patching(Printed):
    """Two inputs of a network, and what patches of the second one's activations change in what is explained of the first.

    Made by :func:`dtd.patching`; nothing is computed before it is asked for. Each of the three scores of a layer has one
    number for each sample and patch: a patch for each index of an ``axis`` of one sample of the layer's output (tokens,
    channels), or the whole output where ``axis`` is None.

    >>> import dtd, torch
    >>> model = torch.nn.Sequential(torch.nn.Linear(2, 2, bias=False), torch.nn.ReLU(), torch.nn.Linear(2, 1, bias=False))
    >>> _ = model[0].weight.data.copy_(torch.eye(2)), model[2].weight.data.copy_(torch.tensor([[3.0, 1.0]]))
    >>> net, x, y = dtd.trace(model, torch.ones(1, 2)), torch.tensor([[1.0, 2.0]]), torch.tensor([[-1.0, 3.0]])
    >>> found = dtd.patching(net, x, y, 0, dtd.Plan.uniform("lrp0"), at=["0"])
    >>> found.relevance("0", axis=0).tolist(), found.effect("0", axis=0).tolist()  # at y the first unit is off
    ([[-6.0, 1.0]], [[-3.0, 1.0]])
    """

    network: Network
    inputs: Inputs
    other: Inputs
    target: Asked
    plan: Plan | None
    layers: tuple[str, ...]
    at_once: int

    def relevance(self, layer: str, axis: int | None = None) -> Tensor:
        """Relevance patching (RelP): ``Σ_j c_j (a′_j − a_j)`` with the relevance ``R_j = c_j a_j`` of the layer's output.

        It is the relevance model ``R̂(a) = Σ_j c_j a_j`` at the other activations minus at these, with c held. Where
        ``a_j = 0`` relevance has no coefficient, and the entry counts 0. # shape: (B, patches), (B,) without an axis
        """
        a, moved = self._activations[self._checked(layer)]
        c = torch.where(a != 0, self._relevance[layer] / torch.where(a != 0, a, 1), 0)
        return per_patch(c * (moved - a), self._axis(layer, axis))

    def gradient(self, layer: str, axis: int | None = None) -> Tensor:
        """Attribution patching: ``Σ_j ∂f/∂a_j (a′_j − a_j)``, first-order terms of the true function.

        # shape: (B, patches), (B,) without an axis
        """
        a, moved = self._activations[self._checked(layer)]
        return per_patch(self._slopes[layer] * (moved - a), self._axis(layer, axis))

    def effect(self, layer: str, axis: int | None = None) -> Tensor:
        """Activation patching: ``f(a, with a′ at the patch) − f(a)``, by running the layers above once for each patch.

        Patches at which both activations are the same are not run: their effect is 0.

        # shape: (B, patches), (B,) without an axis
        """
        a, moved = self._activations[self._checked(layer)]
        axis = self._axis(layer, axis)
        differs = per_patch((moved != a).to(a), axis) > 0
        differs = differs[:, None] if axis is None else differs
        rows, patches = differs.nonzero(as_tuple=True)
        with own_arithmetic():
            run = self._run()
            place = layer_index(run.graph, layer)
            held = held_above(run, place)
            changes = torch.zeros_like(differs, dtype=a.dtype)
            whole = run.above(place, held)
            for samples, numbers in zip(rows.split(self.at_once), patches.split(self.at_once), strict=True):
                values = {j: value[samples] for j, value in held.items()}
                values[place] = patched(values[place], moved[samples], axis, numbers)
                changes[samples, numbers] = self._run(samples).above(place, values) - whole[samples]
        return changes[:, 0] if axis is None else changes

    def table(self, axis: int | None = None) -> pd.DataFrame:
        """All scores of all layers. Columns: ``sample``, ``layer``, ``patch``, ``relevance``, ``gradient``, ``effect``."""
        parts = []
        for layer in self.layers:
            scores = {n: getattr(self, n)(layer, axis).cpu() for n in ("relevance", "gradient", "effect")}
            shape = scores["effect"].shape
            size = shape[1] if len(shape) > 1 else 1
            index = torch.arange(shape[0] * size)
            own = {"sample": index // size, "layer": layer, "patch": index % size}
            parts.append(pd.DataFrame({**own, **{n: values.flatten().numpy() for n, values in scores.items()}}))
        return pd.concat(parts, ignore_index=True)

    def _checked(self, layer: str) -> str:
        required = f"one of the layers that were asked for ({', '.join(self.layers)})"
        check_parameter(layer in self.layers, "layer", required, repr(layer))
        return layer

    def _axis(self, layer: str, axis: int | None) -> int | None:
        axes = self._activations[layer][0].ndim - 1
        fits = axis is None or (isinstance(axis, int) and not isinstance(axis, bool) and -axes <= axis < axes)
        check_parameter(fits, "axis", f"None or one of the {axes} axes of one sample of layer '{layer}'", repr(axis))
        return None if axis is None else axis % axes

    @cached_property
    def _activations(self) -> Mapping[str, tuple[Tensor, Tensor]]:
        """Of both inputs, by layer. # shape: (B, *out) each"""
        with own_arithmetic():
            here, there = (
                {layer.name: y for _, layer, _, y in run.graph.ascend(run.values) if layer.name in self.layers}
                for run in (Run.of(self.network, inputs, self.target) for inputs in (self.inputs, self.other))
            )
        return {name: (here[name], there[name]) for name in self.layers}

    @cached_property
    def _relevance(self) -> Mapping[str, Tensor]:
        out = explain(self.network, self.inputs, self.target, self.plan, at=self.layers)
        return {name: out.at[name].output for name in self.layers}

    @cached_property
    def _slopes(self) -> Mapping[str, Tensor]:
        """``∂f/∂a`` by layer. # shape: (B, *out)"""
        with own_arithmetic(gradients=True):
            return slopes(self._run(), self.layers)

    def _run(self, rows: Tensor | None = None) -> Run:
        """The network at the first inputs, or at chosen samples of them, with the target of each."""
        if rows is None:
            return Run.of(self.network, self.inputs, self.target)
        return Run.of(self.network, samples_at(self.network, self.inputs, rows), target_at(self.target, rows))


def patching(
    network: Network,
    inputs: Inputs,
    other: Inputs,
    target: Asked,
    plan: Plan | None = None,
    *,
    at: At,
    at_once: int = 64,
) -> Patching:
    """What would change if a part of a hidden layer were that of another input (a clean and a corrupted prompt)?

    Activation patching replaces it and runs the layers above again, ``f(a, with a′ at the patch) − f(a)``: a forward sweep
    for each patch. Two first-order answers have all patches of all layers from one pass: attribution patching takes the
    gradient, ``Σ_j ∂f/∂a_j (a′_j − a_j)``, and relevance patching the coefficients ``c_j = R_j/a_j`` of the plan's rules,
    ``Σ_j c_j (a′_j − a_j)`` (RelP, Jafari et al. 2025). ``f`` is what is explained, summed over outputs.

    Args:
        network, plan: as for :func:`dtd.explain`. Rules that give relevance to inputs that are 0 or hand it out without
            regard to them (w², flat, z^B) have no useful coefficients.
        inputs, other: sample b of the one with sample b of the other, of the same shapes; what is explained is that of
            ``inputs``, and side values (masks) of patched runs are those of ``inputs``.
        target: a class, one for each sample, a function of each sample's output, a :class:`dtd.Unit` or a contrast.
        at: names of layers, globs over names, selectors of :mod:`dtd.where`.
        at_once: how many patched samples are run together.

    >>> import dtd, torch
    >>> layers = torch.nn.Linear(2, 2, bias=False), torch.nn.Linear(2, 1, bias=False)
    >>> _ = layers[0].weight.data.copy_(torch.tensor([[1.0, 2.0], [0.0, 1.0]])), layers[1].weight.data.fill_(1.0)
    >>> net = dtd.trace(torch.nn.Sequential(*layers), torch.ones(1, 2))
    >>> x, y = torch.tensor([[3.0, 1.0]]), torch.tensor([[3.0, 2.0]])  # a = (5, 1), a′ = (7, 2), f = a_1 + a_2
    >>> found = dtd.patching(net, x, y, 0, dtd.Plan.uniform("lrp0"), at=["0"])
    >>> [score("0", axis=0).tolist() for score in (found.relevance, found.gradient, found.effect)]
    [[[2.0, 1.0]], [[2.0, 1.0]], [[2.0, 1.0]]]

    Raises :class:`InputError` for inputs of different shapes, initial relevance as numbers, and layers that there are not.
    """
    if plan is not None:
        check_asked(network, plan)
    check_parameter(isinstance(at_once, int) and at_once >= 1, "at_once", "a positive integer", at_once)
    with own_arithmetic():
        run, beside = (Run.of(network, each, target) for each in (inputs, other))
        found = [{j: tuple(value.shape) for j, value in each.values.items()} for each in (run, beside)]
        if found[0] != found[1]:
            shapes = [", ".join(map(str, each.values())) for each in found]
            raise InputError(f"'inputs' and 'other' must have the same shapes; found {shapes[0]} and {shapes[1]}.")
        read = sorted(Places(at).passage(run.graph, run.batch).read)
    check_parameter(bool(read), "at", "layers, at least one", at)
    return Patching(network, inputs, other, target, plan, tuple(run.graph.layers[i].name for i in read), at_once)
