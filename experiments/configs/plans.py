"""Schemas of ``conf/plan``: which rule for which layer; built by ``experiments/plans``."""

from dataclasses import dataclass, field
from typing import Any

from omegaconf import MISSING

from experiments.configs.base import Bias


@dataclass
class PlanConfig:
    """Any plan. ``name`` is what rows and figures call it."""

    name: str = MISSING


@dataclass
class RuleConfig(PlanConfig):
    """One rule of the catalogue for every layer with weights."""

    rule: str = MISSING
    bias: Bias = Bias.fixed
    parameters: dict[str, Any] = field(default_factory=dict)


@dataclass
class PresetConfig(PlanConfig):
    """A composite of ``dtd.presets``; without a ``bias`` it has the preset's own."""

    preset: str = MISSING
    bias: Bias | None = None
    parameters: dict[str, Any] = field(default_factory=dict)


@dataclass
class EntryConfig:
    """Layers (``where``: see ``experiments/plans/selectors.py``) with a ``rule``, or with a ``model`` by ``_target_``."""

    where: Any = MISSING
    rule: str | None = None
    bias: Bias | None = None
    parameters: dict[str, Any] = field(default_factory=dict)
    model: Any = None
    optional: bool = False


@dataclass
class EntriesConfig(PlanConfig):
    """A plan of your own; for each layer the first entry that matches it speaks. ``bias`` is that of entries without one."""

    bias: Bias = Bias.fixed
    entries: list[EntryConfig] = MISSING


@dataclass
class SeveralPlansConfig(PlanConfig):
    """Several plans side by side."""

    parts: dict[str, PlanConfig] = field(default_factory=dict)


PLANS = {"rule": RuleConfig, "preset": PresetConfig, "entries": EntriesConfig, "several": SeveralPlansConfig}
