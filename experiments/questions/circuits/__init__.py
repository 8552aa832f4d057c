"""The question ``circuits``: which components of a language model does a fact rest on, by relevance and by trial?"""

from experiments.questions.circuits.question import QUESTION

__all__ = ["QUESTION"]
