"""Targets in the kinds of Python, numpy and torch, and what is none."""

import numpy as np
import pytest
import torch

import dtd
from tests.dtd.faults import GAMMA, LRP0, close, mlp, rows

EACH = torch.tensor([2, 0, 1])
ONES = torch.ones(3, 3).double()
KINDS = [
    (np.int64(1), 1),
    (np.uint8(1), 1),
    (np.array(1), 1),
    (torch.tensor(1), 1),
    (EACH.tolist(), EACH),
    (tuple(EACH.tolist()), EACH),
    ([np.int64(2), 0, torch.tensor(1)], EACH),
    (EACH.numpy(), EACH),
    (EACH.numpy().astype(np.uint16), EACH),
    (EACH.byte(), EACH),
    (ONES.numpy(), ONES),
    (ONES.float().numpy(), ONES),
    (ONES.tolist(), ONES),
]


@pytest.mark.parametrize(("given", "meant"), KINDS, ids=[f"{type(g).__name__} {k}" for k, (g, _) in enumerate(KINDS)])
def test_a_target_of_another_kind(given, meant):
    network, x = dtd.trace(mlp(), rows()), rows()
    expected = dtd.explain(network, x, meant, GAMMA)
    for how in ({}, {"fast": False}, {"memory": 10**4}):
        close(dtd.explain(network, x, given, GAMMA, **how), expected)
    assert dtd.audit(network, x, given, LRP0).equals(dtd.audit(network, x, meant, LRP0))


def test_classes_in_a_list_where_the_decomposition_above_is_computed_anew():
    network, x = dtd.trace(mlp(), rows()), rows()
    found, expected = (dtd.root_regions(network, x, each, LRP0) for each in (EACH.tolist(), EACH))
    assert found.equals(expected)


def test_several_targets_in_an_array():
    network, x = dtd.trace(mlp(), rows()), rows()
    for found, k in zip(dtd.explain_each(network, x, np.array([2, 0]), GAMMA), (2, 0), strict=True):
        close(found, dtd.explain(network, x, k, GAMMA))
    with pytest.raises(dtd.InputError, match="must be several targets"):
        next(dtd.explain_each(network, x, "cat", GAMMA))


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        (dtd.Difference(np.int64(1), np.array([0])), dtd.Difference(1, [0])),
        (dtd.LogOdds(np.int64(1)), dtd.LogOdds(1)),
        (dtd.Unit("0", np.int64(1)), dtd.Unit("0", 1)),
        (dtd.Unit("0", np.array([1, 2])), dtd.Unit("0", [1, 2])),
        (dtd.Unit("0", index=np.array([1])), dtd.Unit("0", index=1)),
    ],
)
def test_numbers_of_numpy_in_contrasts_and_units(given, meant):
    network, x = dtd.trace(mlp(), rows()), rows()
    close(dtd.explain(network, x, given, GAMMA), dtd.explain(network, x, meant, GAMMA))


@pytest.mark.parametrize("target", [-1, np.int64(-1), torch.tensor([0, -1, 1]), [0, 1, -1]])
def test_classes_count_from_0_and_the_last_one_is_named(target):
    network, x = dtd.trace(mlp(), rows()), rows()
    with pytest.raises(dtd.InputError, match="Classes count from 0; the last one is 2"):
        dtd.explain(network, x, target, GAMMA)
    dtd.explain(network, x, 2, GAMMA)


@pytest.mark.parametrize("target", [dtd.Difference(-1), dtd.LogOdds(-1), dtd.Difference(0, "a")])
def test_classes_of_contrasts_count_from_0_too(target):
    with pytest.raises(dtd.InputError, match="needs classes from 0 to 2"):
        dtd.explain(dtd.trace(mlp(), rows()), rows(), target, GAMMA)


def test_a_name_is_no_class_and_its_number_is():
    network, x, names = dtd.trace(mlp(), rows()), rows(), ["dog", "cat", "cow"]
    with pytest.raises(
        dtd.InputError, match=r"A class is a number from 0 to 2; found 'cat'. Look it up: names.index\('cat'\)"
    ):
        dtd.explain(network, x, "cat", GAMMA)
    close(dtd.explain(network, x, names.index("cat"), GAMMA), dtd.explain(network, x, 1, GAMMA))


@pytest.mark.parametrize("made", [{"channel": 1.5}, {"channel": "a"}, {"position": 1.5}, {"index": 1.5}, {"index": "a"}])
def test_a_unit_is_chosen_by_whole_numbers(made):
    with pytest.raises(dtd.InputError, match=r"is a number from 0 to 4|must lie in"):
        dtd.explain(dtd.trace(mlp(), rows()), rows(), dtd.Unit("0", **made), GAMMA)
