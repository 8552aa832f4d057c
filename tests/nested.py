"""The exact relevance model by its definition: slow, obvious, in as many digits as asked for."""

from dataclasses import dataclass

from mpmath import mpf
from torch import nn


@dataclass(frozen=True)
class Digits:
    """A kind of number, and how finely the recursion by definition is resolved with it."""

    number: type
    width: float  # of a root's bracket, relative
    beside: float  # how far from a kink, relative, derivatives are taken
    step: float  # of a central difference, relative to the root's distance: at a root below, others are close by too
    close: float  # how well that has to agree


MANY = Digits(mpf, 1e-26, 1e-12, 1e-16, 1e-8)


class Nested:
    """The recursion by definition: roots by scanning and halving, every derivative by central differences."""

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
        return self.relevance(level + 1, target, [max(v, 0 * v) for v in z])

    def relevance(self, level, target, a):
        """R_j(a) of the inputs of layer ``level``."""
        total = [0 * x for x in a]
        for k, arrived in enumerate(self.above(level, target, a)):
            if arrived != 0:
                root = self.root(level, target, k, a, arrived)
                for j in range(len(a)):
                    if root[j] != a[j]:
                        total[j] += self.slope(level, target, k, root, j, a) * (a[j] - root[j])
        return total

    def root(self, level, target, k, a, arrived):
        v = self.direction(level, k, a)

        def at(t):
            return [x - t * d for x, d in zip(a, v, strict=True)]

        def keeps(t):
            return self.above(level, target, at(t))[k] * arrived > 0

        n = sum(w * d for w, d in zip(self.w[level][k], v, strict=True))
        end = self.z(level, a)[k] / n if n else self.digits.number(1)
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
        return at(low) if abs(self.above(level, target, at(low))[k]) < 1e-6 * abs(arrived) else a

    def slope(self, level, target, k, root, j, a):
        """Central difference at a point moved a little towards the data point, off the kink; extrapolated to the root."""
        near, far = (self.difference(level, target, k, root, j, a, f * self.digits.beside) for f in (1, 2))
        return 2 * near - far

    def difference(self, level, target, k, root, j, a, beside):
        point = [r + beside * (x - r) for r, x in zip(root, a, strict=True)]
        step = self.digits.step * max(abs(x - r) for r, x in zip(root, a, strict=True))
        up, down = ([p + s * step * (i == j) for i, p in enumerate(point)] for s in (1, -1))
        return (self.above(level, target, up)[k] - self.above(level, target, down)[k]) / (2 * step)
