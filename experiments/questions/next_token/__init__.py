"""The question ``next_token``: which tokens of a prompt speak for the token that comes next?"""

from experiments.questions.next_token.question import QUESTION

__all__ = ["QUESTION"]
