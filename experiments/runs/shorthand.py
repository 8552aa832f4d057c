"""From what is typed to Hydra's grammar: short names, texts and paths with any character, keys of a group that is swept."""

import re
from collections.abc import Sequence
from pathlib import Path

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.errors import HydraException

from experiments.configs.base import require

SHORT = {"image": "data.image", "class": "question.class_name", "text": "question.text"}
TEXTS = ("question.text", "question.answer", "question.against")  # one string, whatever it holds
NAMES = ("class_name", "path", "labels", "weights", "vectors", "image")  # last words of keys of names and paths
GROUPS = ("data", "model", "plan", "question", "experiment")
CHOOSE_OTHERS = ("question", "experiment")  # groups whose options choose other groups' options as well
ARGUMENT = re.compile(r"(\+{0,2})([^=\s]+)=(.*)", re.DOTALL)


def written_out(arguments: Sequence[str]) -> list[str]:
    """The arguments as Hydra must be given them.

    * ``image=PATH`` is ``data.image=PATH``, and so on.
    * A text is one string whatever it holds; ``question.text=null`` is none. A name or a path is taken as it is
      where there is such a file, and so is a value that Hydra's grammar cannot read.
    * ``-m model=mlp,cnn model.epochs=2``: a key of a group that is swept is set in each job and not in the group's default.
    """
    made = [one(argument) for argument in arguments]
    for argument in made:
        check_group(argument)
    return in_each_job(made) if {"-m", "--multirun"} & set(made) else made


def one(argument: str) -> str:
    """One argument in full."""
    found = ARGUMENT.fullmatch(argument)
    if argument.startswith("-") or found is None:
        return argument
    plus, short, value = found.groups()
    key = SHORT.get(short, short)
    whole = f"{plus}{key}={value}"
    if key in TEXTS:
        literal = short in SHORT or value != "null"
    elif key.rpartition(".")[2] in NAMES and Path(value).exists():
        literal = bool(value)
    else:
        literal = value[:1] not in tuple("[{(\"'") and parsed(whole) is None
    return f"{plus}{key}={quoted(value)}" if literal else whole


def check_group(argument: str) -> None:
    """Raises :class:`ConfigError` for a group without an option."""
    override = None if argument.startswith("-") else parsed(argument)
    if override and override.key_or_group in GROUPS and not (override.is_sweep_override() or override.is_delete()):
        key, value = override.key_or_group, override.value()
        named = isinstance(value, (str, list)) and bool(value)
        require(named, key, f"the name of an option (see {key} in python -m experiments --help)", argument.partition("=")[2])


def in_each_job(arguments: Sequence[str]) -> list[str]:
    """The arguments of a sweep; what belongs to a group whose options differ between jobs is a choice of one value."""
    read = [None if argument.startswith("-") else parsed(argument) for argument in arguments]
    swept = {each.key_or_group for each in read if each and each.is_sweep_override()} & set(GROUPS)
    groups = set(GROUPS) if swept & set(CHOOSE_OTHERS) else swept
    return [
        choice(argument) if each and belongs(each, groups) else argument
        for argument, each in zip(arguments, read, strict=True)
    ]


def belongs(override: Override, groups: set[str]) -> bool:
    """Whether an override gives one value to a key of one of the groups."""
    group, dot, _ = override.key_or_group.partition(".")
    return bool(dot) and group in groups and not (override.is_sweep_override() or override.is_delete())


def choice(argument: str) -> str:
    """The same value, which Hydra gives to each job after it has chosen the job's groups."""
    name, _, value = argument.partition("=")
    return f"{name}=choice({value})" if value else argument


def parsed(argument: str) -> Override | None:
    """The override that Hydra reads; None where it cannot."""
    try:
        return OverridesParser.create().parse_override(argument)
    except HydraException:
        return None


def quoted(text: str) -> str:
    """A string of Hydra's grammar, in which ``${…}`` is text and no reference; quotes around it are Hydra's already."""
    if len(text) > 1 and text[0] in "\"'" and text[-1] == text[0] and text[0] not in text[1:-1]:
        return without_references(text)
    escaped = re.sub(r'(\\*)("|$)', lambda found: 2 * found[1] + (found[2] and '\\"'), without_references(text))
    return f'"{escaped}"'


def without_references(text: str) -> str:
    """Text that OmegaConf reads as ``text``: a backslash before each ``${``, and those before it twice."""
    return re.sub(r"(\\*)\$\{", lambda found: 2 * found[1] + "\\${", text)
