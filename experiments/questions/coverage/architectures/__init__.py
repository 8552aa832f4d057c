"""The list of architectures, one module a family; families whose library is not installed are left out."""

from collections.abc import Iterator
from importlib import import_module

from experiments.cost.peers import installed
from experiments.questions.coverage.architectures.base import Architecture

FAMILIES = {  # module: the library that it needs besides torch
    "convolutional": None,
    "composed": None,
    "blocks": None,
    "sequences": None,
    "graphs": None,
    "recurrent": None,
    "attention": None,
    "torchvision_models": "torchvision",
    "timm_models": "timm",
    "language_models": "transformers",
    "perception_models": "transformers",
}


def missing() -> list[str]:
    """Libraries that the list would need and that are not installed."""
    return sorted({library for library in FAMILIES.values() if library is not None and not installed(library)})


def modules() -> list[str]:
    """The modules of the families whose library is installed; before them what makes torchvision importable.

    timm and transformers import torchvision too, where it is installed.
    """
    usable = (name for name, library in FAMILIES.items() if library is None or installed(library))
    repair = ["experiments.machine.vision"] if installed("torchvision") else []
    return [*repair, *(f"{__name__}.{name}" for name in usable)]


def architectures() -> Iterator[Architecture]:
    """Every architecture whose library is installed, family by family."""
    for module in map(import_module, modules()):
        yield from getattr(module, "ARCHITECTURES", ())
