"""The question ``coverage``: which of today's architectures trace, and are they explained rightly?"""

from experiments.questions.coverage.question import QUESTION

__all__ = ["QUESTION"]
