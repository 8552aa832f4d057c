"""Faithfulness, sanity and heatmaps in process: rows against what must be equal, and what is refused."""

import numpy as np
import pandas as pd
import pytest
import torch
from matplotlib.text import Text
from PIL import Image

from dtd.explaining.explain import explain
from dtd.network import trace
from dtd.plans.plan import Plan
from experiments.configs.base import ConfigError
from experiments.configs.run import typed
from experiments.cost.peers import installed
from experiments.figures.heatmaps import heatmap_figures
from experiments.models import subjects
from experiments.questions import faithfulness, heatmaps, sanity
from tests.tolerance import RELATIVE

CLOSE = RELATIVE[torch.float64]
MLP = ("model=mlp", "model.epochs=2")
needs_quantus = pytest.mark.skipif(not installed("quantus"), reason="needs the extra quantus")


@pytest.fixture
def asked(composed):
    """The tables of a question under overrides."""

    def ask(question, *overrides: str) -> dict[str, pd.DataFrame]:
        name = question.__name__.rsplit(".", 1)[-1]
        config = typed(composed(f"question={name}", *MLP, *overrides))
        question.QUESTION.check(config)
        return dict(question.QUESTION.tables(config))

    return ask


def test_lrp0_with_a_bias_neuron_is_gradient_times_input_and_perturbs_alike(asked):
    tables = asked(faithfulness, "plan=lrp0", "bias=neuron", "question.samples=4", "question.steps=8")
    rows = tables["rows"].set_index("plan")
    measures = ["aopc_morf", "aopc_lerf", "difference", "conservation"]
    np.testing.assert_allclose(rows.loc["lrp0", measures], rows.loc["gradient_x_input", measures], rtol=1e-8)
    assert rows.loc["random", "conservation"].isna().all() and rows[measures[:3]].notna().all(axis=None)
    curves = tables["curves"].groupby(["plan", "order"], sort=False)["drop"]
    assert (curves.size() == 9).all() and (curves.first() == 0).all()
    means = {end: rows.loc["lrp0", f"aopc_{end}"].mean() for end in ("morf", "lerf")}
    np.testing.assert_allclose(curves.mean()["lrp0"], list(means.values()), rtol=CLOSE)
    np.testing.assert_allclose(rows.loc["lrp0", "difference"].mean(), means["morf"] - means["lerf"], rtol=CLOSE)
    ends = curves.last()  # in the end everything is gone, whatever the order
    np.testing.assert_allclose(ends, ends.iloc[0], rtol=CLOSE)


def test_what_stands_for_the_regions_matters_and_is_seeded(asked):
    one = ("plan=zplus", "question.samples=3", "question.region=4", "question.values=[0.0,mean,uniform]")
    first, again, other = (asked(faithfulness, *one, f"seed={seed}", "model.seed=0", "data.seed=0") for seed in (0, 0, 1))
    assert first["rows"].equals(again["rows"])
    same = (first["rows"].aopc_morf == other["rows"].aopc_morf).groupby(first["rows"].value).all()
    assert list(same.index) == ["0.0", "mean", "uniform"] and not same["uniform"]
    plans = first["rows"].plan == "zplus"
    assert (first["rows"].aopc_morf == other["rows"].aopc_morf)[plans & (first["rows"].value != "uniform")].all()


def test_the_measures_of_a_search_leave_the_baselines_out(asked):
    tables = asked(faithfulness, "plan=gamma", "question.samples=3", "question.region=4")
    mine = tables["rows"].query("plan == 'gamma'")
    measures = {name: measure(tables) for name, measure in faithfulness.QUESTION.measures.items()}
    assert measures == pytest.approx(
        {
            "aopc": mine.aopc_morf.mean(),
            "aopc_difference": mine.difference.mean(),
            "conservation_error": (mine.conservation - 1).abs().mean(),
        }
    )


