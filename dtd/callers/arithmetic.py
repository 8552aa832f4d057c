"""The arithmetic of this package, whatever the caller has switched on."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import torch

DEVICES = ("cpu", "cuda", "mps", "xpu")  # where autocast may be on


@contextmanager
def without_autocast() -> Iterator[None]:
    """Every operation in the dtype of its arguments: ``torch.autocast`` around a call changes nothing inside it."""
    with ExitStack() as stack:
        for device in DEVICES:
            if torch.is_autocast_enabled(device):
                stack.enter_context(torch.autocast(device, enabled=False))
        yield


@contextmanager
def own_arithmetic(gradients: bool = False) -> Iterator[None]:
    """The same, without gradients, or with them where they are asked for."""
    with torch.set_grad_enabled(gradients), without_autocast():
        yield
