"""Relevance models of affine layers in a prepared pass: no balance, one saved tensor for each search, no pass that the data
does not ask for.

With ``R = y ⊙ c`` above the layer and ``u_m(a) = a`` it hands down ``c = Σ_m ρ_m(w)ᵀ (q ⊙ c_above)``, ``q = y / D``.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce
from typing import Any

import torch
from torch import Tensor

from dtd.affine import AffineMap
from dtd.algebra import identity, negative, one, positive
from dtd.direction import Factor, Only
from dtd.direction.functions import Function, signed_parts
from dtd.domain import Domain
from dtd.fast.kernels import Passes, fastest
from dtd.fast.step import Plain, Setting, Step, prepare
from dtd.fast.sums import scale_step, sum_step
from dtd.fast.terms import Down, Slots, Term, change, term
from dtd.propagation import Layer
from dtd.relevance import RelevanceModel
from dtd.root import RootStrategy

SIDES = {identity, positive, negative}  # of an activation: itself, or itself on one side of zero
Through = Callable[[Tensor], Tensor]


@dataclass(frozen=True, eq=False)
class Sources:
    """The forward passes of a layer: pre-activations, and what its searches need besides."""

    own: Passes  # with the layer's own weight
    passes: tuple[tuple[Function, Through], ...]  # with modified ones
    halves: tuple[int, ...]  # passes that add up to ``Σ_j a_j w_kj``
    without_bias: bool  # whether ``Σ_j a_j w_kj`` is needed without the bias

    def __call__(self, a: Tensor) -> tuple[Tensor, list[Tensor]]:
        """``z``, and all passes: first ``Σ_j a_j w_kj``, or ``z`` where nobody needs that. # shape: (B, *out)"""
        found = [through(a if function is identity else function(a)) for function, through in self.passes]
        affine = self.own.affine
        if not self.without_bias and not self.halves:
            z = self.own.apply(a)
            return z, [z, *found]
        raw = reduce(torch.add, [found[i] for i in self.halves]) if self.halves else self.own.linear(a, affine.weight)
        return raw if affine.bias is None else raw + affine.per_output(affine.bias), [raw, *found]


@dataclass(frozen=True, eq=False)
class AffineStep(Step):
    """A relevance model that is made of searches, on an affine layer."""

    layer: Layer
    setting: Setting
    sources: Sources
    terms: tuple[Term, ...]
    required: tuple[Domain, ...]  # where inputs must lie, as far as the trace does not say that they do
    functions: frozenset[Function]  # the u_m of all terms
    reads: bool  # whether the way down reads the inputs
    overwrites: bool  # whether z may become y in place
    gated: bool  # whether the way down tells units by the sign of z
    takes_coefficients = True
    owns_result = True

    @property
    def merged(self) -> bool:  # type: ignore[override]
        return self.setting.activation is not None

    @property
    def hands_coefficients(self) -> bool:  # type: ignore[override]
        return self.functions <= SIDES

    def up(self, checks: list[Tensor], *inputs: Tensor) -> tuple[Tensor, Any]:
        a = self.layer.joined(inputs)
        if self.required:
            checks.extend(domain.contains(a).all() for domain in self.required)
        z, passes = self.sources(a)
        found = [each.denominator(z, passes) for each in self.terms]
        gate = z if self.gated else None
        y = self.setting.merge(checks, z, self.overwrites)
        kept = [each.quotient.keep(y, d) for each, d in zip(self.terms, found, strict=True)]
        return y, (a if self.reads else None, gate, kept)

    def down(self, saved: Any, relevance: Tensor) -> tuple[Tensor, ...]:
        a, gate, kept = saved
        parts: dict[Function, Tensor] = {}
        for each, mine in zip(self.terms, kept, strict=True):
            s = each.quotient.quotient(mine, relevance, self.setting.may_overwrite and each is self.terms[-1])
            if each.mirror is None:
                add_adjoints(parts, each.down, s)
            else:
                active = torch.ops.aten.threshold_backward(s, gate, 0)
                add_adjoints(parts, each.down, active)
                add_adjoints(parts, each.mirror.down, s - active)
        return self.layer.parted(coefficients(parts, a) if self.hands_coefficients else weighed(parts, a))


def add_adjoints(parts: dict[Function, Tensor], down: Down, s: Tensor) -> None:
    """Add the adjoints at ``s`` to what was found for the same function of the activation."""
    for function, part in zip(down.functions, down.lower(s), strict=True):
        parts[function] = parts[function].add_(part) if function in parts else part


def coefficients(parts: dict[Function, Tensor], a: Any) -> Tensor:
    """``c`` with ``a ⊙ c = Σ_m u_m(a) ⊙ part_m``."""
    whole = parts.get(identity)
    if whole is not None and len(parts) == 1:
        return whole
    nothing = next(iter(parts.values())).new_zeros(())
    sided = torch.where(a > 0, parts.get(positive, nothing), parts.get(negative, nothing))
    return sided if whole is None else sided.add_(whole)


def weighed(parts: dict[Function, Tensor], a: Any) -> Tensor:
    """``Σ_m u_m(a) ⊙ part_m``."""
    total: Any = None
    for function, part in parts.items():
        part = part if function is one else part * function(a)
        total = part if total is None else total.add_(part)
    return total


def affine_step(root: RootStrategy, layer: Layer, setting: Setting) -> AffineStep | None:
    """The prepared pass of a root strategy's searches; None where there is none."""
    passes = fastest(layer.op)
    slots: Slots = {}
    searches = root.searches() or ()
    found = [term(search, weight, layer, passes, setting, slots) for weight, search in searches]
    terms = [each for each in found if each is not None]
    if len(terms) < len(found):
        return None
    gated = any(each.mirror for each in terms)
    affine: AffineMap = layer.op
    modified = tuple((f.activation, passes.raising(change(f), setting.dtype)) for f in slots)
    needed = any(0 in each.parts or each.mirror for each in terms)
    halves = () if setting.dtype else complement(slots, layer.domain)
    functions = [f for each in terms for f in (*each.down.functions, *(each.mirror.down.functions if each.mirror else ()))]
    known = [direction.bound(layer.domain).requires for direction in root.directions]
    return AffineStep(
        layer=layer,
        setting=setting,
        sources=Sources(passes, modified, halves, needed and affine.bias is not None),
        terms=tuple(terms),
        required=tuple(domain for domain in known if not layer.domain.within(domain)),
        functions=frozenset(functions),
        reads=set(functions) not in ({identity}, {one}),
        overwrites=not (gated or any(each.quotient.needs_z and (each.plain or 0 in each.parts) for each in terms)),
        gated=gated,
    )


def complement(slots: Slots, domain: Domain) -> tuple[int, ...]:
    """Passes with ``w⁺`` and ``w⁻`` whose sum is the layer's own, so that it need not be computed."""
    halves = [Factor(function, Only(side)) for function, _ in signed_parts(domain) for side in (1, -1)]
    return tuple(slots[half] - 1 for half in halves) if all(half in slots for half in halves) else ()


@prepare.register
def _(model: RelevanceModel, layer: Layer, setting: Setting) -> Step:
    if model.root.searches() is None:
        return Plain(model, layer)
    simple = sum_step(model.root, layer, setting) or scale_step(model.root, layer, setting)
    return simple or affine_step(model.root, layer, setting) or Plain(model, layer)
