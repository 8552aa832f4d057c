"""The typed configuration: a wrong key, type or choice fails before any work.

One module for each config group: a dataclass is the schema of one option under ``conf/``. A run works on these
dataclasses, never on raw config nodes.
"""

from experiments.configs.base import Bias, ConfigError, Dtype, Root, require
from experiments.configs.data import DataConfig, DigitsConfig, ImdbConfig, ReviewsConfig, SentencesConfig
from experiments.configs.models import (
    CNNConfig,
    MLPConfig,
    ModelConfig,
    ReviewNetworkConfig,
    SeveralConfig,
    TrainedConfig,
    VGG16Config,
)
from experiments.configs.plans import EntriesConfig, EntryConfig, PlanConfig, PresetConfig, RuleConfig, SeveralPlansConfig
from experiments.configs.questions import (
    Cascade,
    CorrespondenceConfig,
    CostConfig,
    FaithfulnessConfig,
    FunctionViewConfig,
    HeatmapsConfig,
    MovieReviewsConfig,
    Plane,
    QuestionConfig,
    SanityConfig,
    Score,
    Starts,
)
from experiments.configs.run import SCHEMAS, Config, option, register, typed

__all__ = [
    "SCHEMAS",
    "Bias",
    "CNNConfig",
    "Cascade",
    "Config",
    "ConfigError",
    "CorrespondenceConfig",
    "CostConfig",
    "DataConfig",
    "DigitsConfig",
    "Dtype",
    "EntriesConfig",
    "EntryConfig",
    "FaithfulnessConfig",
    "FunctionViewConfig",
    "HeatmapsConfig",
    "ImdbConfig",
    "MLPConfig",
    "ModelConfig",
    "MovieReviewsConfig",
    "PlanConfig",
    "Plane",
    "PresetConfig",
    "QuestionConfig",
    "ReviewNetworkConfig",
    "ReviewsConfig",
    "Root",
    "RuleConfig",
    "SanityConfig",
    "Score",
    "SentencesConfig",
    "SeveralConfig",
    "SeveralPlansConfig",
    "Starts",
    "TrainedConfig",
    "VGG16Config",
    "option",
    "register",
    "require",
    "typed",
]
