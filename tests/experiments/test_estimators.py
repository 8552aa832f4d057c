"""The questions about estimators: what they measure, against definitions; and what their configs must not say."""

import numpy as np
import pytest
import torch

from dtd.audit import audit
from dtd.network import trace
from dtd.neuralised import neuralise
from dtd.plans.plan import Plan
from dtd.plans.where import kind
from dtd.relevance import Generic
from experiments.configs.base import ConfigError
from experiments.configs.run import typed
from experiments.questions import anomaly, clusters, tabular
from experiments.questions.estimators import alike, fall, table


@pytest.fixture(scope="module")
def model():
    return anomaly.fitted(table("plane", 0)[0][:60], 0.2, 0.3)


def test_the_nearest_root_is_one_and_no_other_is_nearer(model):
    x = torch.tensor([[4.0, 4.0], [-4.0, 3.0], [-2.5, 0.1]], dtype=torch.double)
    found = anomaly.nearest(model, x, 60)
    assert model.score(found).abs().max() < 1e-6
    turn = torch.rand(4000, generator=torch.Generator().manual_seed(0), dtype=torch.double) * 2 * torch.pi
    for point, root in zip(x, found, strict=True):
        way = torch.rand(4000, 1, dtype=torch.double) * (root - point).norm() * 0.99
        inside = point + way * torch.stack([turn.cos(), turn.sin()], 1)
        assert bool((model.score(inside).sign() == model.score(point[None]).sign()).all())


def test_the_audit_says_that_the_nearest_point_is_the_root_of_the_model_in_one_piece(model):
    """Each root is on the boundary, as far away as it was found to be, and on the outliers' way into the inlier region."""
    for point in ([4.0, 4.0], [-4.0, 3.0], [-2.5, 0.1]):
        x = torch.tensor([point], dtype=torch.double)
        root = anomaly.nearest(model, x, 60)
        network = trace(model.module, x, opaque=["body"])
        plan = Plan([(kind("opaque"), Generic(root, at="reference"))])
        (row,) = audit(network, x, 0, plan).itertuples()
        assert row.valid == 1 and row.no_root == 0 and abs(row.zeroth) < 1e-9 * abs(row.relevance)
        assert row.distance == pytest.approx((x - root).norm().item())
        beyond = root + 1e-4 * (root - x) / (root - x).norm()
        assert model.score(beyond).sign() == -model.score(x).sign()
        elsewhere = Plan([(kind("opaque"), Generic(root + 0.05, at="reference"))])
        assert audit(network, x, 0, elsewhere).not_zero.item() == 1


def test_spheres_are_where_the_units_say(model):
    x = torch.tensor([[4.0, 4.0]], dtype=torch.double)
    found, d = anomaly.spheres(model, x), ((x[:, None] - model.centres) ** 2).sum(-1)
    unit = lambda squared: model.gamma * squared - model.alpha.log() + np.log(model.rho)  # noqa: E731
    torch.testing.assert_close(unit(found["pooled sphere"]), unit(d) - model.score(x)[:, None])
    torch.testing.assert_close(unit(found["own sphere"]), torch.zeros_like(d), atol=1e-12, rtol=0)
    assert bool((found["own sphere"] < 0).all())  # ρ = Σ α K(·, u_j) ≥ α_j at a support vector on the boundary


def test_a_fall_by_hand():
    """f = x_1 + 2 x_2 at (3, 1): the first of two columns gone, f falls from 5 to 2, by 3/5; the second first, to 3."""
    score = lambda x: x[:, 0] + 2 * x[:, 1]  # noqa: E731
    x, blank = torch.tensor([[3.0, 1.0]]), torch.zeros(2)
    assert fall(score, x, torch.tensor([[0, 1]]), blank).item() == pytest.approx(0.6)
    assert fall(score, x, torch.tensor([[1, 0]]), blank).item() == pytest.approx(0.4)
    assert alike(torch.tensor([[1.0, 0.0]]), torch.tensor([[1.0, 1.0]])).item() == pytest.approx(0.5**0.5)


@pytest.mark.parametrize("stiffness", [None, 0.4])
def test_linear_margins_are_those_of_distances(stiffness):
    rows, _, _ = table("wine", 0)
    rows = rows / rows.std(0)
    fitted = clusters.KMeans(4, n_init=1, random_state=0).fit(rows)
    lines = clusters.LinearMargins(torch.tensor(fitted.cluster_centers_), stiffness)
    x = torch.tensor(rows[:20])
    torch.testing.assert_close(lines(x), neuralise(fitted, stiffness=stiffness)(x), rtol=1e-9, atol=1e-8)


WRONG = {
    "question=anomaly question.points=3": "question.points.*from 10 to 240",
    "question=anomaly question.nu=1.0": "question.nu",
    "question=anomaly question.gammas=[0.0]": "question.gammas",
    "question=anomaly question.angles=2": "question.angles",
    "question=anomaly question.samples=0": "question.samples",
    "question=clusters question.tables=[iris]": "question.tables",
    "question=clusters question.clusters.wine=1": "question.clusters.wine.*at least 2",
    "question=clusters question.stiffness=[-1.0]": "question.stiffness",
    "question=clusters question.samples=0": "question.samples",
    "question=tabular question.tables=[plane]": "question.tables",
    "question=tabular question.samples=0": "question.samples",
    "question=tabular question.test=1.5": "question.test",
}


@pytest.mark.parametrize("overrides", WRONG)
def test_wrong_values_are_refused(overrides, composed):
    config = typed(composed(*overrides.split()))
    asked = {"anomaly": anomaly, "clusters": clusters, "tabular": tabular}[overrides.split()[0].removeprefix("question=")]
    with pytest.raises(ConfigError, match=WRONG[overrides]):
        asked.QUESTION.check(config)
