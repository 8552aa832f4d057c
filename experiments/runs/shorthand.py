"""Short names on the command line for what is asked most often."""

import re
from collections.abc import Sequence

SHORT = {"image": "data.image", "class": "question.class_name", "text": "question.text"}


def written_out(arguments: Sequence[str]) -> list[str]:
    """The arguments with ``image=PATH`` for ``data.image=PATH``, and so on; all others as they are.

    A text is one string whatever it holds: commas and quotes in it are not those of Hydra's grammar.
    """
    return [one(argument) for argument in arguments]


def one(argument: str) -> str:
    """One argument in full."""
    name, equals, value = argument.partition("=")
    if name not in SHORT or not equals:
        return argument
    return f"{SHORT[name]}={quoted(value) if name == 'text' else value}"


def quoted(text: str) -> str:
    """A string of Hydra's grammar; one that is quoted already stays."""
    if len(text) > 1 and text[0] in "\"'" and text[-1] == text[0] and text[0] not in text[1:-1]:
        return text
    escaped = re.sub(r'(\\*)("|$)', lambda found: 2 * found[1] + (found[2] and '\\"'), text)
    return f'"{escaped}"'
