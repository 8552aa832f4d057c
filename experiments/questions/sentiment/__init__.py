"""The question ``sentiment``: a transformer that reads reviews, relevance of words, and what its blocks keep back."""

from experiments.questions.sentiment.question import QUESTION

__all__ = ["QUESTION"]
