"""One-line changes of a file: signs, comparisons, constants, dropped terms and factors, swapped arguments, conditions."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

SIGNS = {ast.Add: "-", ast.Sub: "+", ast.Mult: "/", ast.Div: "*"}
COMPARISONS = {
    ast.Lt: ("<=", ">"),
    ast.LtE: ("<", ">="),
    ast.Gt: (">=", "<"),
    ast.GtE: (">", "<="),
    ast.Eq: ("!=",),
    ast.NotEq: ("==",),
    ast.Is: ("is not",),
    ast.IsNot: ("is",),
    ast.In: ("not in",),
    ast.NotIn: ("in",),
}


@dataclass(frozen=True)
class Change:
    """``before`` becomes ``after`` at one place of a file; ``lines`` are those of the statement around it."""

    path: str
    start: tuple[int, int]  # line from 1, column from 0 in bytes
    end: tuple[int, int]
    kind: str
    before: str
    after: str
    lines: tuple[int, int]

    @property
    def key(self) -> str:
        """What tells it from all others."""
        return f"{self.path}:{self.start[0]}:{self.start[1]}:{self.end[0]}:{self.end[1]} {self.after}"

    def made(self, source: str) -> str:
        """The changed file."""
        lines = source.encode().splitlines(keepends=True)
        (first, left), (last, right) = self.start, self.end
        new = lines[first - 1][:left] + self.after.encode() + lines[last - 1][right:]
        return b"".join([*lines[: first - 1], new, *lines[last:]]).decode()


def changes_of(root: Path, path: Path) -> list[Change]:
    """All changes of a file, in the order of its lines."""
    source = path.read_text(encoding="utf-8")
    found = Finder(str(path.relative_to(root)), source).walk(ast.parse(source))
    unique = {change.key: change for change in found}
    return sorted(unique.values(), key=lambda change: (change.start, change.end, change.after))


class Finder:
    """Walks the statements of a file. Names, types, texts of errors, decorators and imports are left alone."""

    def __init__(self, path: str, source: str):
        self.path, self.source = path, source

    def text(self, node: ast.AST) -> str:
        """The source of an expression, on one line."""
        return " ".join((ast.get_source_segment(self.source, node) or "").split())

    def walk(self, tree: ast.Module) -> Iterator[Change]:
        for node in tree.body:
            yield from self.statement(node)

    def statement(self, node: ast.stmt) -> Iterator[Change]:
        """Changes of a statement's own expressions, then of the statements inside it."""
        if isinstance(node, (ast.Import, ast.ImportFrom, ast.Raise, ast.Assert)):
            return
        body = [child for child in ast.iter_child_nodes(node) if isinstance(child, (ast.stmt, ast.ExceptHandler))]
        last = min((child.lineno for child in body), default=(node.end_lineno or node.lineno) + 1) - 1
        lines = node.lineno, max(node.lineno, last)
        for part in self.expressions(node):
            yield from self.expression(part, lines)
        for child in body:
            inside = child.body if isinstance(child, ast.ExceptHandler) else [child]
            for each in inside:
                yield from self.statement(each)

    def expressions(self, node: ast.stmt) -> list[ast.expr]:
        """The expressions of a statement that say what it does."""
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            given = node.args if isinstance(node, ast.FunctionDef) else None
            return [] if given is None else [*given.defaults, *(value for value in given.kw_defaults if value)]
        if isinstance(node, ast.AnnAssign):
            return [node.value] if node.value else []
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            return []  # a docstring
        return [child for child in ast.iter_child_nodes(node) if isinstance(child, ast.expr)]

    def expression(self, node: ast.expr, lines: tuple[int, int]) -> Iterator[Change]:
        """Changes of an expression and of those inside it."""
        if isinstance(node, ast.JoinedStr):
            return
        for kind, after in self.alternatives(node):
            start, end = (node.lineno, node.col_offset), (node.end_lineno or 0, node.end_col_offset or 0)
            yield Change(self.path, start, end, kind, self.text(node), after, lines)
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.expr):
                yield from self.expression(child, lines)
            elif isinstance(child, ast.keyword):
                yield from self.expression(child.value, lines)
            elif isinstance(child, ast.comprehension):
                for part in (child.iter, *child.ifs):
                    yield from self.expression(part, lines)

    def alternatives(self, node: ast.expr) -> Iterator[tuple[str, str]]:
        """What may stand in place of an expression, each in parentheses where that matters."""
        if isinstance(node, ast.BinOp) and type(node.op) in SIGNS and not texts(node):
            left, right = self.operand(node.left), self.operand(node.right)
            yield "sign", f"({left} {SIGNS[type(node.op)]} {right})"
            for kept in (left, right):
                yield "dropped term", f"({kept})"
        elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            yield "sign", f"({self.operand(node.operand)})"
        elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            yield "condition", f"bool({self.text(node.operand)})"
        elif isinstance(node, ast.Compare) and len(node.ops) == 1:
            for other in COMPARISONS[type(node.ops[0])]:
                yield "comparison", f"({self.operand(node.left)} {other} {self.operand(node.comparators[0])})"
        elif isinstance(node, ast.BoolOp):
            for left_out in range(len(node.values)):
                rest = [self.operand(value) for n, value in enumerate(node.values) if n != left_out]
                yield "condition", f"({(' and ' if isinstance(node.op, ast.And) else ' or ').join(rest)})"
        elif isinstance(node, ast.IfExp):
            yield "condition", f"({self.text(node.orelse)} if {self.text(node.test)} else {self.text(node.body)})"
        elif isinstance(node, ast.Constant) and isinstance(node.value, bool):
            yield "constant", str(not node.value)
        elif isinstance(node, ast.Constant) and isinstance(node.value, (int, float)):
            for number in dict.fromkeys((node.value + 1, 0 if node.value else -1)):
                yield "constant", f"({number})"
        elif isinstance(node, ast.Call):
            yield from self.swapped(node)

    def swapped(self, node: ast.Call) -> Iterator[tuple[str, str]]:
        """Two neighbouring arguments in each other's place."""
        if self.text(node.func) in ("isinstance", "getattr", "hasattr", "super", "setattr"):
            return
        for n, (one, other) in enumerate(zip(node.args, node.args[1:], strict=False)):
            words = all(isinstance(each, ast.Constant) and isinstance(each.value, str) for each in (one, other))
            if words or self.text(one) == self.text(other) or any(isinstance(each, ast.Starred) for each in (one, other)):
                continue
            given = [self.text(each) for each in node.args]
            given[n], given[n + 1] = given[n + 1], given[n]
            named = [f"{each.arg}={value}" if each.arg else f"**{value}" for each, value in self.keywords(node)]
            yield "swapped arguments", f"{self.text(node.func)}({', '.join([*given, *named])})"

    def keywords(self, node: ast.Call) -> list[tuple[ast.keyword, str]]:
        """The keyword arguments of a call, each with its text."""
        return [(each, self.text(each.value)) for each in node.keywords]

    def operand(self, node: ast.expr) -> str:
        """An operand, in parentheses unless it is a name, a number, a call or the like."""
        text = self.text(node)
        plain = isinstance(node, (ast.Name, ast.Constant, ast.Call, ast.Attribute, ast.Subscript))
        return text if plain else f"({text})"


def texts(node: ast.BinOp) -> bool:
    """Whether an operator joins texts."""
    return any(
        isinstance(part, ast.JoinedStr) or (isinstance(part, ast.Constant) and isinstance(part.value, str))
        for part in ast.walk(node)
    )
