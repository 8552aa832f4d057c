"""The examples of docstrings run and print what they say; every public name has one."""

import doctest
from importlib import import_module
from inspect import ismodule
from pathlib import Path

import pytest

import dtd

ROOT = Path(dtd.__file__).parent
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
MODULES = sorted(".".join(path.relative_to(ROOT.parent).with_suffix("").parts) for path in ROOT.rglob("*.py"))
WITH_EXAMPLES = [name for name in MODULES if ">>>" in (ROOT.parent / f"{name.replace('.', '/')}.py").read_text("utf-8")]


@pytest.mark.filterwarnings("ignore::dtd.GrowthWarning", "ignore::dtd.UnderflowWarning")
@pytest.mark.parametrize("name", WITH_EXAMPLES)
def test_examples_print_what_they_say(name):
    result = doctest.testmod(import_module(name.removesuffix(".__init__")), optionflags=FLAGS)
    assert result.attempted and not result.failed


PUBLIC = {
    "dtd": (dtd, dtd.__all__),
    "dtd.plot": (dtd.plot, dtd.plot.__all__),
    "dtd.lrp": (dtd.lrp, dtd.lrp.__all__),
    "dtd.presets": (dtd.presets, dtd.presets.__all__),
    "dtd.rules": (dtd.rules, ("choose",)),
    "dtd.where": (dtd.where, dtd.where.__all__),
}


@pytest.mark.parametrize("room", sorted(PUBLIC))
def test_every_public_name_has_an_example(room):
    module, names = PUBLIC[room]
    objects = {name: getattr(module, name) for name in names}
    documented = {name for name, each in objects.items() if ismodule(each) or ">>> " in (each.__doc__ or "")}
    assert set(objects) - documented == set()
