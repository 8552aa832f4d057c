"""Shares of relevance as matrices, and what bounds the distance of two explanations, against their definitions."""

from itertools import permutations, product

import pandas as pd
import pytest
import torch

import dtd
from experiments.measures.mixing import birkhoff, contraction, passed, projective, shares, total_variation
from experiments.questions.depth import problems


def positive_matrices(count: int, rows: int, columns: int, sums: bool = True) -> torch.Tensor:
    matrix = torch.rand(count, rows, columns, generator=torch.Generator().manual_seed(0), dtype=torch.float64) + 0.05
    return matrix / matrix.sum(1, keepdim=True) if sums else matrix


def network() -> tuple[dtd.Network, torch.Tensor]:
    torch.manual_seed(0)
    layers = [torch.nn.Linear(6, 5), torch.nn.ReLU(), torch.nn.Linear(5, 5), torch.nn.ReLU(), torch.nn.Linear(5, 4)]
    model = torch.nn.Sequential(*layers).double()
    x = torch.rand(3, 6, dtype=torch.float64)
    return dtd.trace(model, x, domain=dtd.Box(0.0, 1.0)), x


@pytest.mark.parametrize("rule", ["zplus", "gamma", "lrp0", "alphabeta"])
def test_the_product_of_the_shares_is_the_explanation(rule):
    net, x = network()
    plan = dtd.Plan.uniform(rule)
    one, other = (torch.eye(4, dtype=x.dtype)[k].expand(3, -1) for k in (0, 1))
    steps = passed(shares(net, x, plan), one, other)
    assert [step.layers for step in steps] == [1, 2, 3]
    for relevance, found in ((one, steps[-1].one), (other, steps[-1].other)):
        torch.testing.assert_close(found, dtd.explain(net, x, relevance, plan).relevance)


def test_contraction_is_the_largest_factor_of_a_difference_of_two_units():
    matrix = positive_matrices(2, 4, 3) * 2 - 0.25  # of either sign
    assert (matrix < 0).any() and torch.allclose(matrix.sum(1), torch.ones(2, 3, dtype=matrix.dtype))
    for n, active in product(range(2), ([True, True, True], [True, False, True])):
        units = torch.tensor([active, active])
        pairs = [(k, m) for k, m in permutations(range(3), 2) if active[k] and active[m]]
        by_hand = max(float((matrix[n, :, k] - matrix[n, :, m]).abs().sum()) / 2 for k, m in pairs)
        assert contraction(matrix, units)[n].item() == pytest.approx(by_hand)


def test_nothing_is_bounded_where_a_unit_hands_nothing_down():
    matrix = positive_matrices(1, 4, 3)
    matrix[0, :, 1] = 0
    every = torch.ones(1, 3, dtype=torch.bool)
    assert contraction(matrix, every).isinf().all()
    assert contraction(matrix, torch.tensor([[True, False, True]])).isfinite().all()


def test_birkhoffs_coefficient_by_its_definition_and_as_the_best_bound():
    matrix = positive_matrices(1, 2, 2, sums=False)
    ((a, b), (c, d)) = matrix[0].tolist()
    root = (max(a * d / (b * c), b * c / (a * d))) ** 0.5
    every = torch.ones(1, 2, dtype=torch.bool)
    tau = birkhoff(matrix, every, every).item()
    assert tau == pytest.approx((root - 1) / (root + 1))
    ratios = torch.logspace(-4, 4, 4001, dtype=torch.float64)
    one = torch.stack([ratios, torch.ones_like(ratios)], 1)
    mapped = one @ matrix[0].T
    before, after = (torch.diff((x[:, 0] / x[:, 1]).log()).abs() for x in (one, mapped))
    assert (after / before).max().item() == pytest.approx(tau, rel=1e-4)


def test_a_block_with_a_zero_is_not_bounded_by_birkhoff_and_inactive_entries_do_not_count():
    matrix = positive_matrices(1, 3, 3)
    matrix[0, 1, 1] = 0
    every = torch.ones(1, 3, dtype=torch.bool)
    some = torch.tensor([[True, False, True]])
    assert birkhoff(matrix, every, every).item() == 1
    assert birkhoff(matrix, some, every).item() < 1
    matrix[0, 1, 1] = -0.1
    assert birkhoff(matrix, every, every).isinf().all() and birkhoff(matrix, some, every).item() < 1


def test_hilberts_distance_by_its_definition():
    one, other = torch.tensor([[1.0, 4.0, 2.0]]), torch.tensor([[2.0, 2.0, 2.0]])
    every = torch.ones(1, 3, dtype=torch.bool)
    assert projective(one, other, every).item() == pytest.approx(torch.tensor(4.0).log().item())
    assert projective(7 * one, other, every).item() == pytest.approx(torch.tensor(4.0).log().item())
    assert projective(one * torch.tensor([1, 0, 1]), other, every).isinf().all()
    assert projective(one, other, torch.tensor([[True, False, True]])).item() == pytest.approx(torch.tensor(2.0).log())
    assert total_variation(one, other).item() == pytest.approx(1.5)


def test_bounds_hold_in_a_deep_random_network():
    torch.manual_seed(1)
    layers = [layer for _ in range(8) for layer in (torch.nn.Linear(16, 16, bias=False), torch.nn.ReLU())][:-1]
    x = torch.rand(4, 16, dtype=torch.float64)
    net = dtd.trace(torch.nn.Sequential(*layers).double(), x, domain=dtd.Box(0.0, 1.0))
    one, other = (torch.eye(16, dtype=x.dtype)[k].expand(4, -1) for k in (0, 1))
    for rule in ("zplus", "gamma", "lrp0"):
        for step in passed(shares(net, x, dtd.Plan.uniform(rule)), one, other):
            assert (step.apart <= step.bound * (1 + 1e-9)).all()
            if rule == "zplus" and step.layers % 2 == 0:
                assert (step.distance <= step.distance_bound * (1 + 1e-9) + 1e-9).all()


def test_a_distance_above_its_bound_is_a_problem():
    rows = pd.DataFrame({"layers": [1, 2], "apart": [0.5, 0.2], "bound": [0.5, 0.3], "distance": [9.0, 1.0]})
    assert problems({"layers": rows.assign(distance_bound=[1.0, 1.0])}) == []
    (one,) = problems({"layers": rows.assign(distance_bound=[1.0, 0.9])})
    assert one == "1 of 1 distances ('distance') are above their bound."
    assert problems({"layers": rows.assign(distance_bound=1.0, bound=[0.4, 0.3])})[0].startswith(
        "1 of 2 distances ('apart')"
    )
