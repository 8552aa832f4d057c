"""Docstrings as pages show them: examples are code, and names in roles are links."""

import re
from typing import Any

import griffe

ROLE = re.compile(r":(?:class|func|meth|mod|attr|data|exc):`~?([\w.]+)`")
SHAPE = re.compile(r"# shape: +(.+?)\.?$", re.MULTILINE)
EXAMPLE = re.compile(r"(?:^[ ]*>>> .*\n?(?:^[ ]*\S.*\n?)*)+", re.MULTILINE)  # up to the next empty line


def as_markdown(text: str) -> str:
    """A docstring whose examples are fenced, whose roles are references, and whose shapes are no headings."""
    return EXAMPLE.sub(fenced, SHAPE.sub(r"Shape: `\1`.", ROLE.sub(reference, text)))


def reference(role: re.Match) -> str:
    """A link to a public name; other names are code."""
    name = role[1]
    return f"[`{name}`][{name}]" if name.startswith("dtd.") and name.count(".") == 1 else f"`{name}`"


def fenced(example: re.Match) -> str:
    """An example between fences, at its own indentation."""
    text = example[0].rstrip("\n")
    indent = " " * (len(text) - len(text.lstrip(" ")))
    return f"{indent}```pycon\n{text}\n{indent}```\n"


def final(found: griffe.Object | griffe.Alias) -> griffe.Object:
    """What a name stands for in the end."""
    return found.final_target if found.is_alias else found  # type: ignore[union-attr]


class Docstrings(griffe.Extension):
    """Rewrites every docstring when it is read, and takes a public name for the function where a module has the same one."""

    def on_package(self, *, pkg: griffe.Module, loader: griffe.GriffeLoader, **_: Any) -> None:
        """``dtd.audit`` and ``dtd.trace`` are functions in files of their own name."""
        loader.resolve_aliases(implicit=True)
        public = {name: final(pkg.members[name]) for name in map(str, pkg.exports or ())}
        for name, found in public.items():
            while found.is_module and name in found.members:
                found = final(found.members[name])
            if not found.is_module:
                pkg.members[name] = griffe.Alias(name, found, parent=pkg)

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        """One module, class, function or attribute."""
        if obj.docstring:
            obj.docstring.value = as_markdown(obj.docstring.value)
