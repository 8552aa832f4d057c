"""What a job learns on its way that no row holds, such as the accuracy of the models that it made."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

MODELS = "models.json"  # where a run keeps the accuracies of its models
NOTED: ContextVar[dict[str, float] | None] = ContextVar("accuracies", default=None)


@contextmanager
def noting() -> Iterator[dict[str, float]]:
    """Accuracies by model that are noted inside."""
    made: dict[str, float] = {}
    token = NOTED.set(made)
    try:
        yield made
    finally:
        NOTED.reset(token)


def wanted() -> bool:
    """Whether anybody listens."""
    return NOTED.get() is not None


def note(model: str, accuracy: float) -> None:
    """Note a model's accuracy on its test set."""
    found = NOTED.get()
    if found is not None:
        found[model] = accuracy
