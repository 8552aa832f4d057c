"""A composite of ``dtd.presets`` by its name."""

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from dtd import presets
from dtd.errors import InputError
from dtd.plans.plan import Plan
from experiments.configs.base import ConfigError, require


def by_name() -> Mapping[str, Callable[..., Plan]]:
    """The functions of ``dtd.presets`` that need nothing to make a plan: no network and no rule."""
    functions = {name: vars(presets)[name] for name in presets.__all__ if inspect.isfunction(vars(presets)[name])}
    return {name: make for name, make in functions.items() if not needed(make)}


def needed(make: Callable[..., Plan]) -> list[str]:
    """The parameters without a default."""
    return [name for name, each in inspect.signature(make).parameters.items() if each.default is inspect.Parameter.empty]


PRESETS = by_name()


def check(name: str, bias: str | None, parameters: Mapping[str, Any], key: str) -> None:
    """Raises :class:`ConfigError` for a preset or parameter that there is not, or a bias mode that it does not take."""
    require(name in PRESETS, f"{key}.preset", f"one of {', '.join(PRESETS)}", name)
    valid = [parameter for parameter in inspect.signature(PRESETS[name]).parameters if parameter != "bias"]
    for parameter in parameters:
        require(parameter in valid, f"{key}.parameters", f"parameters of '{name}' ({', '.join(valid) or 'none'})", parameter)
    try:
        made(name, bias, parameters)
    except (TypeError, InputError) as error:
        raise ConfigError(f"'{key}.parameters' do not fit '{name}': {error}") from error


def made(name: str, bias: str | None, parameters: Mapping[str, Any]) -> Plan:
    """The plan; without a bias mode it has the preset's own.

    Raises :class:`ConfigError` for a bias mode where the preset has one for each kind of layer.
    """
    if bias is None:
        return PRESETS[name](**parameters)
    own = "bias" in inspect.signature(PRESETS[name]).parameters
    require(own, "bias", f"null, since the preset '{name}' says it for each kind of layer", bias)
    return PRESETS[name](**parameters, bias=bias)
