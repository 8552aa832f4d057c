"""The settings in which a rule is proved: any number of inputs, every pattern of signs, exact rational points."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from itertools import combinations_with_replacement
from random import Random
from typing import Any, get_args

import numpy as np
import sympy

from dtd.domain import Domain, NonNegative
from dtd.root import Bias
from proofs.kernel import Case
from proofs.notation import show, showing
from proofs.symbols import SymbolArray, array
from proofs.units import FiniteMap, GenericMap, SymbolicUnits, j

BIASES: tuple[Bias, ...] = get_args(Bias)
INPUTS = NonNegative()
ANY, PATTERNS = "any J", "signs at J = 2"  # extents: any number of inputs; two inputs with every pattern of signs
SIGNS = {"+": "positive", "-": "negative"}
SIDES = {"z > 0": 1, "z < 0": -1, "z = 0": 0}
WEAK = {"+": "nonnegative", "-": "nonpositive"}


@dataclass(frozen=True, eq=False)
class Setting:
    """One affine layer at one point, with the relevance of its units and what a rule's parameters are there.

    # shape: input (1, J), relevance (1, K)
    """

    map: Any  # a FiniteMap or a GenericMap, whose entries are exact or symbolic: no map of tensors
    input: np.ndarray
    relevance: np.ndarray
    domain: Domain
    bias_mode: Bias = "fixed"
    parameters: dict[str, Any] = field(default_factory=dict)

    @cached_property
    def units(self) -> SymbolicUnits:
        return SymbolicUnits(self.map, self.input)

    @property
    def a(self):
        """Activations along the receptive fields. # shape: (1, K, J)"""
        return self.units.activations

    @property
    def w(self):
        """# shape: (K, J)"""
        return self.map.weight

    @property
    def b(self):
        """# shape: (K,)"""
        return self.map.bias

    @property
    def z(self):
        """# shape: (1, K)"""
        return self.units.z

    def total(self, terms):
        """``Σ_j`` of terms. # shape: (1, K, J) -> (1, K)"""
        return self.map.total(terms * (self.w * 0 + 1))


def indexed(name: str, index: sympy.Symbol = j, **assumptions: bool) -> sympy.Indexed:
    """``name_j``, a real number for each input unless more is assumed."""
    return sympy.IndexedBase(name, **(assumptions or {"real": True}))[index]


def real(name: str, **assumptions: bool) -> sympy.Symbol:
    """A real symbol."""
    return sympy.Symbol(name, **(assumptions or {"real": True}))


def symbol(name: str, low: int = 0) -> sympy.Symbol:
    """A parameter that is >= 0 (``low`` = 0), > 0 (``low`` > 0) or any real number."""
    return real(name) if low < 0 else real(name, positive=True) if low > 0 else real(name, nonnegative=True)


Parameters = Callable[[Callable[..., Any], Callable[..., Any]], dict[str, Any]]


def none(entry: Callable, number: Callable) -> dict[str, Any]:
    """No parameters."""
    return {}


