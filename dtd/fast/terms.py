"""One search on one layer of a prepared pass: which passes its ``n`` is the sum of, and how relevance goes down."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import reduce

import torch
from torch import Tensor

from dtd.affine import AffineMap
from dtd.algebra import one
from dtd.callers.copies import on_copies
from dtd.direction import Direction, Factor, Given
from dtd.direction.functions import Function
from dtd.fast.kernels import Change, Passes
from dtd.fast.quotients import Active, Damped, Divided, Free, Nonzero, Quotient, Ratio, Stabilised
from dtd.fast.step import Setting
from dtd.propagation import Layer
from dtd.relevance.fused import bound, broadcast, is_own_pass, moves_whole
from dtd.root import Search

Adjoints = Callable[[Tensor], tuple[Tensor, ...]]
Slots = dict[Factor, int]  # where each factor's pass is among those of the layer; 0 is the layer's own


@dataclass(frozen=True, eq=False)
class Down:
    """The adjoints of some factors' passes, all at the same ``s``."""

    functions: tuple[Function, ...]  # u_m
    lower: Adjoints


@dataclass(frozen=True, eq=False)
class Mirror:
    """What units with ``z ≤ 0`` have in place of the rest: ``n = total Σ_j a_j w_kj − n₊``."""

    total: Tensor
    constant: Tensor | None
    down: Down


@dataclass(frozen=True, eq=False)
class Term:
    """What one search adds to a layer's relevance."""

    search: Search
    quotient: Quotient
    parts: tuple[int, ...]  # the layer's passes that n is the sum of
    constant: Tensor | None  # what n has besides
    down: Down
    mirror: Mirror | None
    plain: bool  # D = z, or is made from it later
    exact: bool  # D = n

    def denominator(self, z: Tensor, passes: list[Tensor]) -> Tensor:
        """``D``. # shape: (B, *out)"""
        if self.plain:
            return z
        if not self.parts:
            n = (z.new_zeros(()) if self.constant is None else self.constant).expand(z.shape)
        else:
            n = reduce(torch.add, [passes[i] for i in self.parts])
            below = None if self.mirror is None else added(passes[0] * self.mirror.total - n, self.mirror.constant)
            n = added(n, self.constant)
            n = n if below is None else torch.where(z > 0, n, below)
        return n if self.exact else self.search.denominator(n, z, lambda function: on_copies(function)(z))


def added(n: Tensor, constant: Tensor | None) -> Tensor:
    """``n + constant``, where None is 0."""
    return n if constant is None else n + constant


def term(search: Search, weight: float, layer: Layer, passes: Passes, setting: Setting, slots: Slots) -> Term | None:
    """A search on a layer, its passes added to ``slots``; None where it has no prepared pass and must be run as it is.

    Units with ``z ≤ 0`` below a ReLU receive no coefficient, so factors for them are left out there.
    """
    affine: AffineMap = layer.op
    direction, factors = bound(search, layer)
    above = [replace(f, side=0) for f in factors if f.side >= 0]
    below = [replace(f, side=0) for f in factors if f.side < 0 and not silences(setting)]
    total = direction.mirrored if below else 0.0
    if not search.stops_at_root or search.bias == "distribute" or total is None:
        return None
    fixed = [f for f in above if f.activation is one or isinstance(f.activation, Given)]
    constants = [affine.linear(broadcast(f.activation(1), affine.example), f.rho(affine.weight)) for f in fixed]
    b = affine.per_output(affine.bias) if search.bias_moves and affine.bias is not None else None
    quotient = reading(search, weight, layer, setting)
    plain = is_z(search, layer) or isinstance(quotient, (Damped, Stabilised))
    mirror = None
    if below:
        constant = with_bias([], direction, b, -1)
        mirrored = total.to(affine.weight) if isinstance(total, Tensor) else affine.weight.new_tensor(total)
        mirror = Mirror(mirrored, constant, adjoints(passes, below, setting))
    return Term(
        search=search,
        quotient=quotient,
        parts=() if plain else tuple(slot(f, slots) for f in above if f not in fixed),
        constant=with_bias(constants, direction, b, 1),
        down=adjoints(passes, above, setting),
        mirror=mirror,
        plain=plain,
        exact=is_undamped(search),
    )


def silences(setting: Setting) -> bool:
    """Whether units with ``z ≤ 0`` receive no relevance."""
    return setting.as_coefficients and setting.function is not None and setting.function.rectifies


def is_preactivation(search: Search, layer: Layer) -> bool:
    """Whether ``n`` is the pre-activation."""
    factors = bound(search, layer)[1]
    alone = len(factors) == 1 and is_own_pass(factors[0])
    return alone and (layer.op.bias is None or moves_whole(search, layer))


def is_z(search: Search, layer: Layer) -> bool:
    """Whether ``D`` is the pre-activation."""
    return is_undamped(search) and is_preactivation(search, layer)


def is_undamped(search: Search) -> bool:
    """Whether ``D`` is ``n``."""
    return search.damping_number == 0


def reading(search: Search, weight: float, layer: Layer, setting: Setting) -> Quotient:
    """How a search divides by ``D``."""
    affine: AffineMap = layer.op
    factor = None if weight == 1 else affine.weight.new_tensor(weight)
    size = search.damping_number if is_preactivation(search, layer) else None
    epsilon = affine.weight.new_tensor(size or 0.0)
    damped = bool(epsilon > 0)  # not where it is too small for the network's numbers
    if not setting.as_coefficients:
        return Stabilised(factor, epsilon) if damped else Divided(factor)
    function = setting.function
    if size is None or weight != 1 or not (function is None or function.is_relu):
        return Ratio(factor)
    if damped:
        return Damped(epsilon, signed=function is None)
    if function is not None:
        return Active()
    same_sign = all(bool((part >= 0).all()) for part in (affine.weight, affine.bias) if part is not None)
    return Free() if same_sign and layer.domain.nonnegative else Nonzero()


def with_bias(constants: list[Tensor], direction: Direction, b: Tensor | None, side: int) -> Tensor | None:
    """Constant parts of ``n`` and the bias neuron's, for units on one side of zero."""
    parts = constants if b is None else [*constants, b * direction.bias_on(b, side)]
    return reduce(torch.add, parts) if parts else None


def slot(factor: Factor, slots: Slots) -> int:
    """The place of a factor's pass, the same for the same pass."""
    return 0 if is_own_pass(factor) else slots.setdefault(factor, len(slots) + 1)


def adjoints(passes: Passes, factors: list[Factor], setting: Setting) -> Down:
    """The adjoints of the factors' passes."""
    functions = tuple(f.activation for f in factors)
    return Down(functions, passes.lowering([None if f.keeps_weight else change(f) for f in factors], setting.dtype))


def change(factor: Factor) -> Change:
    """What a factor makes of the weight."""
    return Change(factor.rho, factor.weight, factor.slopes)
