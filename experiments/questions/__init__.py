"""Questions, one module each; a module is imported when its question is asked."""

from importlib import import_module

from experiments.questions.base import Question


def question(name: str) -> Question:
    """The question of that name, ``QUESTION`` in its module."""
    return import_module(f"experiments.questions.{name}").QUESTION
