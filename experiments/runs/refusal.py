"""What a config that does not compose is told: the key, what was found, and what is valid."""

from dataclasses import fields, is_dataclass

from hydra.errors import CompactHydraException
from omegaconf.errors import ConfigAttributeError, ConfigKeyError, OmegaConfBaseException


def refusal(error: CompactHydraException) -> str:
    """The message of an error of Hydra's, with the valid keys of the schema, or the place of a value."""
    cause = error.__cause__
    if isinstance(cause, (ConfigAttributeError, ConfigKeyError)):
        if not is_dataclass(cause.object_type):
            return str(error)
        valid = ", ".join(field.name for field in fields(cause.object_type))
        return f"No key '{cause.full_key}'; the valid keys there are {valid} ({first_line(error)})"
    if isinstance(cause, OmegaConfBaseException):
        return f"'{cause.full_key}': {first_line(cause)} ({first_line(error)})"
    return str(error)


def first_line(error: Exception) -> str:
    """Without the types that OmegaConf adds."""
    return str(error).strip().splitlines()[0]
