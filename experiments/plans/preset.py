"""A composite of ``dtd.presets`` by its name."""

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from dtd import presets
from dtd.errors import InputError
from dtd.plans.plan import Plan
from experiments.configs.base import ConfigError, require

PRESETS: Mapping[str, Callable[..., Plan]] = {
    name: made for name, made in vars(presets).items() if inspect.isfunction(made) and made.__module__ == presets.__name__
}


def check(name: str, parameters: Mapping[str, Any], key: str) -> None:
    """Raises :class:`ConfigError` for a preset or a parameter that there is not."""
    require(name in PRESETS, f"{key}.preset", f"one of {', '.join(PRESETS)}", name)
    valid = [parameter for parameter in inspect.signature(PRESETS[name]).parameters if parameter != "bias"]
    for parameter in parameters:
        require(parameter in valid, f"{key}.parameters", f"parameters of '{name}' ({', '.join(valid) or 'none'})", parameter)
    try:
        made(name, None, parameters)
    except (TypeError, InputError) as error:
        raise ConfigError(f"'{key}.parameters' do not fit '{name}': {error}") from error


def made(name: str, bias: str | None, parameters: Mapping[str, Any]) -> Plan:
    """The plan; without a bias mode it has the preset's own."""
    return PRESETS[name](**parameters, **({} if bias is None else {"bias": bias}))
