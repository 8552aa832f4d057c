"""Random numbers for different purposes from one seed: data must not repeat the numbers that weights were drawn with."""

import numpy as np
import torch


def generator(seed: int, purpose: str) -> torch.Generator:
    """A stream of its own for each purpose."""
    words = np.random.SeedSequence((seed, *purpose.encode())).generate_state(1, np.uint64)
    return torch.Generator().manual_seed(int(words[0] >> np.uint64(1)))
