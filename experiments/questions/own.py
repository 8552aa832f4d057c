"""A question of your own, of a package that the run trusts."""

from experiments.configs import targets
from experiments.configs.base import require
from experiments.configs.questions.explanations import OwnQuestionConfig
from experiments.questions.base import Question


def made(config: OwnQuestionConfig) -> Question:
    """The question that the target makes. Raises :class:`ConfigError` for a target that makes none."""
    target = targets.resolve(config._target_, config.trusted, "question")
    targets.check_arguments(target, {}, "question._target_")
    found = target()
    wanted = "a function without arguments that makes an experiments.questions.base.Question"
    require(isinstance(found, Question), "question._target_", wanted, type(found).__name__)
    return found
