"""What every schema uses: choices, and the error of a config that no run can start from."""

from enum import Enum


class ConfigError(Exception):
    """A config that no run can start from: says which key, what was found and what is valid."""


class Bias(Enum):
    """What a bias is to a rule."""

    fixed = "fixed"
    neuron = "neuron"
    distribute = "distribute"


class Dtype(Enum):
    """The precision that relevance is computed in."""

    float32 = "float32"
    float64 = "float64"


def require(holds: bool, key: str, required: str, found: object) -> None:
    """Raise :class:`ConfigError` for a value that a run cannot work with."""
    if not holds:
        raise ConfigError(f"'{key}' must be {required}; found {found}.")
