"""Plans from their configs: which rule for which layer of a network."""

from collections.abc import Mapping

from torch import Tensor

from dtd.errors import DTDError
from dtd.network import Network
from dtd.plan import Plan
from experiments.configs import Config, ConfigError, PlanConfig, PresetConfig, RuleConfig, SeveralPlansConfig
from experiments.plans import preset
from experiments.plans.rule import FROM_DATA, NOTHING, Assigned, Measured, Request, check_parameters, check_rule, measure

__all__ = ["Assigned", "Measured", "Request", "check", "check_parameters", "check_rule", "measure", "plans"]


def named(config: Config) -> Mapping[str, PlanConfig]:
    """The plans that a run is about, each by its key, with the run's ``bias``."""
    plan = config.plan
    return plan.parts if isinstance(plan, SeveralPlansConfig) else {plan.name: plan}


def bias_of(config: Config, plan: RuleConfig | PresetConfig) -> str | None:
    """The run's bias mode, or the plan's own; None leaves a preset its default."""
    bias = config.bias or plan.bias
    return None if bias is None else bias.value


def check(config: Config) -> None:
    """Raises :class:`ConfigError` for plans that no network can be given."""
    for name, plan in named(config).items():
        key = f"plan.parts.{name}" if isinstance(config.plan, SeveralPlansConfig) else "plan"
        if isinstance(plan, RuleConfig):
            check_rule(plan.rule, f"{key}.rule")
            check_parameters(plan.rule, plan.parameters, f"{key}.parameters")
        else:
            preset.check(plan.preset, plan.parameters, key)


def plans(config: Config, network: Network, batches: tuple[Tensor, Tensor]) -> Mapping[str, Plan]:
    """The run's plans for a network, by name.

    ``batches`` are training inputs and explained inputs, which the rules that take something from data look at. Raises
    :class:`ConfigError` for a plan that does not fit the network.
    """
    made = {}
    for name, plan in named(config).items():
        try:
            made[name] = one(config, plan, network, batches)
            made[name].bind(network)
        except DTDError as error:
            raise ConfigError(f"Plan '{name}' does not fit the model: {error}") from error
    return made


def one(config: Config, plan: PlanConfig, network: Network, batches: tuple[Tensor, Tensor]) -> Plan:
    """One plan for a network."""
    bias = bias_of(config, plan)
    if isinstance(plan, PresetConfig):
        return preset.made(plan.preset, bias, plan.parameters)
    measured = measure(network, *batches) if plan.rule in FROM_DATA else NOTHING
    return Request(plan.rule, bias, plan.parameters).assign(network, measured).plan
