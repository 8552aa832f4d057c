"""Other libraries on the same list, each by its own standard way to give LRP-0 or LRP-ε with a tiny ε.

Each explains one floating-point input while the others are held; ids of words are replaced by their vectors where the model
takes ``inputs_embeds``. No library is told anything about an architecture.
"""

from collections.abc import Callable, Mapping
from importlib import import_module
from time import perf_counter

import torch
from torch import Tensor, nn

from experiments.cost.peers import installed
from experiments.questions.coverage.architectures.base import Example
from experiments.questions.coverage.measuring import Row, far, largest, named, reason

TINY = 1e-12
PEERS = ("zennit", "captum", "autolrp")


class OneInput(nn.Module):
    """A model as a function of one of its inputs that returns the explained output."""

    def __init__(self, example: Example, name: str | None, vectors: str | None):
        super().__init__()
        self.model, self.example, self.name, self.vectors = example.model, example, name, vectors

    def forward(self, x: Tensor) -> Tensor:
        if self.name is None:
            found = self.model(x)
        else:
            others = {key: value for key, value in self.example.inputs.items() if key != self.name}
            found = self.model(**others, **{self.vectors or self.name: x})
        output = self.example.output
        if output is None:
            return found
        return output(found) if callable(output) else found[output]


def single(example: Example) -> tuple[OneInput, Tensor]:
    """The model as a function of its first floating-point input, or of the vectors of its words, and that input.

    Raises :class:`TypeError` for a model of which no input is a floating-point tensor and that takes no vectors.
    """
    inputs = example.inputs if isinstance(example.inputs, Mapping) else {None: example.inputs}
    for name, value in inputs.items():
        if value.is_floating_point():
            return OneInput(example, name, None), value
    if not hasattr(example.model, "get_input_embeddings"):
        raise TypeError("the model has no floating-point input")
    name = "input_ids" if "input_ids" in inputs else None
    vectors = example.model.get_input_embeddings()(inputs[name]).detach()
    if name is None:
        example, name = example._replace(inputs={"input_ids": inputs[None]}), "input_ids"
    return OneInput(example, name, "inputs_embeds"), vectors


def by_zennit(model: nn.Module, x: Tensor, target: Tensor) -> Tensor:
    """LRP-ε with the smallest stabiliser, its own rules for pooling and sums, batch norms merged, ResNets rewritten."""
    import_module("experiments.machine.vision")
    composites, rules, types = (import_module(f"zennit.{name}") for name in ("composites", "rules", "types"))
    attribution, networks = import_module("zennit.attribution"), import_module("zennit.torchvision")
    layers = [*composites.layer_map_base(TINY), (types.Linear, rules.Epsilon(TINY))]
    composite = composites.LayerMapComposite(layers, canonizers=[networks.ResNetCanonizer()])
    with attribution.Gradient(model, composite) as attributor:
        return attributor(x, lambda y: chosen(y, target))[1].detach()


def by_captum(model: nn.Module, x: Tensor, target: Tensor) -> Tensor:
    """captum's default: LRP-ε for every module that it has a rule for."""
    return import_module("captum.attr").LRP(model).attribute(x.clone().requires_grad_(), target=target).detach()


def by_autolrp(model: nn.Module, x: Tensor, target: Tensor) -> Tensor:
    """autoLRP's default, LRP-ε on the autograd graph, sample by sample; it explains one number, as a share of it."""
    autolrp = import_module("autolrp")
    total = torch.zeros_like(x)
    for sample, place in enumerate(target.tolist()):
        wrapped = autolrp.tensor(x.clone())
        explained = model(wrapped)[sample, place]
        explained.lrp()
        total += wrapped.relevance.detach() * explained.detach().as_subclass(Tensor)
    return total


RELEVANCE: dict[str, Callable[[nn.Module, Tensor, Tensor], Tensor]] = {
    "zennit": by_zennit,
    "captum": by_captum,
    "autolrp": by_autolrp,
}


def chosen(output: Tensor, target: Tensor) -> Tensor:
    """The output at the target and 0 elsewhere."""
    return output * torch.zeros_like(output).scatter_(1, target[:, None], 1.0)


def measure_peer(name: str, library: str, linear: bool) -> Row:
    """One row about an architecture under another library; ``linear`` says whether the network is piecewise linear."""
    architecture = named(name)
    row: Row = {"name": name, "family": architecture.family, "library": library, "piecewise_linear": linear}
    try:
        model, x = single(architecture.make())
        with torch.no_grad():
            expected = model(x)
        start, target = perf_counter(), largest(expected)
        relevance = RELEVANCE[library](model, x, target)
        row["explain_seconds"] = perf_counter() - start
        explained = expected.gather(1, target[:, None])[:, 0]
        return row | {
            "status": "explained",
            "reached": float((relevance.flatten(1).sum(1) / explained).mean()),
            "growth": float((relevance.flatten(1).abs().sum(1) / explained.abs()).max()),
            "finite": bool(relevance.isfinite().all()),
            **({"gradient": without_biases(architecture.make(), library)} if linear else {}),
        }
    except Exception as error:
        return row | {"status": "refused", "reason": reason(error)}


def without_biases(example: Example, library: str) -> float:
    """How far relevance is from gradient × input where all biases are 0: libraries differ in what a bias keeps."""
    model, x = single(example)
    with torch.no_grad():
        for name, tensor in [*model.named_parameters(), *model.named_buffers()]:
            if "bias" in name or "running_mean" in name:
                tensor.zero_()
        target = largest(model(x))
    expected = times_gradient(model, x, target)
    return far(RELEVANCE[library](model, x, target), expected)


def times_gradient(model: nn.Module, x: Tensor, target: Tensor) -> Tensor:
    """``x ⊙ ∂f/∂x``."""
    leaf = x.detach().clone().requires_grad_()
    (gradient,) = torch.autograd.grad(model(leaf).gather(1, target[:, None]).sum(), leaf)
    return x * gradient


def peers(wanted: list[str]) -> list[str]:
    """Those of some libraries that are installed."""
    return [each for each in wanted if installed(each)]
