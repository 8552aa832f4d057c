"""The question ``sentence_similarity``: which pairs of words make two sentences alike to a language model?"""

from experiments.questions.sentence_similarity.question import QUESTION

__all__ = ["QUESTION"]
