"""The question ``similarity``: pairs of images, a classifier's embedding, and the patches that make two images alike."""

from experiments.questions.similarity.question import QUESTION

__all__ = ["QUESTION"]
