"""What the questions about explanations ask about: a model in the run's precision, samples, and the run's plans."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from dtd.explaining.explain import explain
from dtd.explaining.explanation import Explanation
from dtd.network import Network, trace
from dtd.plans.plan import Plan
from experiments.configs.base import require
from experiments.configs.run import Config
from experiments.models import Subject, subjects
from experiments.plans import plans

BATCH = 32  # samples that are explained at once


@dataclass(frozen=True, eq=False)
class Case:
    """One model with the samples that are explained; targets are the predicted classes.

    # shape: x (B, *in), target (B,)
    """

    name: str
    subject: Subject
    model: nn.Module
    network: Network
    x: Tensor
    target: Tensor
    batches: tuple[Tensor, Tensor]  # what plans that take something from data look at
    plans: Mapping[str, Plan]

    def explanations(self, plan: Plan) -> Iterator[Explanation]:
        """The samples' explanations, a batch at a time."""
        for x, target in zip(self.x.split(BATCH), self.target.split(BATCH), strict=True):
            yield explain(self.network, x, target, plan)


@dataclass(frozen=True, eq=False)
class Traced:
    """A subject in one precision, the samples of its test set that are explained, and its network. # shape: x (B, *in)"""

    subject: Subject
    x: Tensor
    network: Network


def traced(subject: Subject, dtype: torch.dtype, samples: int | Sequence[int], opaque: Sequence[str] = ()) -> Traced:
    """The first so many samples of the test set, or those that are listed; ``opaque`` modules stay in one piece.

    Raises :class:`ConfigError` for samples that the test set does not have.
    """
    counted, found = isinstance(samples, int), len(subject.test_x)
    index = list(range(samples)) if counted else list(samples)
    valid = f"at most the {found} samples of the test set" if counted else f"below {found}, the size of the test set"
    require(max(index) < found, "question.samples" if counted else "question.chosen", valid, samples)
    precise = subject.to(dtype)
    x = precise.test_x[index]
    return Traced(precise, x, trace(precise.model, x, precise.domain, opaque=opaque))


@torch.no_grad()
def cases(config: Config, samples: int | list[int]) -> Iterator[Case]:
    """A case for each model of the run, with the first so many samples of the test set, or with those that are listed.

    Raises :class:`ConfigError` for samples that the test set does not have.
    """
    for name, subject in subjects(config.model, config.data).items():
        here = traced(subject, config.dtype.torch, samples)
        model, batches = here.subject.model, (here.subject.train_x, here.subject.test_x)
        made = plans(config, here.network, batches)
        yield Case(name, subject, model, here.network, here.x, model(here.x).argmax(1), batches, made)
