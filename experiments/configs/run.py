"""The config of one run: its groups, and from Hydra's nodes to dataclasses."""

from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any, TypeVar

from hydra.core.config_store import ConfigStore
from omegaconf import MISSING, DictConfig, OmegaConf

from experiments.configs.base import Bias, ConfigError, Dtype, QuestionConfig, Root
from experiments.configs.data import DATA, DataConfig
from experiments.configs.models import MODELS, ModelConfig
from experiments.configs.plans import PLANS, PlanConfig
from experiments.configs.questions import QUESTIONS

Asked = TypeVar("Asked", bound=QuestionConfig)


@dataclass
class Config:
    """One run. ``bias`` and ``root`` take the place of the plan's own; ``dtype`` is the precision of the relevance.

    ``trusted`` names the packages, beside dtd and experiments, that a ``_target_`` may reach. From ``quiet`` on, keys say
    how it is run; no row depends on them.
    """

    question: QuestionConfig = MISSING
    data: DataConfig = MISSING
    model: ModelConfig = MISSING
    plan: PlanConfig = MISSING
    bias: Bias | None = None
    root: Root | None = None
    dtype: Dtype = Dtype.float64
    seed: int = 0
    threads: int | None = None
    trusted: list[str] = field(default_factory=list)
    quiet: bool = False
    figures: bool | None = None
    sweep: str | None = None
    objective: list[str] = field(default_factory=list)
    at_most: dict[str, float] = field(default_factory=dict)

    def asked(self, schema: type[Asked]) -> Asked:
        """The question's own keys, in the schema that its module reads."""
        assert isinstance(self.question, schema), f"{type(self.question).__name__} is no {schema.__name__}"
        return self.question


SCHEMAS = {"data": DATA, "model": MODELS, "plan": PLANS, "question": QUESTIONS}


def option(group: str, config: object) -> str:
    """The name of a config's schema in its group."""
    (name,) = (name for name, schema in SCHEMAS[group].items() if type(config) is schema)
    return name


def register() -> None:
    """Make the schemas known to Hydra, as ``/schema`` and ``/schema/<group>/<option>``."""
    store = ConfigStore.instance()
    store.store(name="schema", node=Config)
    for group, options in SCHEMAS.items():
        for name, node in options.items():
            store.store(group=f"schema/{group}", name=name, node=node)


def typed(config: DictConfig) -> Config:
    """The run's dataclasses; raises :class:`ConfigError` for a key that was forced in with ``+``."""
    missing = OmegaConf.missing_keys(config)
    if missing:
        raise ConfigError(f"{' and '.join(sorted(missing))} must be given: there is no default.")
    made: Any = OmegaConf.to_object(config)
    check_keys(config, made, "")
    return made


def check_keys(node: Any, made: Any, path: str) -> None:
    """Every key of the config must be a field of its schema."""
    if is_dataclass(made):
        valid = [f.name for f in fields(made)]
        for key in node:
            if key not in valid:
                raise ConfigError(f"No key '{path}{key}'; the valid keys there are {', '.join(valid)}.")
            check_keys(node[key], getattr(made, key), f"{path}{key}.")
    elif isinstance(made, dict):
        for key in made:
            check_keys(node[key], made[key], f"{path}{key}.")
    elif isinstance(made, list):
        for i, each in enumerate(made):
            check_keys(node[i], each, f"{path.removesuffix('.')}[{i}].")
