"""How relevance flows through a small trained network: what each unit hands to each of its inputs, and what leaves."""

from collections.abc import Iterator

import pandas as pd
import torch
from torch import Tensor

from dtd.errors import InputError
from dtd.network import Network
from dtd.plans.plan import Plan
from dtd.plot.flow_rows import flow_rows
from experiments.configs.base import ConfigError, require
from experiments.configs.questions.roots import FunctionViewConfig
from experiments.configs.run import Config
from experiments.models import subjects
from experiments.plans import plans
from experiments.questions.cases import traced


def tables(config: Config) -> Iterator[tuple[str, pd.DataFrame]]:
    """:func:`flows` for every model and plan of a run, with the columns ``model`` and ``plan``."""
    found = []
    for name, subject in subjects(config.model, config.data).items():
        samples, sample = len(subject.test_x), config.asked(FunctionViewConfig).sample
        require(sample < samples, "question.sample", f"one of the test samples 0 to {samples - 1}", sample)
        case = traced(subject, config.dtype.torch, [sample])
        for plan, made in plans(config, case.network, (case.subject.train_x, case.subject.test_x)).items():
            part = flows(case.network, case.x, made)
            found.append({key: table.assign(model=name, plan=plan) for key, table in part.items()})
    for key in found[0]:
        yield key, pd.concat([part[key] for part in found], ignore_index=True)


def flows(network: Network, x: Tensor, plan: Plan) -> dict[str, pd.DataFrame]:
    """The tables of :func:`flow_rows` for the predicted class of one sample, ``flow_layers`` with that ``target``.

    Raises :class:`ConfigError` for a network that has no such picture.
    """
    with torch.no_grad():
        target = int(network.model(x).argmax(1))
    try:
        found = flow_rows(network, x, target, plan)
    except InputError as error:
        raise ConfigError(f"{error} Such as model=mlp.") from error
    return {f"flow_{name}": table.assign(target=target) if name == "layers" else table for name, table in found.items()}
