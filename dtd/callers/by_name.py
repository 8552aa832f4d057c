"""What was found of layers, by name."""

from typing import TypeVar

Value = TypeVar("Value")


class ByName(dict[str, Value]):
    """A dictionary whose error says which names there are.

    >>> ByName({"0": 1.0, "1": 2.0})["2"]
    Traceback (most recent call last):
    ...
    KeyError: "There is nothing of '2' here; there is of 0, 1."
    """

    def __missing__(self, name: str) -> Value:
        raise KeyError(f"There is nothing of {name!r} here; there is of {', '.join(self) or 'no layer'}.")
