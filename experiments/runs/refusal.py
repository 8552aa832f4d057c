"""What a config that does not compose is told: the key, what was found, and what is valid."""

from collections.abc import Iterable
from dataclasses import fields, is_dataclass
from difflib import get_close_matches

from hydra.errors import CompactHydraException, MissingConfigException
from omegaconf.errors import ConfigAttributeError, ConfigKeyError, OmegaConfBaseException

CLOSE = 3  # names that are suggested, at most


def refusal(error: CompactHydraException) -> str:
    """The message of an error of Hydra's, with the valid keys of the schema, or the place of a value."""
    cause = error.__cause__
    if isinstance(cause, (ConfigAttributeError, ConfigKeyError)):
        if not is_dataclass(cause.object_type):
            return str(error)
        valid = [field.name for field in fields(cause.object_type)]
        close = suggestion(str(cause.full_key).rpartition(".")[2], valid)
        return f"No key '{cause.full_key}';{close} the valid keys there are {', '.join(valid)} ({first_line(error)})"
    if isinstance(cause, OmegaConfBaseException):
        return f"'{cause.full_key}': {first_line(cause)} ({first_line(error)})"
    if isinstance(error, MissingConfigException) and error.missing_cfg_file and error.options:
        close = suggestion(str(error.missing_cfg_file).rpartition("/")[2], error.options)
        return str(error).replace("\n", f";{close}\n", 1) if close else str(error)
    return str(error)


def suggestion(found: str, known: Iterable[str]) -> str:
    """A question about the known names that are close to what was found; empty where none is."""
    close = get_close_matches(found, list(known), CLOSE)
    return f" did you mean {' or '.join(close)}?" if close else ""


def first_line(error: Exception) -> str:
    """The first line of an error's message, without the types that OmegaConf adds."""
    return str(error).strip().splitlines()[0]
