"""The question ``function_view``: one unit with two inputs, and the flow of relevance through a small network."""

from experiments.questions.function_view.question import QUESTION

__all__ = ["QUESTION"]
