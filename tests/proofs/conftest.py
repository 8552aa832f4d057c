"""Proofs are checked once for all tests."""

from concurrent.futures import ProcessPoolExecutor

import pytest

from proofs.__main__ import check
from proofs.registry import PROOFS


@pytest.fixture(scope="session")
def results():
    """The result of every proof by name."""
    with ProcessPoolExecutor(2) as pool:
        return dict(zip(PROOFS, pool.map(check, PROOFS), strict=True))
