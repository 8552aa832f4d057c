"""A direction of one's own: the docs page runs as printed, and what it says is true."""

import re
from contextlib import redirect_stdout
from dataclasses import dataclass
from fractions import Fraction
from io import StringIO
from pathlib import Path
from random import Random

from dtd.algebra import identity, positive
from dtd.direction import Direction, Factor, Weights
from dtd.domain import Real
from dtd.root import Ray
from proofs.own import derive
from proofs.roots.points import active, unit

PAGE = Path(__file__).parents[2] / "docs" / "own_direction.md"


@dataclass(frozen=True)
class Strongest(Direction):
    """The direction of the docs page."""

    def factors(self, domain):
        return (Factor(identity, positive),)


def test_the_page_prints_what_it_says():
    text = PAGE.read_text(encoding="utf-8")
    code, printed = (re.search(rf"```{kind}\n(.*?)```", text, re.DOTALL).group(1) for kind in ("python", "text"))
    assert len([line for line in code.splitlines() if line.strip()]) <= 15
    out = StringIO()
    with redirect_stdout(out):
        exec(compile(code, str(PAGE), "exec"), {"__name__": "page"})
    assert out.getvalue() == printed


def test_the_domain_condition_is_right_at_exact_points():
    draw, seen = Random(0), set()
    for _ in range(400):
        a = [Fraction(draw.randint(0, 3)) for _ in range(3)]
        w = [Fraction(draw.randint(-3, 3)) for _ in range(3)]
        at = unit(a, w, Fraction(draw.randint(-6, 6)), {})
        if not active(at):
            continue
        root = Ray(Strongest()).root(at.units, at.domain)
        inside = bool(root.exists.all() and (root.points(at.units) >= 0).all())
        n = sum(x * v * v for x, v in zip(a, w, strict=True) if v > 0)
        z = at.z.item()
        claimed = n > 0 and all(v <= 0 or x == 0 or n - v * z >= 0 for x, v in zip(a, w, strict=True))
        assert inside == claimed, (a, w, at.b)
        seen.add(inside)
    assert seen == {True, False}


def test_a_wrong_formula_is_refuted_with_a_point():
    found = derive(Strongest(), lambda a, w: a * positive(w))
    assert found.result.verdict == "refuted" and not found.result.ok
    assert "a=(" in str(found)


def test_other_domains_and_directions():
    found = derive(Weights(), domain=Real())
    assert found.result.ok and set(found.coordinates.values()) == {"always"}
    assert derive(Weights()).coordinates["w_j > 0"].endswith("≥ 0")
