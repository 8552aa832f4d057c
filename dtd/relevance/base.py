"""What every relevance model of an affine unit shares: the explicit and the fused reading of its expansion."""

from abc import abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from functools import reduce
from operator import add
from typing import Any, final

from torch import Tensor

from dtd.affine import AffineMap
from dtd.algebra import divide, nonzero
from dtd.callers.printing import Printed
from dtd.direction import Given
from dtd.domain import Domain, varies_by_sample
from dtd.errors import check_parameter, in_short
from dtd.propagation import Layer, Propagated, Propagation, TaylorTerms, balance, per_sample
from dtd.relevance.fused import downward, expand_search, plain_pass
from dtd.relevance.roots import root_by_root
from dtd.root import Root, RootStrategy
from dtd.root.units import Units, at_once, rounding


@dataclass(frozen=True)
class RelevanceModel(Propagation, Printed):
    """``R̂_k(a) = R_k f(z_k(a) / z_k)``: a model of the relevance of affine unit k, expanded at the roots of ``root``.

    Subclasses give ``f`` (:meth:`value`), with ``f(r) = r`` between a root (``r = 0``) and the data point
    (``r = 1``), and its slope. With ``r = z(ã) / z`` and ``shift = (a − ã)/z`` the expansion at ``ã`` has

        first order   R_k f'(r) w_kj shift_kj
        bias neuron   R_k f'(r) b_k shift_k0
        zeroth        R_k f(r)
        remainder     R_k (1 − f(r)) − R_k f'(r) (1 − r)

    At ``z = 0`` the terms are their limit, which exists wherever the search has a point. Source: Montavon 2017,
    Sec. 3.

    The relevance model of a ReLU: f(r) = max(0, r).

    >>> import dtd, torch
    >>> dtd.TrainingFree(dtd.Ray(dtd.Weights())).value(torch.tensor([-1.0, 0.0, 0.5, 1.0]))
    tensor([0.0000, 0.0000, 0.5000, 1.0000])
    """

    root: RootStrategy

    def __post_init__(self) -> None:
        check_parameter(
            isinstance(self.root, RootStrategy), "root", "a root strategy, such as dtd.Ray(…)", in_short(self.root)
        )

    @abstractmethod
    def value(self, r: Any) -> Any:
        """``f(r)``."""

    @abstractmethod
    def slope(self, r: Any, tolerance: Any) -> Any:
        """``f'(r)``, at a kink the one from the data point's side; ``tolerance`` is the rounding error of ``r``."""

    @abstractmethod
    def defined(self, z: Any) -> Any:
        """Where a model of this form can equal a non-zero relevance at the data point."""

    @abstractmethod
    def in_region(self, r: Any, tolerance: Any) -> Any:
        """Whether ``ã`` lies in the closure of the model's linear region around the data point."""

    def accepts(self, layer: Layer) -> bool:
        return isinstance(layer.op, AffineMap)

    def sample_wise(self, layer: Layer) -> bool:
        directions = [direction.bound(layer.domain) for direction in self.root.directions]
        functions = [factor.activation for direction in directions for factor in direction.factors(layer.domain)]
        values = [function.value for function in functions if isinstance(function, Given)]
        values += [bound for direction in directions for bound in direction.requires.bounds()]
        if self.root.searches() is None:
            values += layer.domain.bounds()
        return self.root.sample_wise and not any(map(varies_by_sample, values))

    def terms(self, units: Units, domain: Domain, relevance: Any) -> TaylorTerms:
        """The Taylor terms of some units at their explicit roots. # shape: relevance (B, k)"""
        return reduce(add, (part.scale(weight) for weight, part in self.expansions(units, domain, relevance)))

    def expansions(self, units: Units, domain: Domain, relevance: Any) -> Iterator[tuple[float, TaylorTerms]]:
        """The Taylor terms at each of the roots, with its weight."""
        for weight, root in self.root.roots(units, domain):
            yield weight, self._terms(root, units, relevance)

    def _terms(self, root: Root, units: Units, relevance: Any) -> TaylorTerms:
        r, tolerance = root.residual(units)
        slope = relevance * self.slope(r, tolerance)
        bias = slope * units.bias * root.bias_shift
        first = slope[..., None] * units.weights * root.shift
        if root.distributed:
            inputs = units.inputs() + 0 * bias
            first = first + units.spread(divide(bias, inputs))
            bias = bias * (1 - nonzero(inputs))
        value = relevance * self.value(r)
        return TaylorTerms(first, bias, value, relevance - value - slope * (1 - r))

    @final
    def forward(self, layer: Layer, inputs: tuple[Tensor, ...]) -> tuple[Tensor, Any]:
        a = layer.joined(inputs)
        searches = self.root.searches()
        if searches is None:
            self.root.check(layer, a)
            at_once(layer.op, len(a), self.root.memory, layer.name)
            return layer.op.apply(a), a
        z, raw = plain_pass(layer, a, [search for _, search in searches])
        return z, (a, [expand_search(search, layer, a, z, raw) for _, search in searches])

    @final
    def backward(self, layer: Layer, saved: Any, relevance: Tensor) -> Propagated:
        searches = self.root.searches()
        if searches is None:
            return root_by_root(self.terms, layer, saved, relevance, self.root.memory)
        a, expansions = saved
        lower: Any = None
        parts: dict[str, Any] = {"bias": 0, "zeroth": 0, "remainder": 0}
        for (weight, search), expansion in zip(searches, expansions, strict=True):
            s, remainder = divide(relevance, expansion.denominator), per_sample(relevance) * 0
            if search.stops_at_root:
                zeroth = per_sample(relevance) - per_sample(s * expansion.n)
            else:
                r = 1 - divide(expansion.n, expansion.denominator)
                s = s * self.slope(r, rounding(divide(expansion.spread, expansion.denominator.abs())))
                value = relevance * self.value(r)
                zeroth, remainder = per_sample(value), per_sample(relevance - value - s * expansion.n)
            handed, bias = downward(search, layer, a, expansion, s)
            handed = handed if weight == 1 else weight * handed
            lower = handed if lower is None else lower + handed
            for name, part in (("bias", bias), ("zeroth", zeroth), ("remainder", remainder)):
                parts[name] = parts[name] + weight * part
        zero = per_sample(relevance) * 0
        return Propagated(layer.parted(lower), balance(relevance, (lower,), **{k: v + zero for k, v in parts.items()}))
