"""Plans from their configs: which rule for which layer of a network."""

from collections.abc import Mapping

from torch import Tensor

from dtd.errors import DTDError
from dtd.estimate.patterns import estimate_patterns
from dtd.network import Network
from dtd.plans.plan import Plan
from experiments.configs.base import ConfigError
from experiments.configs.plans import EntriesConfig, PlanConfig, PresetConfig, SeveralPlansConfig
from experiments.configs.run import Config
from experiments.configs.targets import build
from experiments.plans import entries, preset
from experiments.plans.roots import rooted
from experiments.plans.rule import FROM_DATA, NOTHING, Assigned, Measured, Request, check_parameters, check_rule, measure

__all__ = ["Assigned", "Measured", "Request", "check", "check_parameters", "check_rule", "measure", "plans"]


def configured(config: Config) -> Mapping[str, tuple[PlanConfig, str]]:
    """The plans that a run is about, each with the key that it stands at."""
    if isinstance(config.plan, SeveralPlansConfig):
        return {name: (plan, f"plan.parts.{name}") for name, plan in config.plan.parts.items()}
    return {config.plan.name: (config.plan, "plan")}


def check(config: Config) -> None:
    """Raises :class:`ConfigError` for plans that no network can be given."""
    for plan, key in configured(config).values():
        if isinstance(plan, EntriesConfig):
            entries.plan(plan, {}, config.bias, config.trusted, key)
        elif isinstance(plan, PresetConfig):
            parameters = build(plan.parameters, config.trusted, f"{key}.parameters")
            preset.check(plan.preset, bias_of(config, plan), parameters, key)
        else:
            check_rule(plan.rule, f"{key}.rule")
            check_parameters(plan.rule, build(plan.parameters, config.trusted, f"{key}.parameters"), f"{key}.parameters")


def plans(config: Config, network: Network, batches: tuple[Tensor, Tensor] | None) -> Mapping[str, Plan]:
    """The run's plans for a network, by name.

    ``batches`` are training inputs and explained inputs, which the rules that take something from data look at; ``None``
    where there are none. Raises :class:`ConfigError` for a plan that does not fit the network, or needs data without them.
    """
    made = {}
    for name, (plan, key) in configured(config).items():
        try:
            own = one(config, plan, key, network, batches)
            made[name] = rooted(own, config.root, config.bias, network)
            made[name].bind(network)
        except DTDError as error:
            raise ConfigError(f"'{key}' ({name}) does not fit the model: {error}") from error
    return made


def one(config: Config, plan: PlanConfig, key: str, network: Network, batches: tuple[Tensor, Tensor] | None) -> Plan:
    """One plan with its own roots."""
    if isinstance(plan, EntriesConfig):
        estimated = any(entry.rule == "pattern" for entry in plan.entries)
        patterns = estimate_patterns(network, data(batches, "pattern", key)[:1]) if estimated else {}
        return entries.plan(plan, patterns, config.bias, config.trusted, key)
    parameters = build(plan.parameters, config.trusted, f"{key}.parameters")
    if isinstance(plan, PresetConfig):
        return preset.made(plan.preset, bias_of(config, plan), parameters)
    measured = measure(network, *data(batches, plan.rule, key)) if plan.rule in FROM_DATA else NOTHING
    return Request(plan.rule, (config.bias or plan.bias).value, parameters).assign(network, measured).plan


def bias_of(config: Config, plan: PresetConfig) -> str | None:
    """The bias mode that the run or the plan asks for; none: the preset's own."""
    bias = config.bias or plan.bias
    return None if bias is None else bias.value


def data(batches: tuple[Tensor, Tensor] | None, rule: str, key: str) -> tuple[Tensor, Tensor]:
    """The inputs that a rule looks at. Raises :class:`ConfigError` where there are none."""
    if batches is None:
        raise ConfigError(f"'{key}' has the rule '{rule}', which takes something from data; this question reads tokens.")
    return batches
