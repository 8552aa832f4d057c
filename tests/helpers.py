"""What several test files look at."""

import pickle
from copy import deepcopy

import torch

from dtd.fast import Program, Swept, prepared
from dtd.fast.affine import AffineStep
from dtd.fast.kernels import Passes

SENT = {"pickle": lambda value: pickle.loads(pickle.dumps(value)), "deepcopy": deepcopy}  # as other processes get it


def program_of(network, plan, dtype=None) -> Program:
    """The prepared passes of a plan."""
    return prepared(network.graph, plan.bind(network.graph), dtype)


def passes_of(network, plan) -> list[Passes]:
    """The passes of the affine layers of a plan's program, with the modified weights that they keep."""
    steps = [stage.step for stage in program_of(network, plan).stages]
    return [step.sources.own for step in steps if isinstance(step, AffineStep)]


def saved_bytes(swept: Swept) -> int:
    """Bytes that a finished forward sweep holds, each memory counted once."""
    held: dict[int, int] = {}

    def look(value):
        if isinstance(value, torch.Tensor):
            held[value.untyped_storage().data_ptr()] = value.untyped_storage().nbytes()
        elif isinstance(value, (list, tuple)):
            for each in value:
                look(each)

    for segment in (*swept.lower, swept.upper):
        look(segment.saved)
        look([value for j, value in segment.kept.items() if j >= 0])
    return sum(held.values())
