"""Traced networks."""

from dtd.network.network import Network
from dtd.network.trace import trace

__all__ = ["Network", "trace"]