@needs_quantus
def test_every_metric_of_quantus_is_computed_by_quantus(asked):
    from experiments.measures.quantus import METRICS

    assert set(METRICS) == set(faithfulness.METRICS)
    names = f"question.quantus=[{','.join(METRICS)}]"
    state = np.random.get_state()[1].copy()
    rows = asked(faithfulness, "plan=epsilon", "question.samples=3", names, "question.random_orders=0")["rows"]
    assert (np.random.get_state()[1] == state).all()
    assert rows[[f"quantus_{name}" for name in METRICS]].notna().all(axis=None)
    ours = rows.aopc_morf * 65 / 64  # without the step at which nothing is gone
    np.testing.assert_allclose(rows.quantus_region_perturbation, ours, rtol=1e-4)


def test_randomisation_starts_at_equality_and_ends_alike_in_both_orders(asked):
    rows = asked(sanity, "plan=lrp0", "question.samples=3", "question.draws=1")["rows"]
    measures = ["spearman", "absolute_spearman", "cosine"]
    assert rows[rows.step == 0][measures].to_numpy() == pytest.approx(1, abs=CLOSE)
    ends = rows[rows["last"]].set_index("order")
    np.testing.assert_allclose(ends.loc["output", measures], ends.loc["input", measures], rtol=1e-6, atol=1e-9)
    assert (ends.cosine < 0.9).all() and set(rows.step) == {0, 1, 2, 3}


def test_classes_start_orthogonal_and_turn_to_one_direction_under_zplus(asked):
    table = asked(sanity, "plan=zplus", "question.samples=3", "question.draws=1", "question.orders=[each]")["convergence"]
    by_depth = table.groupby("depth").cosine.mean()
    assert by_depth.iloc[0] == 0 and by_depth.is_monotonic_increasing and by_depth.iloc[-1] > 0.8
    assert list(table.layer.unique())[-1] == "(input)"


def test_heatmaps_rows_pixels_and_roots_say_the_same(asked, composed):
    tables = asked(heatmaps, "plan=gamma", "question.chosen=[2,0]")
    rows, pixels, roots = tables["rows"], tables["pixels"], tables["roots"]
    assert list(rows["sample"]) == [2, 0] and (rows.difference < CLOSE).all()
    sums = pixels.groupby(["side", "sample"], sort=False)["value"].sum()
    np.testing.assert_allclose(sums["derived"], rows.conservation, rtol=CLOSE)
    np.testing.assert_allclose(sums["explicit"], rows.conservation, rtol=1e-8)
    config = typed(composed(*MLP))
    (subject,) = subjects(config.model, config.data).values()
    x, model = subject.test_x[[2]].double(), subject.model.double()
    plan, target = Plan.uniform("gamma", gamma=0.25), int(model(x).argmax())
    alone = explain(trace(model, x, subject.domain), x, target, plan)
    first = pixels[(pixels["sample"] == 2) & (pixels.side == "derived")]["value"]
    np.testing.assert_allclose(first, (alone.relevance / alone.initial.sum()).flatten(), rtol=1e-8, atol=CLOSE)
    for sample, part in roots.groupby("sample"):
        share = np.average(part.valid.astype(float), weights=part.units)
        assert rows.set_index("sample").valid[sample] == pytest.approx(share)


