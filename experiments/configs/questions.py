"""Schemas of ``conf/question``; the question of option NAME is asked by ``experiments/questions/NAME.py``."""

from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from omegaconf import MISSING

from experiments.configs.base import Bias, Dtype, QuestionConfig
from experiments.configs.roots import ConservationConfig, ValidityConfig


@dataclass
class CorrespondenceConfig(QuestionConfig):
    """Do derived and explicit rules agree? ``rules: null`` means every rule of the catalogue."""

    rules: list[str] | None = None
    biases: list[Bias] = field(default_factory=lambda: list(Bias))
    dtypes: list[Dtype] = field(default_factory=lambda: [Dtype.float64, Dtype.float32])
    parameters: dict[str, dict[str, float]] = field(default_factory=dict)
    samples: int = MISSING
    shown: int = MISSING


@dataclass
class CostConfig(QuestionConfig):
    """What does an explanation cost, next to gradient × input and to other libraries?"""

    rounds: int = MISSING
    seconds: float = MISSING
    peers: list[str] = MISSING
    batches: list[int] = MISSING
    memory: list[str] = MISSING
    within: int = MISSING
    audited: int = MISSING
    scaling: dict[str, list[int]] = MISSING


class Plane(Enum):
    """The domain of the unit's two inputs."""

    real = "real"
    nonnegative = "nonnegative"
    box = "box"


@dataclass
class FunctionViewConfig(QuestionConfig):
    """Where does each rule put the root of one unit with two inputs, and how does relevance flow through a network?"""

    weights: list[float] = MISSING
    bias: float = MISSING
    point: list[float] = MISSING
    domain: Plane = MISSING
    low: float = MISSING
    high: float = MISSING
    rules: list[str] = MISSING
    parameters: dict[str, dict[str, float]] = field(default_factory=dict)
    sample: int = MISSING


class Score(Enum):
    """What a perturbation may lower."""

    logit = "logit"
    probability = "probability"


@dataclass
class FaithfulnessConfig(QuestionConfig):
    """Does the output depend on what an explanation calls relevant?"""

    samples: int = MISSING
    region: int = MISSING
    steps: int | None = None
    share: float = MISSING
    values: list[Any] = MISSING
    score: Score = MISSING
    random_orders: int = MISSING
    quantus: list[str] = MISSING


class Cascade(Enum):
    """The order in which layers lose their weights."""

    output = "output"
    input = "input"
    each = "each"


class Starts(Enum):
    """Which initial relevances are followed down."""

    classes = "classes"
    normal = "normal"


@dataclass
class SanityConfig(QuestionConfig):
    """Does an explanation depend on the model's weights, and on the class that it explains?"""

    samples: int = MISSING
    orders: list[Cascade] = MISSING
    draws: int = MISSING
    similarities: list[str] = MISSING
    starts: Starts = MISSING
    directions: int = MISSING


@dataclass
class HeatmapsConfig(QuestionConfig):
    """What do plans make of the same samples?"""

    samples: list[int] = MISSING
    explicit: bool = MISSING
    units: int | None = None


@dataclass
class MovieReviewsConfig(QuestionConfig):
    """Which words of a review speak for its class, and does the network listen to them?"""

    text: str | None = None
    reviews: int = MISSING
    compared: int = MISSING
    audited: int = MISSING
    shown: list[int] = MISSING
    steps: int = MISSING
    draws: int = MISSING


@dataclass
class OverheadConfig(QuestionConfig):
    """What does a sweep cost beyond what its jobs compute?"""

    jobs: int = MISSING
    bare: int = MISSING
    launchers: list[str] = MISSING
    overrides: list[str] = MISSING


class Pooling(Enum):
    """What max pooling hands its relevance to: the winner, or all inputs as average pooling does."""

    winner = "winner"
    average = "average"


@dataclass
class CastleConfig(QuestionConfig):
    """Why does a classifier of photos say what it says? The rules of the LRP overview on one output neuron.

    ``class_name: null`` means the predicted class. With ``epsilons`` and ``gammas`` the composite is drawn for each pair of
    them, otherwise the uniform rules and the composite with ``epsilon`` and ``gamma``.
    """

    class_name: str | None = None
    epsilon: float = MISSING
    gamma: float = MISSING
    epsilons: list[float] = field(default_factory=list)
    gammas: list[float] = field(default_factory=list)
    bias_mode: Bias = MISSING
    pooling: list[Pooling] = MISSING
    units: int = MISSING
    untrained: bool = False


class ExactRoots(Enum):
    """What happens to a root of the exact model when the layer below differentiates."""

    moving = "moving"
    held = "held"
    region = "region"


@dataclass
class ExactConfig(QuestionConfig):
    """How far is the training-free model from the true relevance function, layer by layer?"""

    directions: list[str] = MISSING
    roots: ExactRoots = MISSING
    samples: int = MISSING
    budget: int = MISSING


@dataclass
class RootRegionsConfig(QuestionConfig):
    """Do roots stay in the linear region of the network above, and does the score vanish there?"""

    samples: int = MISSING
    units: int | None = None


@dataclass
class MinMaxConfig(QuestionConfig):
    """What does a trained relevance model change, next to the training-free and the exact one?"""

    samples: int = MISSING
    exact: int = MISSING
    shown: list[int] = MISSING
    hidden: int = MISSING
    steps: int = MISSING
    budget: int = MISSING


@dataclass
class NearestRootsConfig(QuestionConfig):
    """How far away are the roots that rules use, compared with the nearest root in the domain?"""

    samples: int = MISSING
    units: int | None = None


@dataclass
class RootDistributionsConfig(QuestionConfig):
    """How much does an explanation owe to the one root that it was read off at?"""

    samples: int = MISSING
    directions: list[str] = MISSING
    spreads: list[float] = MISSING
    draws: int = MISSING
    steps: list[int] = MISSING


@dataclass
class GenericConfig(QuestionConfig):
    """What does the generic Taylor model make of layers that no rule is written for?"""

    samples: int = MISSING
    opaque: dict[str, list[str]] = MISSING
    references: list[str] = MISSING
    steps: list[int] = MISSING


QUESTIONS = {
    "castle": CastleConfig,
    "conservation": ConservationConfig,
    "correspondence": CorrespondenceConfig,
    "cost": CostConfig,
    "exact": ExactConfig,
    "faithfulness": FaithfulnessConfig,
    "function_view": FunctionViewConfig,
    "generic": GenericConfig,
    "heatmaps": HeatmapsConfig,
    "minmax": MinMaxConfig,
    "movie_reviews": MovieReviewsConfig,
    "root_regions": RootRegionsConfig,
    "nearest_roots": NearestRootsConfig,
    "overhead": OverheadConfig,
    "root_distributions": RootDistributionsConfig,
    "sanity": SanityConfig,
    "validity": ValidityConfig,
}
