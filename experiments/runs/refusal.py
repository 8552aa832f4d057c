"""What a config that does not compose is told: the key, what was found, and what is valid."""

import re
from collections.abc import Iterable
from dataclasses import fields, is_dataclass
from difflib import get_close_matches

from hydra.errors import CompactHydraException, MissingConfigException, OverrideParseException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import ConfigAttributeError, ConfigKeyError, OmegaConfBaseException

from experiments.runs.shorthand import GROUPS

CLOSE = 3  # names that are suggested, at most
OVERRIDE = re.compile(r"Could not override '[^']*'\.\s+To append to your config use \+\S*?=(.*)", re.DOTALL)


def refusal(error: CompactHydraException) -> str:
    """The message of an error of Hydra's, with the valid keys, options or the place of a value."""
    cause = error.__cause__
    if isinstance(cause, (ConfigAttributeError, ConfigKeyError)):
        return no_key(error, cause)
    if isinstance(cause, OmegaConfBaseException):
        return f"'{cause.full_key}': {first_line(cause)} ({first_line(error)})"
    if isinstance(error, MissingConfigException) and error.missing_cfg_file and error.options:
        return no_option(str(error.missing_cfg_file), error.options)
    text = str(error)
    if isinstance(error, OverrideParseException):
        return unreadable(str(error.override))
    if text.startswith("Ambiguous value for argument"):
        argument = text.split("'")[1]
        return f"'{argument}' has several values: add -m for a job with each of them, or quotes for one text with a comma."
    return text


def no_key(error: CompactHydraException, cause: OmegaConfBaseException) -> str:
    """A key that there is not, the keys there are, and how one is added where that can be done."""
    key, schema = str(cause.full_key), is_dataclass(cause.object_type)
    parent = cause.parent_node if isinstance(cause.parent_node, (DictConfig, dict)) else None
    valid = [field.name for field in fields(cause.object_type)] if schema else [str(name) for name in parent or ()]
    close = suggestion(key.rpartition(".")[2], valid)
    listed = ", ".join(valid) or "none"
    if not schema:
        value = OVERRIDE.match(str(error))
        add = f"+{key}={value[1].strip()}" if value else f"+{key}=VALUE"
        return f"No key '{key}';{close} the keys there are {listed}. One that is not listed yet is added with '+': {add}."
    told = f"No key '{key}';{close} the valid keys there are {listed}."
    return told + several(key, parent)


def several(key: str, parent: object) -> str:
    """Where the key stands in a group of several options side by side; empty elsewhere."""
    group, _, name = key.rpartition(".")
    parts = OmegaConf.select(parent, "parts", default=None) if isinstance(parent, DictConfig) else None
    if group not in GROUPS or not isinstance(parts, DictConfig):
        return ""
    places = [f"{group}.parts.{part}.{name}" for part in map(str, parts) if name in parts[part]]
    one = f"choose one with {group}=NAME"
    return f" Several stand side by side here: {one}, or set {' and '.join(places)}." if places else ""


def no_option(found: str, options: Iterable[str]) -> str:
    """An option of a group that there is not, and those that there are."""
    group, _, name = found.rpartition("/")
    return f"No option '{name}' in '{group}';{suggestion(name, options)} there are {', '.join(sorted(options))}."


def unreadable(argument: str) -> str:
    """An argument that Hydra's grammar cannot read, and how to write it."""
    key, equals, _ = argument.partition("=")
    return (
        f"'{argument}' cannot be read: write key=value, lists as [a,b], mappings as {{a: 1}}; a text with commas, brackets, "
        f"quotes or '=' stands in quotes inside the shell's: {key if equals else 'key'}='\"…\"'."
    )


def suggestion(found: str, known: Iterable[str]) -> str:
    """A question about the known names that are close to what was found; empty where none is."""
    close = get_close_matches(found, list(map(str, known)), CLOSE)
    return f" did you mean {' or '.join(close)}?" if close else ""


def first_line(error: Exception) -> str:
    """The first line of an error's message, without the types that OmegaConf adds."""
    return str(error).strip().splitlines()[0]
