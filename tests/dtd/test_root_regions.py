"""Roots seen from the network above, against a network evaluated by hand at each root."""

import pytest
import torch
from torch import nn

import dtd
from dtd.explaining.observe import observe
from tests.dtd.test_exact import dense, inputs


@pytest.mark.parametrize("rule", ["zplus", "lrp0", "wsquare"])
def test_regions_and_scores_are_those_of_the_model_at_the_roots(rule):
    """Layer by layer, the model's own modules are run from each root of each unit."""
    model, x = dense([3, 6, 5, 2], seed=2), inputs(12, 3)
    model[-1].weight.data.abs_()
    network, plan = dtd.trace(model, x, dtd.Real() if rule == "wsquare" else dtd.NonNegative()), dtd.Plan.uniform(rule)
    rows = dtd.root_regions(network, x, 0, plan).set_index("layer")
    looked = 0
    for first, name in ((0, "0"), (2, "2"), (4, "4")):
        a, same, left = model[:first](x).detach(), [], []
        w, b = model[first].weight.detach(), model[first].bias.detach()
        relevance = arriving(network, plan, x, first)
        for n, k in relevance.nonzero().tolist():
            way = {"zplus": a[n] * (w[k] > 0), "lrp0": a[n], "wsquare": w[k]}[rule]
            t = (a[n] @ w[k] + b[k]) / (way @ w[k])
            if t >= 0 and way @ w[k] != 0:
                root = a[n] - t * way
                same.append(all(agree(p, q) for p, q in pairs(model, first, a[n], root)))
                left.append((model[first:](root)[0] / model[first:](a[n])[0]).item())
        assert rows.units[name] == len(same)
        looked += len(same)
        if not same:
            continue
        assert rows.same_region[name] == pytest.approx(sum(same) / len(same))
        assert rows.score_left[name] == pytest.approx(torch.tensor(left).median().item(), rel=1e-6, abs=1e-9)
    assert looked > 20


def pairs(model, first, a, root):
    """Pre-activations of every ReLU above, at the data point and at the root."""
    for i in range(first, len(model)):
        a, root = model[i](a), model[i](root)
        if i + 1 < len(model) and isinstance(model[i + 1], nn.ReLU):
            yield a, root


def agree(here, there) -> bool:
    """Whether no sign has changed; a unit at its own root is on its kink."""
    changed = (here * there < 0) & (there.abs() > 1e-9)
    return not bool(changed.any())


def arriving(network, plan, x, first):
    """The relevance of a layer's outputs."""
    seen = observe(network, x, lambda output: output * torch.tensor([1.0, 0.0]).double(), plan).arrived
    return seen[[layer.name for layer in network.layers].index(str(first))]


def test_a_root_of_the_output_takes_the_score_with_it():
    model, x = dense([3, 6, 2], seed=4), inputs(5, 3)
    rows = dtd.root_regions(dtd.trace(model, x, dtd.NonNegative()), x, 0, dtd.Plan.uniform("zplus")).set_index("layer")
    assert rows.score_left["2"] < 1e-9 and rows.score_vanishes["2"] == 1
    assert rows.relevance_left["2"] < 1e-9 and rows.same_region["2"] == 1


def test_fewer_roots_are_a_sample_and_explicit_rules_have_none():
    model, x = dense([3, 6, 5, 2], seed=2), inputs(12, 3)
    network, plan = dtd.trace(model, x, dtd.NonNegative()), dtd.Plan.uniform("zplus")
    few = dtd.root_regions(network, x, 0, plan, units=4, seed=1)
    assert (few.units <= 4).all() and few.equals(dtd.root_regions(network, x, 0, plan, units=4, seed=1))
    with pytest.raises(dtd.PlanError, match="has no roots of its own; take a derived rule"):
        dtd.root_regions(network, x, 0, plan.explicit())
    with pytest.raises(dtd.InputError, match="needs a target that says what is explained of any output"):
        dtd.root_regions(network, x, torch.ones(12, 2).double(), plan)