@dataclass(frozen=True)
class Family:
    """The settings of one rule: the domain it is for, its parameters, and what its weights and outputs may be.

    ``side``: "z > 0", "z < 0" or "z = 0" for units with that pre-activation, "" where its sign does not matter.
    ``patterned``: whether to go through the patterns of signs at two inputs. ``parameters(entry, number)`` makes the
    rule's parameters from symbols or numbers alike: ``entry(name, lower, upper)`` one for each input (in the shape of the
    input), ``number(name, low)`` a single one that is >= 0, or of either sign with ``low`` < 0.
    """

    domain: Domain = INPUTS
    parameters: Parameters = none
    weights: str = "+-0"
    side: str = ""
    patterned: bool = True
    units: int = 2  # of the exact points
    note: str = ""

    @property
    def signed(self) -> bool:
        return not isinstance(self.domain, NonNegative)

    def cases(self, biases: tuple[Bias, ...] = BIASES, points: int = 12, shown: bool = True) -> Iterator[Case]:
        """Points first, then the generic number of inputs, then sign patterns."""
        for mode in biases:
            yield from (self.point(mode, seed, units=self.units) for seed in range(points))
        for mode in biases:
            setting = self.generic(mode)
            yield Case(self._title(f"any J, bias {mode}"), setting, shown=shown, where=self.sides(setting), extent=ANY)
        for mode in [mode for mode in biases if self.patterned and mode != "distribute"]:
            yield from self.patterns(mode)

    def _title(self, text: str) -> str:
        return ", ".join(filter(None, (text, self.side, self.note)))

    def generic(self, mode: Bias) -> Setting:
        """Any number of inputs."""
        a = indexed("a", nonnegative=True) if not self.signed else indexed("a")
        w = indexed("w", nonzero=True, real=True) if "0" not in self.weights else indexed("w")
        plain = GenericMap(weight=array([[w]]), bias=array([real("b")]))
        layer = GenericMap(weight=plain.weight, bias=self._bias(plain, array([[a]])))
        parameters = self.parameters(lambda name, *_: array([[indexed(name)]]), symbol)
        return Setting(layer, array([[a]]), array([[real("R")]]), self.domain, mode, parameters)

    def _bias(self, layer: GenericMap | FiniteMap, a: SymbolArray) -> SymbolArray:
        """``b``, or ``±z − Σ a w`` with a symbol z > 0 where the sign of the output is given."""
        if not self.side:
            return layer.bias
        return SIDES[self.side] * real("z", positive=True) - layer.linear(a, layer.weight)[0]

    def sides(self, at: Setting) -> dict[sympy.Expr, sympy.Expr]:
        """With a fixed bias, the sign of ``Σ a w`` is that of the side."""
        if not self.side or at.bias_mode != "fixed":
            return {}
        return {at.total(at.a * at.w).item(): SIDES[self.side] * real("n", positive=True)}

    def patterns(self, mode: Bias) -> Iterator[Case]:
        """Two inputs, with every pattern of signs of weights, inputs and bias (up to the order of the inputs)."""
        kinds = [(sign, part) for sign in self.weights for part in ("+-" if self.signed else "+")]
        for chosen in combinations_with_replacement(kinds, 2):
            for of_bias in "+-" if mode != "fixed" and not self.side else "+":
                title = " ".join(f"w{n}{sign} a{n}{part}" for n, (sign, part) in enumerate(chosen, 1))
                setting = self._pattern(chosen, of_bias, mode)
                yield Case(self._title(f"{title} b{of_bias}, bias {mode}"), setting, extent=PATTERNS)

    def _pattern(self, chosen: tuple, of_bias: str, mode: Bias) -> Setting:
        w = array(
            [[0 * sympy.S.One if s == "0" else real(f"w{n}", **{SIGNS[s]: True}) for n, (s, _) in enumerate(chosen, 1)]]
        )
        a = array([[real(f"a{n}", **{WEAK[part]: True}) for n, (_, part) in enumerate(chosen, 1)]])
        b = array([real("b", **{WEAK[of_bias]: True})]) if mode != "fixed" else array([real("b")])
        layer = FiniteMap(weight=w, bias=b, in_shape=(2,), out_shape=(1,))
        layer = FiniteMap(weight=w, bias=self._bias(layer, a), in_shape=(2,), out_shape=(1,))
        parameters = self.parameters(lambda name, *_: array([[real(f"{name}{n}") for n in (1, 2)]]), symbol)
        return Setting(layer, a, array([[real("R")]]), self.domain, mode, parameters)

    def point(self, mode: Bias, seed: int, inputs: int = 3, units: int = 2) -> Case:
        """Rational numbers, with zeros among them; the shipped code runs on `fractions.Fraction`."""
        draw = Random(f"{mode} {seed} {self.side}")

        def number(low: int = -6, high: int = 6) -> Fraction:
            return Fraction(draw.randint(low, high), draw.choice((1, 2, 3)))

        def weight() -> Fraction:
            drawn = number()
            return drawn if drawn or "0" in self.weights else Fraction(draw.choice((-1, 1)))

        w = np.array([[weight() for _ in range(inputs)] for _ in range(units)], dtype=object)
        low = -6 if self.signed else 0
        a = np.array([[number(low) for _ in range(inputs)]], dtype=object)
        b = np.array([number() for _ in range(units)], dtype=object)
        if self.side:
            z = np.array([SIDES[self.side] * (abs(number()) + 1) for _ in range(units)], dtype=object)
            b = z - (a * w).sum(-1)
        relevance = np.array([[number() + Fraction(1, 7) for _ in range(units)]], dtype=object)
        layer = FiniteMap(weight=w, bias=b, in_shape=(inputs,), out_shape=(units,))
        parameters = self.parameters(
            lambda _, low=-6, high=6: np.array([[number(low, high) for _ in range(inputs)]], dtype=object),
            lambda _, low=0: number(low, 4),
        )
        title = self._title(f"a={show(a)} w={show(w)} b={show(b)} {showing(parameters)}, bias {mode}")
        return Case(title, Setting(layer, a, relevance, self.domain, mode, parameters), point=True)
