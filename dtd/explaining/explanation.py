"""What an explanation is, and how one forward sweep gives it for each target."""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import torch
from torch import Tensor

from dtd.callers.printing import shown
from dtd.explaining.balances import Kept, Record, Records
from dtd.explaining.edges import Edges, Nodes, edges_of
from dtd.explaining.growth import Ends, UnderflowWarning, growth, lost_at, too_small
from dtd.propagation import per_sample
from dtd.relevance.passage import HiddenRelevance


@dataclass(frozen=True, eq=False, repr=False)
class Explanation:
    """Relevance of the inputs, and each layer's balance.

    ``relevance`` is a tensor where the network was traced with one tensor, and otherwise a mapping by the inputs' names.
    ``at`` has the relevance of the hidden layers that were asked for, by name.

    # shape: relevance (B, *in) of each explained input, output (B, *out), initial (B, *out)

    A unit with weights (3, −1) at a = (1, 1), so that z = 2.

    >>> import dtd, torch
    >>> unit = torch.nn.Linear(2, 1)
    >>> _ = unit.load_state_dict({"weight": torch.tensor([[3.0, -1.0]]), "bias": torch.tensor([0.0])})
    >>> net = dtd.trace(unit, torch.ones(1, 2))
    >>> plan = dtd.Plan([("*", dtd.rules.choose("lrp0"))])
    >>> dtd.explain(net, torch.ones(1, 2), 0, plan)
    Explanation(relevance=tensor(1, 2), output=tensor(1, 1), conservation Σ R(inputs) / Σ R(output) = 1)
    """

    relevance: Tensor | Mapping[str, Tensor]
    output: Tensor
    initial: Tensor
    source: Records = field(repr=False)
    at: Mapping[str, HiddenRelevance] = field(default_factory=dict)

    @cached_property
    def layers(self) -> Mapping[str, Record]:
        """What happened at each layer, by name: found when first asked for, by a second pass that adds everything up.

        Until then the explanation holds its input and no activations. Raises :class:`StaleError` when the input or the
        model's parameters have changed since. Where relevance is too small for its dtype at some layer, an
        :class:`UnderflowWarning` says so.
        """
        found = self.source.records()
        where = lost_at(found, self.parts)
        if where:
            warnings.warn(too_small(self.initial, where), UnderflowWarning, stacklevel=3)
        return found

    def __reduce__(self):
        """Copies and pickles hold what was found at each layer, and neither the network nor the input."""
        found = self.relevance
        numbers = found.detach() if isinstance(found, Tensor) else {name: r.detach() for name, r in found.items()}
        hidden = {name: each.detached() for name, each in self.at.items()}
        return Explanation, (numbers, self.output.detach(), self.initial.detach(), Kept.of(self.source), hidden)

    def __repr__(self) -> str:
        conserved = self.conservation()
        ends = (conserved.min().item(), conserved.max().item()) if len(conserved) else (1.0, 1.0)
        kept = f"{ends[0]:.4g}" if ends[0] == ends[1] else f"{ends[0]:.4g} to {ends[1]:.4g}"
        large = ", relevance outgrows what is explained: see growth" if Ends.of(self.parts, self.initial).grown else ""
        return (
            f"Explanation(relevance={shown(self.relevance)}, output={shown(self.output)}, "
            f"conservation Σ R(inputs) / Σ R(output) = {kept}{large})"
        )

    @property
    def parts(self) -> tuple[Tensor, ...]:
        """Relevance of each explained input. # shape: (B, *in) each"""
        return (self.relevance,) if isinstance(self.relevance, Tensor) else tuple(self.relevance.values())

    @cached_property
    def growth(self) -> dict[str, float]:
        """``Σ|R| / Σ|R_initial|`` at the output of each layer, from the output down, for the sample where it is largest.

        The last one, ``(inputs)``, is that of all explained inputs together: where it exceeds 1000 for some sample, a
        :class:`GrowthWarning` says so, with the layer and the reason.
        """
        return growth(self.layers, self.initial, self.parts)

    def edges(self, lower: str, upper: str, *, by: Nodes = "channel", threshold: float = 0.0) -> Edges:
        """``R_{j←k}``: how much of the relevance of each node j of ``lower`` came from each node k of ``upper``.

        Nodes are channels, summed over places, or single units (``by="unit"``). One relevance pass through the layers
        between for each upper node. Edges below ``threshold`` times the sample's largest are left out; the sums are of all.

        Raises :class:`InputError` for layers that no way leads between and for rules that are not linear in relevance, and
        :class:`StaleError` when the input or the model has changed since.
        """
        return edges_of(self.source.replays(), lower, upper, by, threshold)

    def conservation(self) -> Tensor:
        """``Σ R_input / Σ R_initial``; where the initial relevance sums to 0, 1 if the input's does and else infinity.

        # shape: (B,)
        """
        given, arrived = per_sample(self.initial), torch.stack([per_sample(p) for p in self.parts]).sum(0)
        undefined = torch.where(arrived == 0, 1.0, torch.inf).to(given)
        return torch.where(given == 0, undefined, arrived / torch.where(given == 0, 1.0, given))
