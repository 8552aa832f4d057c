"""Numbers that callers have in the kinds of numpy."""

from typing import Any

import numpy as np


def as_python(value: Any) -> Any:
    """An integer, or several, of numpy's as Python's; anything else as it is."""
    whole = isinstance(value, (np.integer, np.ndarray)) and value.dtype.kind in "iu"
    return value.tolist() if whole else value
