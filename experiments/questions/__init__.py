"""Questions, one module each; a module is imported when its question is asked."""

from importlib import import_module

from experiments.configs import QuestionConfig, option
from experiments.questions.base import Question


def question(config: QuestionConfig) -> Question:
    """The question that a config is for: ``QUESTION`` in the module that has the name of the config's schema."""
    return import_module(f"experiments.questions.{option('question', config)}").QUESTION
