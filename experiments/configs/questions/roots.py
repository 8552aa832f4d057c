"""Schemas of the questions about roots, and about what the Taylor terms at them keep back."""

from dataclasses import dataclass, field
from enum import Enum

from omegaconf import MISSING

from experiments.configs.base import Bias, QuestionConfig


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


class Weights(Enum):
    """A model's own weights, or random ones in their place."""

    own = "own"
    random = "random"


class Explained(Enum):
    """What the initial relevance is: the predicted class, or every output."""

    predicted = "predicted"
    outputs = "outputs"


@dataclass
class ValidityConfig(QuestionConfig):
    """Are the root points roots, and in the domain?"""

    samples: int = MISSING
    weights: list[Weights] = MISSING
    explained: Explained = MISSING
    units: int | None = None


@dataclass
class ConservationConfig(QuestionConfig):
    """What becomes of the explained output, layer by layer? ``biases: null`` leaves each plan its own mode."""

    samples: int = MISSING
    biases: list[Bias] | None = None


@dataclass
class RootRegionsConfig(QuestionConfig):
    """Do roots stay in the linear region of the network above, and does the score vanish there?"""

    samples: int = MISSING
    units: int | None = None


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
class DepthConfig(QuestionConfig):
    """Do the explanations of two classes become one and the same with depth, and how fast?"""

    depths: list[int] = MISSING
    width: int = MISSING
    networks: int = MISSING
    samples: int = MISSING
    moved: float = MISSING
