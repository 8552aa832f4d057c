"""Questions, one module each; a module is imported when its question is asked."""

from importlib import import_module

from experiments.configs import SCHEMAS, QuestionConfig
from experiments.questions.base import Question


def question(config: QuestionConfig) -> Question:
    """The question that a config is for: ``QUESTION`` in the module that has the name of the config's schema."""
    (name,) = (name for name, schema in SCHEMAS["question"].items() if type(config) is schema)
    return import_module(f"experiments.questions.{name}").QUESTION
