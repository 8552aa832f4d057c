"""Parameters of another kind are the library's errors where an object is made, never Python's own."""

import dataclasses
import inspect

import pytest

import dtd

LATER = {  # classes and outputs are checked where the network is known
    "Difference": {"of"},
    "LogOdds": {"of"},
    "FromReference": {"value"},
    "MaxAsAverage": {"fitted"},
    "Training": {"seed"},
}


def alone(kind: type) -> list[str]:
    """The parameters of a class that it can be made with, each without the others."""
    if inspect.isabstract(kind) or not dataclasses.is_dataclass(kind):
        return []
    fields = [each for each in dataclasses.fields(kind) if each.init]
    needed = [each.name for each in fields if each.default is each.default_factory is dataclasses.MISSING]
    return needed if len(needed) == 1 else [each.name for each in fields] if not needed else []


PARAMETERS = [
    pytest.param(getattr(dtd, name), each, id=f"{name}-{each}")
    for name in dtd.__all__
    if inspect.isclass(getattr(dtd, name)) and not issubclass(getattr(dtd, name), Exception)
    for each in alone(getattr(dtd, name))
    if each not in LATER.get(name, ())
]


@pytest.mark.parametrize(("kind", "name"), PARAMETERS)
def test_text_in_place_of_a_parameter_is_refused(kind, name):
    with pytest.raises(dtd.DTDError, match="found "):
        kind(**{name: "a"})


def test_most_parameters_are_looked_at():
    assert len(PARAMETERS) > 25
