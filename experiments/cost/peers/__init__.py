"""Other libraries, for comparison. Optional: what is not installed is left out.

A module here that is named after a library offers ``methods(model, x, target)``.
"""

from importlib.util import find_spec


def installed(library: str) -> bool:
    """Whether a library can be imported."""
    return find_spec(library) is not None
