"""The benchmark at tiny size; without the other libraries, and with them where they are installed."""

from importlib import import_module

import pandas as pd
import pytest
import torch
from torch import nn

from experiments.configs.run import typed
from experiments.cost import gradients, methods
from experiments.cost.peaks import memory
from experiments.cost.peers import installed
from experiments.cost.recipes import BASELINE, RECIPES, Kind, Method, Prepared, always, nothing
from experiments.cost.timing import interleaved, warm_up
from experiments.figures.cost import cost_figures
from experiments.machine.memory import peak_memory
from experiments.models import subjects
from experiments.questions import cost
from experiments.runs.job import DONE, WRONG, run

NO_SCALING = "{depth:[],width:[],resolution:[],batch:[],targets:[]}"
TINY = (
    *("question=cost", "model=cnn", "model.epochs=1", "model.channels=2", "question.rounds=2", "question.seconds=0"),
    *("question.batches=[1]", "question.memory=[]", "question.audited=0", f"question.scaling={NO_SCALING}"),
)
VARIANTS = {gradients.CONTIGUOUS, gradients.IN_PLACE, gradients.LAST, gradients.BOTH}
ON_IMAGES = [recipe for recipe in RECIPES if Kind.convolutional in recipe.kinds]
PEERS = all(map(installed, methods.PEERS))
peers = pytest.mark.skipif(not PEERS, reason="needs zennit and captum")


