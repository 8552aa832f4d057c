"""Relevance that outgrows what is explained: the warning, its trigger and ``out.growth`` say the same number."""

import warnings

import pytest
import torch
from torch import nn

import dtd

PLAN = dtd.Plan.uniform("lrp0")


def chain(*weights):
    """Dense layers without biases, one for each matrix."""
    layers = [nn.Linear(len(w[0]), len(w), bias=False).double() for w in weights]
    for layer, w in zip(layers, weights, strict=True):
        layer.weight.data[:] = torch.tensor(w)
    return layers[0] if len(layers) == 1 else nn.Sequential(*layers)


def explained(model, x, target=0):
    """The explanation by LRP-0 and the message of its warning, if it warns."""
    x = torch.tensor(x).double()
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        out = dtd.explain(dtd.trace(model, x), x, target, PLAN)
    return out, [str(each.message) for each in said if each.category is dtd.GrowthWarning]


def test_one_layer_names_the_inputs_number():
    out, said = explained(chain([[1025.0, -1024.0]]), [[1.0, 1.0]])
    assert out.growth == {"dense": 1.0, "(inputs)": 2049.0}
    head = "Relevance of the inputs is 2049 times what is explained; most at layer 'dense' (dense), by a factor of 2049:"
    assert said[0].startswith(head)


def test_the_message_speaks_of_the_sample_in_which_relevance_grows_most():
    # z = 1025 a_1 - 1024 a_2: Σ|R|/|R| is 1 at (1, 0) and 2049 at (1, 1)
    out, said = explained(chain([[1025.0, -1024.0]]), [[1.0, 0.0], [1.0, 1.0], [0.0, 1.0]])
    assert out.growth == {"dense": 1.0, "(inputs)": 2049.0} and "2049 times" in said[0]


def test_the_layer_where_most_of_it_happens_is_named():
    # the upper layer doubles: (3, -1)/2; the lower one multiplies each part by 2049
    out, said = explained(chain([[1025.0, -1024.0], [1025.0, -1024.0]], [[1.5, -0.5]]), [[1.0, 1.0]])
    assert out.growth == {"1": 1.0, "0": 2.0, "(inputs)": 2049.0}  # the parts of 3/2 and -1/2 add up again in an input
    assert "2049 times" in said[0] and "most at layer '0' (dense), by a factor of 1024" in said[0]


@pytest.mark.parametrize(("w", "warns"), [(499.0, False), (500.0, True)])
def test_the_trigger_is_the_growth_of_the_inputs(w, warns):
    # z = (w + 1) a_1 - w a_2 = 1: Σ|R| = 2 w + 1, on both sides of 1000
    out, said = explained(chain([[w + 1, -w]]), [[1.0, 1.0]])
    assert out.growth["(inputs)"] == 2 * w + 1
    assert bool(said) == (out.growth["(inputs)"] > 1000) == warns


def test_a_layer_alone_that_is_large_does_not_warn():
    # z = 1025 h - 1024 h: the two units of h read the same input, whose parts cancel again
    out, said = explained(chain([[1.0], [1.0]], [[1025.0, -1024.0]]), [[1.0]])
    assert out.growth == {"1": 1.0, "0": 2049.0, "(inputs)": 1.0} and not said


def test_relevance_where_nothing_is_explained_is_infinitely_large():
    out, said = explained(chain([[1.0, 1.0]]), [[1.0, 1.0]], lambda y: 0 * y)
    assert out.growth == {"dense": 0.0, "(inputs)": 0.0} and not said
