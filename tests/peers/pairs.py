"""Rules that dtd and zennit define alike: dtd's key and parameters beside zennit's hook."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import dtd
from tests.peers.libraries import TINY, zennit_rules
from tests.peers.networks import HIGH, LOW


@dataclass(frozen=True)
class Pair:
    """``hook(zero_params)`` is zennit's rule; ``bias`` the modes in which both agree, ``signs`` the inputs."""

    rule: str
    hook: Callable[[str | None], Any]
    parameters: dict[str, float] = field(default_factory=dict)
    bias: tuple[str, ...] = ("neuron", "fixed")
    signs: tuple[str, ...] = ("real", "nonnegative")

    def plan(self, bias: str) -> dtd.Plan:
        """The rule in every layer with weights."""
        return dtd.Plan.uniform(self.rule, bias, **self.parameters)


PAIRS = {
    "lrp0": Pair("lrp0", lambda zero: zennit_rules.Epsilon(TINY, zero)),
    "epsilon": Pair("epsilon", lambda zero: zennit_rules.Epsilon(0.1, zero), {"epsilon": 0.1}),
    "gamma_signed": Pair("gamma_signed", lambda zero: zennit_rules.Gamma(0.25, TINY, zero), {"gamma": 0.25}),
    "gamma_signed_large": Pair("gamma_signed", lambda zero: zennit_rules.Gamma(3.0, TINY, zero), {"gamma": 3.0}),
    "zplus": Pair("zplus", lambda zero: zennit_rules.ZPlus(TINY, zero), signs=("nonnegative",)),
    "zplus_signed": Pair("zplus_signed", lambda zero: zennit_rules.ZPlus(TINY, zero)),
    "alpha2_beta1": Pair("alphabeta", lambda zero: zennit_rules.AlphaBeta(2, 1, TINY, zero), {"alpha": 2.0, "beta": 1.0}),
    "alpha1.5_beta0.5": Pair(
        "alphabeta", lambda zero: zennit_rules.AlphaBeta(1.5, 0.5, TINY, zero), {"alpha": 1.5, "beta": 0.5}
    ),
    "wsquare": Pair("wsquare", lambda zero: zennit_rules.WSquare(TINY, zero)),
    "flat": Pair("flat", lambda zero: zennit_rules.Flat(TINY, zero), bias=("fixed",)),
    "zbox": Pair("zbox", lambda zero: zennit_rules.ZBox(LOW, HIGH, TINY, zero), {"low": LOW, "high": HIGH}, signs=("box",)),
}
