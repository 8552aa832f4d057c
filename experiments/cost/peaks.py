"""Peak memory of every method, each in a process of its own."""

from collections.abc import Iterator

import pandas as pd
from torch import Tensor, nn

from dtd.domain import Domain
from experiments.configs.questions.cost import CostConfig
from experiments.configs.run import Config
from experiments.cost.methods import PEERS, methods_of, samples
from experiments.cost.peers import installed
from experiments.cost.recipes import BASELINE
from experiments.cost.timing import once
from experiments.machine.console import progress
from experiments.machine.memory import peak_memory
from experiments.models import subjects


def memory(config: Config) -> pd.DataFrame:
    """Peak memory that explaining adds to the loaded and traced model, at the largest batch, in MB."""
    asked = config.asked(CostConfig)
    found = []
    for name, subject in subjects(config.model, config.data).items():
        peers = [peer for peer in asked.peers if installed(peer)]
        x = samples(subject, max(asked.batches))
        methods = methods_of(subject.model, subject.domain, x, peers, asked.within)
        listed = [
            (method.library, method.rule) for method in methods if method.library == BASELINE or method.rule in asked.memory
        ]
        for library, rule in progress(listed, f"memory on {name}"):
            peak = peak_memory(added_by, subject.model, subject.domain, x, library, rule, asked.within)
            found.append({"model": name, "batch": len(x), "library": library, "rule": rule, "megabytes": peak})
    return pd.DataFrame(found)


def added_by(model: nn.Module, domain: Domain, x: Tensor, library: str, rule: str, within: int) -> Iterator[None]:
    """Two explanations by one method; waits once when the model is traced and copied, before the first."""
    peers = [library] if library in PEERS else []
    (method,) = (m for m in methods_of(model, domain, x, peers, within) if (m.library, m.rule) == (library, rule))
    yield
    with method.ready() as prepared:
        for _ in range(2):
            once(prepared)
