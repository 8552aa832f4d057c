"""Questions, one module each; a module is imported when its question is asked."""

from experiments.configs.base import QuestionConfig
from experiments.configs.options import module
from experiments.questions.base import Question


def question(config: QuestionConfig) -> Question:
    """The question that a config is for: ``QUESTION`` in the module of its schema's name, or what its ``made`` makes."""
    found = module("question", config)
    return found.QUESTION if hasattr(found, "QUESTION") else found.made(config)
