"""Training of min-max relevance models on the relevance that a decomposition produces."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import torch
from torch import Tensor

from dtd.callers.arithmetic import own_arithmetic
from dtd.errors import InputError, check_count, check_number, check_parameter, check_share
from dtd.explaining.observe import observe
from dtd.explaining.target import Target
from dtd.network.activations import activations
from dtd.network.network import Network
from dtd.plans.entry import Entry
from dtd.plans.plan import Plan
from dtd.plans.where import exactly
from dtd.propagation import Layer
from dtd.relevance.min_max import MinMax, per_unit, save_models, upper


@dataclass(frozen=True)
class Training:
    """How each layer's model is trained: Adam on the squared error, on batches drawn with ``seed``.

    Parameters that are left out keep their defaults.

    >>> import dtd
    >>> dtd.Training(steps=100, seed=3)
    Training(hidden=4, steps=100, batch=128, rate=0.01, held_out=0.2, seed=3)
    """

    hidden: int = 4  # P: hidden units for each upper unit
    steps: int = 500
    batch: int = 128
    rate: float = 1e-2  # relative to the size of a typical weight
    held_out: float = 0.2  # share of the samples that the fit is measured on
    seed: int = 0

    def __post_init__(self):
        check_count("hidden", self.hidden)
        check_count("steps", self.steps, 0)
        check_count("batch", self.batch)
        check_number("rate", self.rate)
        check_share("held_out", self.held_out)
        check_parameter(0 < self.held_out < 1, "held_out", "between 0 and 1, and neither", self.held_out)


@dataclass(frozen=True, eq=False)
class Fitted:
    """Trained models by layer, and how well they fit.

    ``fit``: a row for each layer with ``units``, ``hidden``, ``samples``, and ``r2_train``, ``r2_test``: the share of the
    relevance's variance (within units, over samples) that the model explains; 0 is as good as each unit's mean. Missing
    where relevance does not vary.
    """

    models: Mapping[str, MinMax]
    fit: pd.DataFrame

    def plan(self, rest: Plan) -> Plan:
        """The min-max models where there are some, and another plan elsewhere."""
        return Plan([*(Entry(exactly(layer), model) for layer, model in self.models.items()), *optional(rest)])

    def save(self, path: Path | str) -> None:
        """Write the models to a file; :func:`dtd.relevance.min_max.load` reads one layer's."""
        save_models(path, self.models)


def optional(plan: Plan) -> list[Entry]:
    """A plan's entries, each of which may match nothing."""
    return [Entry(entry.where, entry.model, optional=True) for entry in plan.entries]


def fit_min_max(
    network: Network, batches: Iterable[Tensor], target: Target, plan: Plan, training: Training = Training()
) -> Fitted:
    """Train a min-max model for every dense layer but the last, from the output down.

    Each layer learns the relevance ``R_k`` that arrives at it when the layers above use the models already trained (and
    ``plan`` where there is none), from its input and the relevance above (Montavon 2017).

    Args:
        batches: inputs ``(B, *in)``; read once for each layer.
        target: what is explained; see :func:`dtd.explain`.
        plan: what stands in for layers that have no model (yet): the last layer, convolutions.

    Raises:
        InputError: batches that can be read only once, or a network without a layer that can have a model.

    A model for each dense layer but the last.

    >>> import dtd, torch
    >>> model = torch.nn.Sequential(torch.nn.Linear(2, 1), torch.nn.ReLU(), torch.nn.Linear(1, 1))
    >>> for layer, weight in ((model[0], [[1.0, 2.0]]), (model[2], [[1.0]])):
    ...     _ = layer.load_state_dict({"weight": torch.tensor(weight), "bias": torch.zeros(1)})
    >>> net = dtd.trace(model, torch.ones(1, 2), dtd.NonNegative())
    >>> data = [torch.rand(32, 2)]
    >>> fitted = dtd.fit_min_max(net, data, 0, dtd.Plan.uniform("zplus"), dtd.Training(steps=5))
    >>> list(fitted.models)
    ['0']
    """
    if iter(batches) is batches:
        raise InputError("'batches' is read several times: give a list of tensors or a loader, not a generator.")
    layers = [(i, layer) for i, layer in enumerate(network.layers) if layer.weighted and per_unit(layer)]
    layers = [(i, layer) for i, layer in layers if layer is not network.weighted[-1]]
    if not layers:
        raise InputError("Min-max models are for dense layers below the last layer with weights; the network has none.")
    fitted = Fitted({}, pd.DataFrame())
    for i, layer in reversed(layers):
        a, relevance, above = relevance_seen(network, batches, target, fitted.plan(plan), i)
        model, row = fit_layer(layer, a, relevance, above, training)
        fitted = Fitted({layer.name: model, **fitted.models}, pd.concat([pd.DataFrame([row]), fitted.fit]))
    return Fitted(fitted.models, fitted.fit.reset_index(drop=True))


