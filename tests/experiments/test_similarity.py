"""The question ``similarity``: occlusion by hand, rows that add up, partners of each kind, and what is refused."""

import numpy as np
import pytest
import torch
from torch import nn

import dtd
from experiments.configs.base import ConfigError
from experiments.configs.run import typed
from experiments.models import subjects
from experiments.questions import similarity
from experiments.questions.similarity.embedding import DIFFERENT, SAME, embedding, interactions, matched, partners
from experiments.questions.similarity.question import correlation

TINY = ("question=similarity", "model.epochs=1", "question.pairs=2", "question.shown=1", "plan=epsilon_plus")


@pytest.fixture
def asked(composed):
    def ask(*overrides: str):
        config = typed(composed(*TINY, *overrides))
        similarity.QUESTION.check(config)
        return config, dict(similarity.QUESTION.tables(config))

    return ask


def test_on_a_linear_embedding_lrp0_is_what_occlusion_says():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(1, 3, 3, padding=1, bias=False), nn.Flatten(), nn.Linear(3 * 24, 5, bias=False)).double()
    left, right = torch.rand(2, 1, 4, 6).double()
    truth = interactions(model, left, right, (2, 3), 0.5)
    out = dtd.pairs(dtd.trace(model, left[None]), left[None], right[None], dtd.Plan.uniform("lrp0"))
    found = 0.5 * out.pooled(dtd.Patches(2, 3)).product().reshape(4, 4)
    torch.testing.assert_close(found, truth)
    assert correlation(found, truth) == pytest.approx(1) and correlation(found, -truth) == pytest.approx(-1)


def test_interactions_are_second_differences():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(1, 3, 3), nn.ReLU(), nn.Flatten()).double()
    left, right = torch.rand(2, 1, 4, 4).double()
    without = []
    for image in (left, right):
        gone = image.clone()
        gone[:, 2:, :2] = 0  # patch 2
        without.append((model(image[None])[0], model(gone[None])[0]))
    (f, f_gone), (g, g_gone) = without
    by_hand = f @ g - f_gone @ g - f @ g_gone + f_gone @ g_gone
    torch.testing.assert_close(interactions(model, left, right, (2, 2), 1.0)[2, 2], by_hand)


def test_partners_are_the_next_of_their_kind():
    labels = torch.tensor([0, 1, 0, 0, 2])
    assert list(partners(labels, SAME)) == [(0, 2), (2, 3)]
    assert list(partners(labels, DIFFERENT)) == [(0, 1), (1, 2), (2, 4), (3, 4)]


def test_the_embedding_is_what_the_last_layer_reads(composed):
    config = typed(composed(*TINY))
    (subject,) = subjects(config.model, config.data).values()
    x, found = subject.test_x[:3], embedding(subject)
    with torch.no_grad():
        torch.testing.assert_close(subject.model.classifier(found(x)), subject.model(x))
    chosen = matched(subject, 3)
    labels = [(int(subject.test_y[a]), int(subject.test_y[b])) for a, b in chosen.places]
    assert [a == b for a, b in labels] == [kind == SAME for kind in chosen.kinds] == [True] * 3 + [False] * 3


def test_rows_add_up_and_lines_are_the_largest(asked):
    _, tables = asked("question.lines=64")
    rows, lines = tables["rows"], tables["lines"]
    assert len(rows) == 4 and set(rows.kind) == {SAME, DIFFERENT}
    parts = rows[["first", "left", "right", "both"]].sum(axis=1)
    np.testing.assert_allclose(parts, rows.similarity, rtol=1e-8)
    assert (rows.similarity.abs() <= 1 + 1e-9).all()  # a cosine
    assert not similarity.QUESTION.problems(tables)
    for _, part in lines.groupby("pair"):
        sizes = part.relevance.abs().to_numpy()
        assert (sizes[:-1] >= sizes[1:]).all() and set(part.left_row) <= {0.5, 2.5, 4.5, 6.5}
    broken = {**tables, "rows": rows.assign(gap=rows.gap + 0.1)}
    assert len(similarity.QUESTION.problems(broken)) == 4


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("question.pairs=0", "'question.pairs' must be at least 1; found 0"),
        ("question.patch=[2]", "'question.patch' must be two sides of a patch"),
        ("question.patch=[3,2]", "'question.patch' must be patches that tile"),
        ("data=wine model=mlp", "'data' must be images with labels"),
    ],
)
def test_what_does_not_fit_is_refused(asked, override, message):
    with pytest.raises(ConfigError, match=message):
        asked(*override.split())
