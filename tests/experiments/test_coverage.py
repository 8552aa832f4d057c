"""The list of architectures, what is measured of each, and that none can stop the rest."""

import os
import time
from dataclasses import replace

import pandas as pd
import pytest
import torch
from torch import nn

import dtd
from experiments.figures.coverage import lines
from experiments.questions.coverage import measuring, peers
from experiments.questions.coverage.apart import Lost, apart
from experiments.questions.coverage.architectures import FAMILIES, architectures, missing
from experiments.questions.coverage.architectures.base import Architecture, Example
from experiments.questions.coverage.measuring import measure
from experiments.questions.coverage.question import judged, problems

OWN = [each for each in architectures() if each.family.startswith(("user", "recurrent", "attention"))]


def test_the_list_is_long_and_its_names_are_unique():
    names = [each.name for each in architectures()]
    assert len(names) == len(set(names))
    assert len(OWN) >= 90
    if not missing():
        assert len(names) >= 290
        assert len({each.family for each in architectures()}) == len(FAMILIES)


@pytest.mark.parametrize("architecture", [pytest.param(each, id=each.name) for each in OWN])
def test_models_of_the_list_run_and_are_the_same_each_time(architecture):
    first, second = architecture.make(), architecture.make()
    output = measuring.result(first)
    assert output.ndim == 2 and bool(output.isfinite().all()) and output.dtype == torch.double
    assert bool((output.abs().amax(1) > 1e-3).all()), "an output near 0 has no shares"
    assert not torch.equal(output[0], output[1]), "samples differ, so that mixing them would show"
    torch.testing.assert_close(measuring.result(second), output, rtol=0, atol=0)


def test_what_is_traced_is_measured():
    row = measure("user.image_and_table")
    assert row["status"] == "explained" and row["piecewise_linear"] and row["finite"]
    assert max(row["forward"], row["gap"], row["balance"], row["gradient"]) < 1e-12
    shares = row["reached"] + row["bias"] + row["zeroth"] + row["remainder"]
    assert shares == pytest.approx(1)


class Sorted(nn.Module):
    """An op that no network has a primitive for."""

    def forward(self, x):
        return torch.linalg.matrix_exp(x[:, None] * x[..., None]).sum(1)


class Failing(nn.Module):
    """A model that does not run."""

    def forward(self, x):
        return x @ x


@pytest.mark.parametrize(
    ("model", "status", "said"), [(Sorted(), "refused", "matrix_exp"), (Failing(), "broken", "RuntimeError")]
)
def test_what_is_refused_says_why(monkeypatch, model, status, said):
    made = Architecture("one", "own", lambda: Example(model, torch.randn(2, 4, dtype=torch.double)))
    monkeypatch.setattr(measuring, "architectures", lambda: [made])
    row = measure("one")
    assert row["status"] == status and said in row["reason"]


def test_a_wrong_rule_is_seen(monkeypatch):
    right = dtd.explain

    def wrong(*arguments, **options):
        out = right(*arguments, **options)
        return replace(out, relevance=out.relevance * 1.001)

    monkeypatch.setattr(dtd, "explain", wrong)
    row = measure("user.mlp")
    assert row["gradient"] == pytest.approx(1e-3, rel=1e-6)
    unknown = measure("user.mlp_tanh") | {"gap": float("nan")}
    table = judged(pd.DataFrame([row, unknown]))
    assert not table.right.any() and len(problems({"rows": table})) == 2


def test_a_page_has_a_line_for_each_architecture():
    rows = [measure("user.mlp"), measure("user.wavenet") | {"library": "other", "name": "user.mlp"}]
    page = "\n".join(lines(judged(pd.DataFrame(rows))))
    assert page.count("`user.mlp`") == 1 and "✓" in page


def slow() -> None:
    time.sleep(60)


def dying() -> None:
    os._exit(7)


def test_a_process_of_its_own_is_lost_alone():
    assert apart(sum, [1, 2], limit=60) == 3
    with pytest.raises(Lost, match="not done after 1 s"):
        apart(slow, limit=1)
    with pytest.raises(Lost, match="status 7"):
        apart(dying, limit=60)


@pytest.mark.peers
@pytest.mark.parametrize("library", peers.peers(list(peers.PEERS)))
def test_other_libraries_are_asked_as_their_users_ask(library):
    row = peers.measure_peer("user.mlp", library, linear=True)
    assert row["status"] == "explained" and row["gradient"] < 1e-6
