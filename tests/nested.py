"""The exact relevance model by its definition: slow, obvious, in as many digits as asked for."""

from dataclasses import dataclass
from itertools import count

from mpmath import mpf
from torch import nn

TAGS = count(1)  # of derivatives, the inner ones later


@dataclass(frozen=True)
class Digits:
    """A kind of number, and how finely the recursion by definition is resolved with it."""

    number: type
    width: float  # of a root's bracket, relative
    close: float  # how well that has to agree


MANY = Digits(mpf, 1e-26, 1e-8)


@dataclass(frozen=True, eq=False)
class Dual:
    """``value + slope ε`` with ``ε² = 0``, one ε for each tag; a derivative of a derivative has a dual number inside."""

    value: object
    slope: object
    tag: int

    def _parts(self, other):
        """The other number's value and slope with respect to this one's ε; a number of a later ε speaks for itself."""
        if isinstance(other, Dual) and other.tag > self.tag:
            return None
        return (other.value, other.slope) if isinstance(other, Dual) and other.tag == self.tag else (other, 0)

    def __add__(self, other):
        parts = self._parts(other)
        return other + self if parts is None else Dual(self.value + parts[0], self.slope + parts[1], self.tag)

    def __mul__(self, other):
        parts = self._parts(other)
        if parts is None:
            return other * self
        return Dual(self.value * parts[0], self.slope * parts[0] + self.value * parts[1], self.tag)

    def inverse(self):
        """``1 / x``."""
        reciprocal = inverse(self.value)
        return Dual(reciprocal, -1 * (self.slope * reciprocal * reciprocal), self.tag)

    __radd__, __rmul__ = __add__, __mul__

    def __sub__(self, other):
        return self + -1 * other

    def __rsub__(self, other):
        return -1 * self + other

    def __truediv__(self, other):
        return self * inverse(other)

    def __rtruediv__(self, other):
        return other * self.inverse()


def inverse(x):
    """``1 / x``."""
    return x.inverse() if isinstance(x, Dual) else 1 / x


def real(x):
    """The number without any ε."""
    return real(x.value) if isinstance(x, Dual) else x


def derivative(function, x):
    """``f'(x)``, which may itself have derivatives."""
    tag = next(TAGS)
    y = function(Dual(x, 1, tag))
    return y.slope if isinstance(y, Dual) and y.tag == tag else 0


class Nested:
    """The recursion by definition: roots by scanning and halving, every derivative by nested dual numbers."""

    def __init__(self, model: nn.Sequential, kind: str, digits: Digits):
        layers = [part for part in model if isinstance(part, nn.Linear)]
        self.w = [[[digits.number(v) for v in row] for row in part.weight.tolist()] for part in layers]
        self.b = [[digits.number(v) for v in part.bias.tolist()] for part in layers]
        self.kind, self.digits = kind, digits

    def z(self, level, a):
        rows = zip(self.w[level], self.b[level], strict=True)
        return [sum((w * x for w, x in zip(row, a, strict=True)), b) for row, b in rows]

    def direction(self, level, k, a):
        return [x if self.kind == "lrp0" or w > 0 else 0 * x for w, x in zip(self.w[level][k], a, strict=True)]

    def above(self, level, target, a):
        """Relevance of the outputs of layer ``level`` at its inputs ``a``."""
        z = self.z(level, a)
        if level == len(self.w) - 1:
            return [v if k == target else 0 * v for k, v in enumerate(z)]
        return self.relevance(level + 1, target, [v if real(v) > 0 else 0 * v for v in z])

    def relevance(self, level, target, a):
        """R_j(a) of the inputs of layer ``level``."""
        total = [0 * x for x in a]
        for k, arrived in enumerate(self.above(level, target, a)):
            if real(arrived) != 0:
                root = self.root(level, target, k, a, arrived)
                for j in range(len(a)):
                    if real(root[j]) != real(a[j]):
                        total[j] = total[j] + self.slope(level, target, k, root, j) * (a[j] - root[j])
        return total

    def root(self, level, target, k, a, arrived):
        """The root of unit k on its ray, at the end of its bracket on the data point's side, as a function of ``a``."""
        v = self.direction(level, k, a)

        def at(t):
            return [x - t * d for x, d in zip(a, v, strict=True)]

        def value(t):
            return self.above(level, target, at(t))[k]

        plain, way = [real(x) for x in a], [real(d) for d in v]

        def keeps(t):
            moved = [x - t * d for x, d in zip(plain, way, strict=True)]
            return self.above(level, target, moved)[k] * real(arrived) > 0

        n = sum(w * d for w, d in zip(self.w[level][k], way, strict=True))
        end = self.z(level, plain)[k] / n if n else self.digits.number(1)
        end = end if end > 0 else self.digits.number(1)
        low = high = 0 * end
        for high in [end * i / 8 for i in range(1, 9)] + [end * f for f in (1.25, 1.5, 2, 3, 4)]:
            if not keeps(high):
                break
            low = high
        if low == high:
            return a
        while high - low > self.digits.width * high:
            middle = (low + high) / 2
            low, high = (middle, high) if keeps(middle) else (low, middle)
        if abs(real(value(low))) >= 1e-6 * abs(real(arrived)):
            return a
        t = low
        for _ in range(3):  # the root moves with a: each Newton step doubles the order to which its derivatives are right
            here = value(t)
            t = t - (here - real(here)) / derivative(value, t)
        return at(t)

    def slope(self, level, target, k, root, j):
        """``∂R_k/∂a_j`` at a root."""

        def moved(x):
            return self.above(level, target, [x if i == j else r for i, r in enumerate(root)])[k]

        return derivative(moved, root[j])
