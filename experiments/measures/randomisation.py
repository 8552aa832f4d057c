"""Cascading parameter randomisation: copies of a model that lose, layer by layer, what training gave them (Adebayo 2018)."""

from collections.abc import Iterator
from copy import deepcopy

import numpy as np
from torch import nn

from dtd.errors import InputError
from dtd.network import Network
from experiments.machine.conditions import seeded

STREAM = 1  # of random numbers
ORDERS = ("output", "input", "each")  # from the output down, from the input up, one layer alone


def groups(network: Network) -> list[list[str]]:
    """Paths of the modules whose weights are drawn together, the input's first: a layer and the batch norm folded into it.

    Raises :class:`InputError` for a module whose weights cannot be drawn anew.
    """
    found = {layer.path: [layer.path, *layer.folded] for layer in network.weighted}  # used twice, it counts once
    for path in (path for group in found.values() for path in group):
        module = network.model.get_submodule(path)
        if not hasattr(module, "reset_parameters"):
            raise InputError(
                f"Module '{path}' ({type(module).__name__}) has weights but no reset_parameters(); give it one, so that "
                "they can be drawn anew."
            )
    return list(found.values())


def randomised(model: nn.Module, groups: list[list[str]], order: str, seed: int) -> Iterator[tuple[str, nn.Module]]:
    """The name of the layer that was randomised last, and a copy of the model; the model itself is left alone.

    A layer gets the same new weights at every step and in every order: what its ``reset_parameters`` draws. ``seed`` begins
    a stream of its own: a model that was made with the same seed would otherwise get its first weights back.
    """
    drawn = deepcopy(model).requires_grad_(False)
    with seeded(int(np.random.SeedSequence((seed, STREAM)).generate_state(1)[0])):
        for path in (path for group in groups for path in group):
            drawn.get_submodule(path).reset_parameters()
    current = deepcopy(model)
    for group in reversed(groups) if order == "output" else groups:
        if order == "each":
            current = deepcopy(model)
        for path in group:
            current.get_submodule(path).load_state_dict(drawn.get_submodule(path).state_dict())
        yield group[0], deepcopy(current)
