"""The typed configuration: a wrong key, type or choice fails before any work.

One module for each config group: a dataclass is the schema of one option under ``conf/``. A run works on these
dataclasses, never on raw config nodes.
"""

from experiments.configs.base import Bias, ConfigError, Dtype, Root, require
from experiments.configs.data import DataConfig, DigitsConfig
from experiments.configs.models import CNNConfig, MLPConfig, ModelConfig, SeveralConfig, TrainedConfig, VGG16Config
from experiments.configs.plans import EntriesConfig, EntryConfig, PlanConfig, PresetConfig, RuleConfig, SeveralPlansConfig
from experiments.configs.questions import CorrespondenceConfig, CostConfig, FunctionViewConfig, Plane, QuestionConfig
from experiments.configs.run import SCHEMAS, Config, option, register, typed

__all__ = [
    "SCHEMAS",
    "Bias",
    "CNNConfig",
    "Config",
    "ConfigError",
    "CorrespondenceConfig",
    "CostConfig",
    "DataConfig",
    "DigitsConfig",
    "Dtype",
    "EntriesConfig",
    "EntryConfig",
    "FunctionViewConfig",
    "MLPConfig",
    "ModelConfig",
    "PlanConfig",
    "Plane",
    "PresetConfig",
    "QuestionConfig",
    "Root",
    "RuleConfig",
    "SeveralConfig",
    "SeveralPlansConfig",
    "TrainedConfig",
    "VGG16Config",
    "option",
    "register",
    "require",
    "typed",
]