def test_without_other_libraries_it_says_so_and_times_the_rest(composed, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(cost, "installed", lambda library: False)
    assert run(composed(*TINY), tmp_path) == DONE
    printed = capsys.readouterr().out
    assert "zennit is not installed" in printed and "captum is not installed" in printed
    rows = pd.read_csv(tmp_path / "rows.csv")
    assert set(rows.library) == {BASELINE, methods.OURS, methods.REDUCED}
    assert set(rows[rows.library == BASELINE].rule) == VARIANTS
    assert len(rows) == 2 * (len(VARIANTS) + len(ON_IMAGES) + len(methods.MODIFIED))
    assert (rows.seconds > 0).all() and (rows[rows.rule == rows.baseline].ratio == 1).all()
    said = "".join(printed.split())  # a title that is wider than its table is broken into lines
    assert f"againstgradient×input{rows.baseline[0]}".replace(" ", "") in said
    rounding = rows[rows.library == methods.OURS].difference
    assert ((rounding > 0) & (rounding < 1e-3)).all()
    assert (tmp_path / "cost.pdf").exists() and (tmp_path / "cost.png").exists()


def test_ratios_are_to_the_fastest_variant_of_gradient_times_input_in_the_same_round():
    """The lowest median names it, for each batch size; one fast round does not."""
    seconds = {("plain", 1): [4, 5, 6], ("last", 1): [1, 8, 9], ("plain", 8): [9, 9, 9], ("last", 8): [3, 2, 4]}
    found = [(BASELINE, rule, batch, i, s) for (rule, batch), each in seconds.items() for i, s in enumerate(each)]
    found += [("dtd", "gamma", batch, i, 6) for batch in (1, 8) for i in range(3)]
    rows = pd.DataFrame(found, columns=["library", "rule", "batch", "round", "seconds"]).assign(model="net")
    rows = cost.with_ratios(rows)
    assert set(rows[rows.batch == 1].baseline) == {"plain"} and set(rows[rows.batch == 8].baseline) == {"last"}
    assert list(rows[rows.library == "dtd"].ratio) == [6 / 4, 6 / 5, 6 / 6, 6 / 3, 6 / 2, 6 / 4]


class Shared(nn.Module):
    """What the activation receives is used again: in place it would be another function."""

    def __init__(self):
        super().__init__()
        self.convolution, self.relu = nn.Conv2d(1, 2, 3), nn.ReLU()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        z = self.convolution(x)
        return (self.relu(z) + 2 * z).flatten(1)


def test_activations_in_place_are_left_out_where_the_result_would_differ_or_autograd_refuses():
    torch.manual_seed(0)
    x = torch.randn(2, 1, 5, 5)

    def names(*layers: nn.Module) -> list[str]:
        made = list(gradients.variants(nn.Sequential(*layers), x, 0))
        first = gradients.gradient_times_input(nn.Sequential(*layers), x, 0)
        for each in made:
            assert torch.allclose(warm_up(each, 0).output, first, atol=1e-5)
        return [each.rule for each in made]

    both = [gradients.CONTIGUOUS, gradients.LAST]
    assert names(Shared(), nn.Linear(18, 2)) == both
    assert names(nn.ReLU(), nn.Conv2d(1, 2, 3), nn.Flatten()) == both  # the input is a leaf of autograd's
    dense = [nn.Flatten(), nn.Linear(25, 4), nn.ReLU(inplace=True), nn.Linear(4, 2)]
    assert names(*dense) == [gradients.CONTIGUOUS, gradients.IN_PLACE]


@peers
@pytest.mark.peers
def test_the_libraries_compute_the_same_as_dtd(composed, tmp_path):
    assert run(composed(*TINY), tmp_path) == DONE
    rows = pd.read_csv(tmp_path / "rows.csv")
    compared = rows[rows.library.isin(methods.PEERS)]
    timed = {(r.library, r.rule) for r in compared.itertuples()}
    assert timed == {
        *(("zennit", r.name) for r in ON_IMAGES if r.name not in ("gamma", "overview")),
        *(("captum", name) for name in ("epsilon", "gamma", "zplus")),
    }
    assert (compared.difference < cost.SAME).all()


@peers
@pytest.mark.peers
def test_a_library_that_computes_something_else_is_named(composed, tmp_path, monkeypatch, capsys):
    captum = import_module("experiments.cost.peers.captum")
    monkeypatch.setitem(captum.RULES, "gamma", lambda: captum.GammaRule(0.3, set_bias_to_zero=True))
    assert run(composed(*TINY), tmp_path) == WRONG
    assert "cnn, gamma: captum's relevance differs from ours" in capsys.readouterr().out


@peers
@pytest.mark.peers
def test_libraries_leave_the_model_as_it_was(composed):
    config = typed(composed(*TINY))
    (subject,) = subjects(config.model, config.data).values()
    before = {name: tensor.clone() for name, tensor in subject.model.state_dict().items()}
    for method in methods.methods_of(subject.model, subject.domain, subject.test_x[:1], list(methods.PEERS)):
        warm_up(method, 0)
    assert all(torch.equal(before[name], tensor) for name, tensor in subject.model.state_dict().items())


def test_rounds_are_interleaved_and_each_starts_elsewhere():
    order = []

    def method(name: str) -> Method:
        def call() -> torch.Tensor:
            order.append(name)
            return torch.zeros(1)

        return Method("dtd", name, "fixed", always(call))

    warm = [warm_up(method(name), 0) for name in "abc"]
    order.clear()
    measured = list(interleaved(warm, 3))
    assert order == list("abcbcacab")
    assert [(number, w.method.rule) for number, w, _ in measured] == [(i // 3, name) for i, name in enumerate(order)]
    assert all(seconds > 0 for *_, seconds in measured)


def test_what_comes_before_a_call_is_not_timed(monkeypatch):
    clock = iter([10.0, 11.0, 20.0, 22.0])
    monkeypatch.setattr("experiments.cost.timing.perf_counter", lambda: next(clock))
    log = []

    class Ready:
        def __enter__(self):
            return Prepared(lambda: log.append("before"), lambda: log.append("call") or torch.zeros(1))

        def __exit__(self, *_):
            log.append("after")

    assert warm_up(Method("captum", "gamma", "fixed", Ready), seconds=5.0).calls == 3
    assert log == ["before", "call", "before", "call", "after"]


def test_audits_are_timed_and_close(composed, tmp_path, capsys):
    assert run(composed(*TINY, "question.audited=5"), tmp_path) == DONE
    (row,) = pd.read_csv(tmp_path / "audits.csv").itertuples()
    assert row.seconds > 0 and row.gap < 1e-4 and row.layers <= row.units <= 5 * row.layers <= row.coordinates
    assert "every root built" in capsys.readouterr().out


def test_batches_and_scaling(composed, tmp_path):
    asked = ("question.batches=[1,3]", "question.scaling.depth=[1,2]", "question.scaling.targets=[1,3]")
    assert run(composed(*TINY, *asked, "question.peers=[]", "question.rounds=1"), tmp_path) == DONE
    rows, scaling = (pd.read_csv(tmp_path / f"{name}.csv") for name in ("rows", "scaling"))
    assert set(rows.batch) == {1, 3}
    assert (scaling.seconds > 0).all() and len(scaling) == 2 * 4
    assert (tmp_path / "scaling.pdf").exists()


def test_a_memory_bound_is_timed_beside_the_rest(composed, tmp_path):
    assert run(composed(*TINY, "question.within=50", "question.peers=[]", "question.rounds=1"), tmp_path) == DONE
    rows = pd.read_csv(tmp_path / "rows.csv")
    assert list(rows[rows.library == "dtd, 50 MB"].rule) == [recipe.name for recipe in ON_IMAGES]


@pytest.mark.slow
def test_memory_is_measured_in_processes_of_their_own(composed):
    peaks = memory(typed(composed(*TINY, "question.batches=[1,3]", "question.memory=[gamma]", "question.peers=[]")))
    assert (peaks.batch == 3).all() and (peaks.megabytes > 0).all()
    assert {(r.library, r.rule) for r in peaks.itertuples()} == {
        *((BASELINE, name) for name in VARIANTS),
        (methods.OURS, "gamma"),
        (methods.REDUCED, "gamma"),
    }


@pytest.mark.slow
def test_peak_memory_sees_what_is_held_for_a_moment():
    assert 80 < peak_memory(allocate, 100_000_000) < 200


def allocate(size: int):
    yield
    torch.ones(size // 4)
    yield


def test_the_figure_has_a_point_for_each_library_and_rule():
    rows = pd.DataFrame(
        [
            {"library": library, "rule": rule, "seconds": 1.0, "ratio": 2.0}
            for library, rule in ((BASELINE, "in place"), ("dtd", "gamma"), ("dtd", "zplus"), ("zennit", "zplus"))
        ]
    ).assign(model="net", batch=1, round=0, baseline="in place")
    (axes,) = cost_figures({"rows": rows})["cost"].axes
    found = [(container.get_label(), *container[0].get_data()) for container in axes.containers]
    assert [label for label, *_ in found] == ["dtd", "zennit"]
    assert [height for _, _, y in found for height in y if height == height] == [2.0, 2.0, 2.0]
    assert sorted(text.get_text() for text in axes.texts) == ["", "2.0", "2.0", "2.0"]
    assert nothing() is None


SEQUENCE = (
    *("question=cost", "data=noise", "model=sequence", "model.tokens=4", "model.layers=1", "question.rounds=1"),
    *("question.seconds=0", "question.batches=[2]", "question.audited=0", f"question.scaling={NO_SCALING}"),
)


def test_an_lstm_has_the_recipes_of_recurrent_networks(composed, tmp_path):
    made = composed(*SEQUENCE, "model.architecture=lstm", "question.memory=[]", "question.peers=[]")
    assert run(made, tmp_path) == DONE
    rows = pd.read_csv(tmp_path / "rows.csv")
    assert list(rows[rows.library == methods.OURS].rule) == ["epsilon", "lstm_2017"]
    assert set(rows[rows.library == BASELINE].rule) == {gradients.CONTIGUOUS}


@pytest.mark.skipif(not all(map(installed, ("transformers", "autolrp"))), reason="needs transformers and autolrp")
def test_a_transformer_has_the_recipes_of_attention_and_a_peak_in_a_process_of_its_own(composed, tmp_path):
    asked = ("model.architecture=bert_base", "question.peers=[autolrp]", "question.memory=[attnlrp]")
    assert run(composed(*SEQUENCE, *asked), tmp_path) == DONE
    rows = pd.read_csv(tmp_path / "rows.csv")
    assert list(rows[rows.library == methods.OURS].rule) == ["epsilon", "attnlrp", "attnlrp_gamma", "cp_lrp"]
    assert set(rows[rows.library == "autolrp"].rule) == {"epsilon", "attnlrp", "cp_lrp"}
    assert (rows[rows.library == methods.OURS].difference < 1e-2).all()
    peaks = pd.read_csv(tmp_path / "memory.csv")
    assert set(peaks.library) == {BASELINE, methods.OURS, "autolrp"} and (peaks.megabytes > 0).all()
