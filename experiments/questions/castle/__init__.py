"""The question ``castle``: a photo under the rules of the LRP overview."""

from experiments.questions.castle.question import QUESTION

__all__ = ["QUESTION"]
