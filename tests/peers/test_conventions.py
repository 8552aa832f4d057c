"""The measured numbers in docs/conventions.md are those of today's dtd, zennit and captum."""

import pytest

from tests.peers.document import rows, shown
from tests.peers.network_differences import MEASURED

pytestmark = pytest.mark.peers


@pytest.mark.parametrize("example", MEASURED)
def test_measured_as_documented(example):
    apart = MEASURED[example]()
    assert [shown(apart.zennit), shown(apart.captum)] == rows()[example][-2:]
