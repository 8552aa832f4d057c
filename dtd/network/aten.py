"""The ops of exported graphs, which are sent by their names."""

import copyreg
from typing import Any

import torch

aten = torch.ops.aten


def op_named(namespace: str, name: str, overload: str) -> Any:
    """The op of torch with that name, such as ``aten.add.Tensor``."""
    return getattr(getattr(getattr(torch.ops, namespace), name), overload)


def as_name(op: Any) -> tuple[Any, tuple[str, ...]]:
    """How an op is pickled: what finds it again in another process."""
    return op_named, (*op._schema.name.split("::"), op._overloadname)


copyreg.pickle(type(aten.add.Tensor), as_name)
