"""Relevance that outgrows what is explained: what the warning says is what was found."""

import pytest
import torch
from torch import nn

import dtd


def test_numbers_of_the_warning_are_those_of_growth():
    unit = nn.Linear(2, 1)
    unit.load_state_dict({"weight": torch.tensor([[1000.0, -999.0]]), "bias": torch.zeros(1)})
    x = torch.ones(1, 2)
    said = r"grows to 2e\+03 times what is explained, at the inputs; most at layer 'dense'"
    with pytest.warns(dtd.GrowthWarning, match=said):
        out = dtd.explain(dtd.trace(unit, x), x, 0, dtd.Plan.uniform("lrp0"))
    assert out.growth == {"dense": 1.0, "(inputs)": pytest.approx(1999.0)}