@own_arithmetic()
def relevance_seen(
    network: Network, batches: Iterable[Tensor], target: Target, plan: Plan, position: int
) -> tuple[Tensor, Tensor, Tensor]:
    """A layer's input, the relevance of its output, and that of the next layer above. # shape: (N, J), (N, K), (N, L)"""
    found = []
    for x in batches:
        arrived = observe(network, x, target, plan).arrived
        a = next(read for i, (_, read, _) in enumerate(activations(network, x)) if i == position)
        found.append((a, arrived[position].flatten(1), arrived[upper(network.layers, position)].flatten(1)))
    a, above, further = (torch.cat(parts) for parts in zip(*found, strict=True))
    return a, above, further


@own_arithmetic()
def fit_layer(layer: Layer, a: Tensor, relevance: Tensor, above: Tensor, training: Training) -> tuple[MinMax, dict]:
    """One layer's model and its row of the fit."""
    generator = torch.Generator().manual_seed(training.seed)
    order = torch.randperm(len(a), generator=generator)
    test, train = order[: max(1, int(training.held_out * len(a)))], order[max(1, int(training.held_out * len(a))) :]
    size = relevance[train].square().mean().sqrt().clamp(min=torch.finfo(a.dtype).tiny)
    scaled, upper_scaled = relevance / size, above / size
    start = initial(layer, a[train], scaled[train], above.shape[1], training.hidden, generator)
    parameters = [tensor.clone().requires_grad_() for tensor in start]
    typical = start[0].abs().mean()
    optimiser = torch.optim.Adam(parameters, lr=training.rate * typical.item())
    for _ in range(training.steps):
        rows = train[torch.randint(len(train), (training.batch,), generator=generator)]
        with torch.enable_grad():
            error = MinMax(*parameters).hidden(a[rows], upper_scaled[rows]).sum(2) - scaled[rows]
            optimiser.zero_grad()
            error.square().mean().backward()
            optimiser.step()
    v, u, e = (tensor.detach() for tensor in parameters)
    model = MinMax(size * v, u, size * e)
    r2 = {
        f"r2_{part}": explained(model, a[rows], relevance[rows], above[rows])
        for part, rows in (("train", train), ("test", test))
    }
    return model, {"layer": layer.name, "units": relevance.shape[1], "hidden": training.hidden, "samples": len(a), **r2}


def initial(layer: Layer, a: Tensor, relevance: Tensor, above: int, hidden: int, generator: torch.Generator):
    """Where training starts: the unit's own weights, scaled to the mean relevance and shaken; biases just below 0."""
    w = layer.op.weight
    mean = torch.relu(a @ w.T).mean(0).clamp(min=1e-6)
    scale = (relevance.mean(0).clamp(min=0) / mean + 0.1 / mean.mean()) / hidden
    noise = torch.randn(len(w), hidden, w.shape[1], generator=generator, dtype=w.dtype) * w.abs().mean()
    v = (w[:, None] + 0.5 * noise) * scale[:, None, None]
    return v, torch.zeros(len(w), hidden, above, dtype=w.dtype), torch.full((len(w), hidden), -1e-3, dtype=w.dtype)


@own_arithmetic()
def explained(model: MinMax, a: Tensor, relevance: Tensor, above: Tensor) -> float | None:
    """``1 − Σ (R̂ − R)² / Σ (R − mean over samples)²``; None where relevance does not vary."""
    error = (model.hidden(a, above).sum(2) - relevance).square().sum()
    variance = (relevance - relevance.mean(0)).square().sum()
    return float(1 - error / variance) if variance > 0 else None
