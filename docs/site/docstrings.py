"""Docstrings as pages show them: examples are code, and names in roles are links."""

import re
from typing import Any

import griffe

ROLE = re.compile(r":(?:class|func|meth|mod|attr|data|exc):`~?([\w.]+)`")
EXAMPLE = re.compile(r"(?:^[ ]*>>> .*\n?(?:^[ ]*\S.*\n?)*)+", re.MULTILINE)  # up to the next empty line


def as_markdown(text: str) -> str:
    """A docstring whose examples are fenced, and whose roles are references."""
    return EXAMPLE.sub(fenced, ROLE.sub(reference, text))


def reference(role: re.Match) -> str:
    """A link to a public name; other names are code."""
    name = role[1]
    return f"[`{name}`][{name}]" if name.startswith("dtd.") and name.count(".") == 1 else f"`{name}`"


def fenced(example: re.Match) -> str:
    """An example between fences, at its own indentation."""
    text = example[0].rstrip("\n")
    indent = " " * (len(text) - len(text.lstrip(" ")))
    return f"{indent}```pycon\n{text}\n{indent}```\n"


class Docstrings(griffe.Extension):
    """Rewrites every docstring when it is read."""

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        """One module, class, function or attribute."""
        if obj.docstring:
            obj.docstring.value = as_markdown(obj.docstring.value)
