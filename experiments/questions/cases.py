"""What the questions about explanations ask about: a model in the run's precision, samples, and the run's plans."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from dtd.explaining.explain import explain
from dtd.explaining.explanation import Explanation
from dtd.network import Network, trace
from dtd.plans.plan import Plan
from experiments.configs import Config, require
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


@torch.no_grad()
def cases(config: Config, samples: int | list[int]) -> Iterator[Case]:
    """A case for each model of the run, with the first so many samples of the test set, or with those that are listed.

    Raises :class:`ConfigError` for samples that the test set does not have.
    """
    for name, subject in subjects(config.model, config.data).items():
        index = list(range(samples)) if isinstance(samples, int) else samples
        found = len(subject.test_x)
        counted = isinstance(samples, int)
        valid = f"at most the {found} samples of the test set" if counted else f"below {found}, the size of the test set"
        require(max(index) < found, "question.samples", valid, samples)
        precise = subject.to(config.dtype.torch)
        x, model, batches = precise.test_x[index], precise.model, (precise.train_x, precise.test_x)
        network = trace(model, x, subject.domain)
        yield Case(name, subject, model, network, x, model(x).argmax(1), batches, plans(config, network, batches))