def test_heatmaps_show_what_goes_through_channels_and_subspaces(asked, composed):
    (subject,) = subjects(typed(composed(*MLP)).model, typed(composed(*MLP)).data).values()
    network = trace(subject.model.double(), subject.test_x[:1].double(), subject.domain)
    layer = next(layer for layer in network.layers if layer.kind == "relu")
    half, size = layer.shape[0] // 2, layer.shape[0]

    def derived(through: str) -> np.ndarray:
        shown = asked(heatmaps, "plan=epsilon", "question.chosen=[2,0]", f"+question.through={through}")["pixels"]
        return shown[shown.side == "derived"]["value"].to_numpy()

    whole = derived("{}")
    parts = [derived(f"{{{layer.name}:[{','.join(map(str, part))}]}}") for part in (range(half), range(half, size))]
    np.testing.assert_allclose(sum(parts), whole, atol=1e-10)
    assert not np.allclose(parts[0], whole)
    np.testing.assert_allclose(derived(f"{{{layer.name}:{{size:{size}}}}}"), whole, atol=1e-10)
    assert derived(f"{{{layer.name}:{{size:1}}}}").sum() > 0.5 * whole.sum()
    unknown = f"{{{layer.name}:{{parts:2}}}}"
    for through, message in (("{nowhere:[1]}", "The layers are"), (unknown, "channels, or a size")):
        with pytest.raises(ConfigError, match=message):
            derived(through)


def test_heatmaps_of_a_folder_say_the_folders_name(composed, tmp_path):
    for name, shade in (("cats", 0), ("dogs", 255)):
        (tmp_path / name).mkdir()
        for i in range(4):
            Image.new("L", (8, 8), shade + (i if shade == 0 else -i)).save(tmp_path / name / f"{i}.png")
    data = ("data=folder", f"data.path={tmp_path}", "data.size=8", "data.grey=true", "data.test_fraction=0.5")
    wanted = ("question=heatmaps", "model=mlp", "model.epochs=2", "plan=gamma", "question.chosen=[0,1,2,3]")
    tables = dict(heatmaps.QUESTION.tables(typed(composed(*wanted, *data))))
    pixels = tables["pixels"]
    assert (pixels.class_name == pixels.target.map(["cats", "dogs"].__getitem__)).all()
    figure = heatmap_figures(tables)["heatmaps"]
    texts = {text.get_text() for text in figure.findobj(Text)}
    assert set(pixels.class_name) <= texts and not any(text.startswith("class ") for text in texts)
    figure = heatmap_figures({**tables, "pixels": pixels.drop(columns="class_name")})["heatmaps"]  # of an earlier run
    assert any(text.get_text().startswith("class ") for text in figure.findobj(Text))


@pytest.mark.parametrize(
    ("question", "override", "message"),
    [
        (faithfulness, "question.samples=0", "'question.samples' must be at least 1; found 0"),
        (faithfulness, "question.share=0", "'question.share' must be above 0 and at most 1; found 0"),
        (faithfulness, "question.values=[black]", "'question.values' must be numbers, mean or uniform; found 'black'"),
        (faithfulness, "question.quantus=[road]", "'question.quantus' must be among pixel_flipping, .*; found road"),
        (faithfulness, "question.samples=451", "must be at most the 450 samples of the test set; found 451"),
        (
            heatmaps,
            "question.chosen=[0,450]",
            "'question.chosen' must be below 450, the size of the test set",
        ),
        (sanity, "question.similarities=[pearson]", "'question.similarities' must be among spearman, .*; found pearson"),
        (sanity, "question.draws=0", "'question.draws' must be at least 1; found 0"),
        (heatmaps, "question.chosen=[0,0]", "'question.chosen' must be samples that differ"),
        (heatmaps, "question.chosen=[]", "'question.chosen' must be null, or a list of samples from 0 on"),
    ],
)
def test_what_a_question_cannot_work_with_is_refused(asked, question, override, message):
    with pytest.raises(ConfigError, match=message):
        asked(question, "plan=zplus", override)


@pytest.mark.parametrize(
    ("question", "override", "library"),
    [(faithfulness, "question.quantus=[sparseness]", "quantus"), (sanity, "question.similarities=[ssim]", "skimage")],
)
def test_a_library_that_is_missing_is_named_before_any_work(composed, monkeypatch, question, override, library):
    monkeypatch.setattr(question, "installed", lambda name: name != library)
    name = question.__name__.rsplit(".", 1)[-1]
    with pytest.raises(ConfigError, match=r'needs .*: pip install "dtd\['):
        question.QUESTION.check(typed(composed(f"question={name}", override)))
