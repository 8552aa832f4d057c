"""Networks, explanations and plans are sent to other processes: copies say the same, and all of them print in short."""

import pickle
import re
from copy import deepcopy

import pytest
import torch

import dtd
from dtd import presets
from tests.dtd.test_without_fast import NETWORKS, parts
from tests.models import randomised

SENT = {"pickle": lambda value: pickle.loads(pickle.dumps(value)), "deepcopy": deepcopy}


@pytest.mark.filterwarnings("ignore::dtd.GrowthWarning")
@pytest.mark.parametrize("send", sorted(SENT))
@pytest.mark.parametrize("name", sorted(NETWORKS))
def test_copies_of_a_network_its_plan_and_its_explanation_say_the_same(name, send):
    make, shapes = NETWORKS[name]
    generator = torch.Generator().manual_seed(5)
    inputs = tuple(torch.rand(2, *shape, generator=generator, dtype=torch.double) for shape in shapes)
    inputs = inputs if len(inputs) > 1 else inputs[0]
    network = dtd.trace(randomised(make()), inputs)
    plan = presets.recommended(network)
    out = dtd.explain(network, inputs, 1, plan)
    sent_network, sent_plan, sent = map(SENT[send], (network, plan, out))
    again = dtd.explain(sent_network, inputs, 1, sent_plan)
    for found in (sent, again):
        assert all(map(torch.equal, parts(found.relevance), parts(out.relevance)))
    for layer, record in out.layers.items():
        assert all(map(torch.equal, sent.layers[layer].balance.parts(), record.balance.parts()))
    for value in (sent_plan, sent, *sent_network.layers):
        assert not re.search(r"0x[0-9a-f]{6}|tensor\(\[", repr(value))
