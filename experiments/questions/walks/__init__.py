"""The question ``walks``: graphs with a planted motif, a graph network that tells motifs apart, and its walks."""

from experiments.questions.walks.question import QUESTION

__all__ = ["QUESTION"]
