"""The panels of a castle figure: the overview's rules one by one, or its composite over a grid of ε and γ."""

from dataclasses import dataclass, replace

from dtd.network import Network
from dtd.plans.plan import Plan
from dtd.plans.presets import DeviationEpsilon, RelativeEpsilon, lrp_overview_2019
from experiments.configs.questions.explanations import CastleConfig, Pooling


@dataclass(frozen=True)
class Panel:
    """One heatmap: a plan, and the numbers in it."""

    rule: str
    plan: Plan
    epsilon: float | None = None
    gamma: float | None = None
    pooling: str = ""

    @property
    def key(self) -> str:
        """The panel's name in tables."""
        numbers = [f"{name}={value:g}" for name, value in (("ε", self.epsilon), ("γ", self.gamma)) if value is not None]
        return " ".join(filter(None, (self.rule, *numbers, self.pooling)))


def uniform(asked: CastleConfig) -> list[Panel]:
    """Three uniform rules and the composite. γ is the generalised one: LRP-γ wherever inputs are ≥ 0 and units active."""
    bias, epsilon, gamma = asked.bias_mode.value, asked.epsilon, asked.gamma
    return [
        Panel("lrp0", Plan.uniform("lrp0", bias)),
        Panel("epsilon", Plan.uniform("epsilon", bias, epsilon=DeviationEpsilon(epsilon)), epsilon=epsilon),
        Panel("gamma_signed", Plan.uniform("gamma_signed", bias, gamma=gamma), gamma=gamma),
        composite(asked, epsilon, gamma),
    ]


def composite(asked: CastleConfig, epsilon: float, gamma: float) -> Panel:
    """The overview's composite."""
    plan = lrp_overview_2019(gamma, RelativeEpsilon(epsilon), asked.bias_mode.value, signed=True)
    return Panel("composite", plan, epsilon, gamma)


def panels(asked: CastleConfig, network: Network) -> list[Panel]:
    """What is drawn; where a network has no max pooling there is nothing to choose."""
    pairs = [(epsilon, gamma) for gamma in asked.gammas for epsilon in asked.epsilons]
    made = [composite(asked, *pair) for pair in pairs] or uniform(asked)
    if not any(layer.kind == "max_pool" for layer in network.layers):
        return made
    plans = {Pooling.winner: lambda plan: plan, Pooling.average: Plan.average_pooling}
    return [
        replace(panel, plan=plans[pooling](panel.plan), pooling=pooling.value) for pooling in asked.pooling for panel in made
    ]
