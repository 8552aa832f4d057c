"""Short names on the command line for what is asked most often."""

from collections.abc import Sequence

SHORT = {"image": "data.image", "class": "question.class_name", "text": "question.text"}


def written_out(arguments: Sequence[str]) -> list[str]:
    """The arguments with ``image=PATH`` for ``data.image=PATH``, and so on; all others as they are."""
    pairs = [(argument, *argument.partition("=")) for argument in arguments]
    return [f"{SHORT[name]}={value}" if name in SHORT and equals else whole for whole, name, equals, value in pairs]
