"""The question ``movie_reviews``: words, their vectors, a network that reads them, and the relevance of each word."""

from experiments.questions.movie_reviews.question import QUESTION

__all__ = ["QUESTION"]
