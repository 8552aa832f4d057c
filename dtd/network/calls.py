"""What a call of an exported graph calls, and with which arguments."""

from collections.abc import Callable
from typing import Any

from torch.fx import Node
from torch.fx.node import map_arg


def callee(node: Node) -> Any:
    """An op of torch, or a function of Python."""
    assert callable(node.target), node
    return node.target


def arguments(node: Node) -> tuple[Any, ...]:
    """Nodes and constants: which of them an op takes at which place is known from the op alone."""
    return tuple(node.args)


def with_values(node: Node, value: Callable[[Node], Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """All arguments, by position and by name, with the values of nodes in their places."""
    args: Any = map_arg(node.args, value)
    kwargs: Any = map_arg(dict(node.kwargs), value)
    return args, kwargs
