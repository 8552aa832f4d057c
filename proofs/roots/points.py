"""Exact active units for the domain conditions: every pattern of signs, on both sides of the condition and on it."""

from collections.abc import Callable, Iterator
from fractions import Fraction
from itertools import product
from random import Random
from typing import Any

import numpy as np

from dtd.domain import NonNegative, Real
from dtd.plans.rules import catalogue
from proofs.layers import Setting
from proofs.notation import show, showing
from proofs.roots.margins import margins_of
from proofs.units import FiniteMap

Draw = Callable[[Random], dict[str, Any]]
SIZES = tuple(Fraction(n, d) for n in (1, 2, 3, 5) for d in (1, 2, 3))


def unit(a: list, w: list, b: Any, parameters: dict[str, Any], domain: Any = None) -> Setting:
    """One unit with the given numbers."""
    weight, bias = np.array([w], dtype=object), np.array([b], dtype=object)
    layer = FiniteMap(weight=weight, bias=bias, in_shape=(len(w),), out_shape=(1,))
    one = np.array([[Fraction(1)]], dtype=object)
    return Setting(layer, np.array([a], dtype=object), one, domain or NonNegative(), "fixed", parameters)


def titled(at: Setting) -> str:
    """The numbers of a unit."""
    return f"a={show(at.input)} w={show(at.w)} b={show(at.b)} {showing(at.parameters)}".strip()


def active(at: Setting) -> bool:
    """Whether z > 0."""
    return bool((at.z > 0).all())


def rule_points(rule: str, parameters: Draw, inputs: int = 3, signed: bool = False) -> Iterator[tuple[str, Setting]]:
    """Units with every pattern of weights (+, −, 0): margin below, at and above 0, where z > 0 allows.

    Their inputs are >= 0, or of either sign where ``signed``.
    """
    for number, signs in enumerate(product((1, -1, 0), repeat=inputs)):
        for level in (-1, 0, 1):
            draw = Random(f"{rule} {number} {level}")
            drawn = parameters(draw)
            a = [draw.choice((Fraction(0), *SIZES)) * (draw.choice((1, -1)) if signed else 1) for _ in signs]
            w = [sign * draw.choice(SIZES) for sign in signs]
            at = on_level(rule, unit(a, w, Fraction(0), drawn), level * draw.choice(SIZES))
            if at is not None and active(at):
                yield titled(at), at


def on_level(rule: str, at: Setting, level: Fraction) -> Setting | None:
    """The same unit with the bias that puts its first margin at a level; None where no bias does."""

    def margin(b: Fraction) -> Fraction:
        moved = unit(list(at.input[0]), list(at.w[0]), b, at.parameters)
        return margins_of(catalogue[rule], moved.units, **moved.parameters)[0].item()

    slope = margin(Fraction(1)) - margin(Fraction(0))
    if slope == 0:
        return None
    return unit(list(at.input[0]), list(at.w[0]), (level - margin(Fraction(0))) / slope, at.parameters)


def box_points(inputs: int = 3) -> Iterator[tuple[str, Setting]]:
    """Units in boxes: weights of either sign, or 0."""
    for number, signs in enumerate(product((1, -1, 0), repeat=inputs)):
        for level in (-1, 0, 1):
            draw = Random(f"box {number} {level}")
            low = [draw.choice(SIZES) * draw.choice((-1, 1)) for _ in signs]
            high = [draw.choice(SIZES) + bound for bound in low]
            share = [Fraction(draw.randint(0, 3), 3) for _ in signs]
            a = [x + s * (y - x) for x, y, s in zip(low, high, share, strict=True)]
            w = [sign * draw.choice(SIZES) for sign in signs]
            bounds = {"low": np.array([low], dtype=object), "high": np.array([high], dtype=object)}
            lowest = sum(v * (x if v > 0 else y) for v, x, y in zip(w, low, high, strict=True))
            at = unit(a, w, level * draw.choice(SIZES) - lowest, bounds, Real())
            if active(at):
                yield titled(at), at
