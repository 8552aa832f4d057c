"""Objects that a config names: ``_target_`` with its arguments, for names that may be trusted.

A config is data. A name reaches what is *defined* in ``dtd``, in ``experiments``, among the architectures of torchvision and
timm, or in a package that the run trusts; what such a package merely imports is out of reach. Of the own packages only
what makes a value can be called: of ``experiments`` models and the parts of plans, of ``dtd`` classes and the functions of
``FUNCTIONS``.
"""

import inspect
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from torch import nn

from dtd.direction import Direction
from dtd.errors import DTDError
from dtd.plans.where import Where
from dtd.propagation import Propagation
from dtd.root import RootStrategy
from experiments.configs.architectures import LIBRARIES, architecture
from experiments.configs.base import ConfigError, require

TARGET = "_target_"
OWN = ("dtd", "experiments")
FUNCTIONS = ("dtd.presets", "dtd.rules", "dtd.where")  # modules whose functions a config may call as well
HOMES = "dtd.plans."  # where these functions are defined
MAKES = (nn.Module, Where, Direction, RootStrategy, Propagation)  # of experiments, only these classes
WORD = re.compile(r"[A-Za-z]\w*")
NAME = re.compile(r"[A-Za-z]\w*(\.[A-Za-z]\w*)+")


def build(node: Any, trusted: Sequence[str], key: str) -> Any:
    """The value that a node describes. Raises :class:`ConfigError`, naming the key, before anything is called."""
    check(node, trusted, key)
    return made(node, trusted, key)


def check(node: Any, trusted: Sequence[str], key: str) -> None:
    """Raises :class:`ConfigError` for a name, anywhere in a node, that may not be reached."""
    for name, value in children(node, key):
        check(value, trusted, name)
    if isinstance(node, Mapping) and TARGET in node:
        special = [name for name in node if name != TARGET and not WORD.fullmatch(str(name))]
        require(not special, key, f"'{TARGET}' with named arguments, and nothing else that starts with '_'", special)
        resolve(node[TARGET], trusted, key)


def children(node: Any, key: str) -> Iterator[tuple[str, Any]]:
    """What a node holds, with the key of each."""
    if isinstance(node, Mapping):
        yield from ((f"{key}.{name}", value) for name, value in node.items() if name != TARGET)
    elif isinstance(node, list):
        yield from ((f"{key}[{i}]", value) for i, value in enumerate(node))


def made(node: Any, trusted: Sequence[str], key: str) -> Any:
    """:func:`build` for a checked node; objects inside out."""
    if isinstance(node, Mapping):
        arguments = {name: made(value, trusted, f"{key}.{name}") for name, value in node.items() if name != TARGET}
        return call(resolve(node[TARGET], trusted, key), arguments, key) if TARGET in node else arguments
    if isinstance(node, list):
        return [made(value, trusted, f"{key}[{i}]") for i, value in enumerate(node)]
    return node


def call(target: Callable[..., Any], arguments: Mapping[str, Any], key: str) -> Any:
    """The target's value; its arguments are checked first."""
    check_arguments(target, arguments, key)
    try:
        return target(**arguments)
    except (DTDError, TypeError, ValueError) as error:
        raise ConfigError(f"'{key}' does not make a {target.__name__}: {error}") from error


def check_arguments(target: Callable[..., Any], arguments: Mapping[str, Any], key: str) -> None:
    """Raises :class:`ConfigError` for arguments that a target does not take, or lacks."""
    try:
        inspect.signature(target).bind(**arguments)
    except TypeError as error:
        valid = ", ".join(inspect.signature(target).parameters) or "none"
        raise ConfigError(f"'{key}': {error}; the arguments of {target.__name__} are {valid}.") from error


def resolve(name: Any, trusted: Sequence[str], key: str) -> Callable[..., Any]:
    """The class or function with that name. Raises :class:`ConfigError`, naming the key and what may be named."""
    key = f"{key}.{TARGET}"
    require(isinstance(name, str) and bool(NAME.fullmatch(name)), key, "a name such as mypackage.MyClass", repr(name))
    if name.split(".")[0] in LIBRARIES:
        return architecture(name, key)
    roots = (*OWN, *checked(trusted))
    root = next((root for root in roots if within(name, root)), None)
    if root is None:
        raise ConfigError(
            f"'{key}' must name something in {', '.join(roots)} or an architecture of {' or '.join(LIBRARIES)}; found "
            f"{name}. If you trust its package, say so: trusted=[{name.split('.')[0]}]."
        )
    found = walk(name, root, key)
    if not defined(found, root):
        raise ConfigError(f"'{key}' must be a class or function that is defined in '{root}' itself; found {name}.")
    if root == "dtd":
        valid = inspect.isclass(found) or (found.__module__.startswith(HOMES) and name.rpartition(".")[0] in FUNCTIONS)
        require(valid, key, f"a class of dtd, or a function of {', '.join(FUNCTIONS)}", name)
    elif root == "experiments":
        valid = inspect.isclass(found) and issubclass(found, MAKES)
        require(valid, key, f"a class of experiments that is a {', '.join(each.__name__ for each in MAKES)}", name)
    return found


def checked(trusted: Sequence[str]) -> Sequence[str]:
    """The packages that a run trusts; Python's own are not for a config to call."""
    for package in trusted:
        valid = all(map(WORD.fullmatch, package.split("."))) and package.split(".")[0] not in sys.stdlib_module_names
        require(valid, "trusted", "a list of your own packages, not Python's", package)
    return trusted


def within(name: str, root: str) -> bool:
    """Whether a dotted name lies in a package."""
    return name == root or name.startswith(root + ".")


def walk(name: str, root: str, key: str) -> Any:
    """Follow a dotted name through the modules and classes of a package."""
    found: Any = imported(root, key)
    for part in name.removeprefix(root).strip(".").split("."):
        inside = within(getattr(found, "__name__" if inspect.ismodule(found) else "__module__", None) or "", root)
        if not inside or not (inspect.ismodule(found) or inspect.isclass(found)):
            raise ConfigError(f"'{key}': '{part}' of {name} is not looked up outside '{root}'.")
        if inspect.ismodule(found) and hasattr(found, "__path__") and find_spec(f"{found.__name__}.{part}"):
            found = imported(f"{found.__name__}.{part}", key)
        elif hasattr(found, part):
            found = getattr(found, part)
        else:
            known = ", ".join(sorted(each for each, value in vars(found).items() if defined(value, root)))
            raise ConfigError(f"'{key}': no '{part}' in {found.__name__}; there are {known or 'no classes or functions'}.")
    return found


def imported(module: str, key: str) -> Any:
    """A module of a trusted package."""
    try:
        return import_module(module)
    except ImportError as error:
        where = "the directory you start in, PYTHONPATH and what is installed"
        raise ConfigError(f"'{key}': cannot import '{module}' ({error}); looked in {where}.") from error


def defined(found: Any, root: str) -> bool:
    """Whether a class or function is defined in a package, at the place that it names as its own."""
    if not (inspect.isclass(found) or inspect.isfunction(found) or inspect.ismethod(found)):
        return False
    home: Any = sys.modules.get(found.__module__)
    for part in found.__qualname__.split("."):
        home = getattr(home, part, None)
    return within(found.__module__, root) and home == found
