"""The function view: roots by hand and by the catalogue's conditions, the page's formulas against tensors, the flow."""

import html
import json
import re
import shutil
import subprocess
from copy import deepcopy
from dataclasses import replace

import pandas as pd
import pytest
import torch

from dtd import Plan, explain, trace
from dtd.domain import NonNegative
from dtd.plans.rules import catalogue
from dtd.plot.flow import flow_figure
from dtd.plot.unit_rows import unit_cuts, unit_rows, unit_surface
from experiments.configs.base import Bias, ConfigError
from experiments.configs.questions.roots import FunctionViewConfig, Plane
from experiments.configs.run import typed
from experiments.figures.interactive import functions, page
from experiments.models import subjects
from experiments.questions import question
from experiments.questions.function_view.flow import flows
from experiments.questions.function_view.formulas import scripts
from experiments.questions.function_view.question import view

RULES = ["lrp0", "epsilon", "gamma", "gamma_signed", "zplus", "zplus_signed", "alphabeta", "wsquare", "zbox", "flat"]
PARAMETERS = {"epsilon": {"epsilon": 0.25}, "gamma": {"gamma": 0.25}, "zbox": {"low": 0.0, "high": 1.5}}
ASKED = FunctionViewConfig(
    weights=[1.0, -0.6], bias=0.2, point=[1.0, 0.5], domain=Plane.nonnegative, low=0.0, high=1.5,
    rules=RULES, parameters=PARAMETERS, sample=0,
)  # fmt: skip
TERMS = ["first1", "first2", "bias_share", "zeroth", "remainder"]


@pytest.mark.parametrize("mode", list(Bias))
@pytest.mark.parametrize("bias", [0.2, -0.2])
def test_terms_add_up_and_equal_the_explicit_rule(mode, bias):
    found = unit_rows(view(replace(ASKED, bias=bias), mode))
    assert found[TERMS].sum(axis=1).to_numpy() == pytest.approx(found.relevance.to_numpy(), abs=1e-12)
    assert (found.difference <= 1e-12).all()


def test_roots_by_hand():
    found = unit_rows(view(ASKED)).set_index("rule")
    # z = a1 − 0.6 a2 + 0.2 = 0.9 at (1, 0.5)
    by_hand = {"zplus": (0.1, 0.5), "lrp0": (-2 / 7, -1 / 7), "zbox": (0.4375, 1.0625), "flat": (0.55, 1.25)}
    for rule, root in by_hand.items():
        assert tuple(found.loc[rule, ["root1", "root2"]]) == pytest.approx(root)
    valid = {"zplus", "zplus_signed", "wsquare", "zbox", "flat"}
    assert set(found.index[found.status == "valid"]) == valid
    assert found.loc["epsilon", "status"] == "not_zero"
    assert set(found.loc[["lrp0", "gamma", "gamma_signed", "alphabeta"], "status"]) == {"domain"}


def test_surface_and_cuts_are_the_relevance_model():
    at = view(ASKED)
    found = unit_rows(at)
    plane, lines = unit_surface(at, found), unit_cuts(at, found)
    expected = (plane.a1 - 0.6 * plane.a2 + 0.2).clip(lower=0)
    assert plane.relevance.to_numpy() == pytest.approx(expected.to_numpy())
    for r in found.itertuples():
        line = lines[lines.rule == r.rule].set_index("distance").relevance
        assert line.iloc[0] == pytest.approx(r.relevance)
        at_root = line.iloc[(line.index.to_series() - r.distance).abs().argmin()]
        assert at_root == pytest.approx(max(r.zeroth, 0), abs=0.03 * r.relevance)


@pytest.mark.skipif(shutil.which("node") is None, reason="needs node to evaluate the page's formulas")
@pytest.mark.parametrize("mode", ["fixed", "neuron", "distribute"])
def test_the_pages_formulas_equal_the_tensors(mode, tmp_path):
    """Random units, zero weights and zero inputs among them."""
    draw = torch.Generator().manual_seed(0)
    numbers = torch.randn(40, 5, generator=draw, dtype=torch.float64)
    numbers[:, :2] = numbers[:, :2].abs()
    numbers[::9, 2], numbers[::7, 0] = 0, 0
    numbers[:, 4] += 0.1 - (numbers[:, :2] * numbers[:, 2:4]).sum(1).clamp(max=0)  # most units are active
    models = view(ASKED, Bias(mode)).models()
    found = evaluate(functions(scripts(models, NonNegative())), numbers, tmp_path)
    for values, by_rule in zip(numbers.tolist(), found, strict=True):
        a1, a2, w1, w2, b = values
        if w1 * a1 + w2 * a2 + b <= 1e-6:
            continue
        asked = replace(ASKED, weights=[w1, w2], bias=b, point=[a1, a2])
        for r in unit_rows(view(asked, Bias(mode))).itertuples():
            mine = by_rule[r.rule]
            terms = {"root1": r.root1, "root2": r.root2, "first1": r.first1, "first2": r.first2, "bias": r.bias_share}
            for name, value in (terms | {"zeroth": r.zeroth, "remainder": r.remainder}).items():
                size = 1 + abs(r.first1) + abs(r.first2) + abs(r.root1) + abs(r.root2)
                assert mine[name] == pytest.approx(value, abs=1e-9 * size), (r.rule, name, values)
            holds = all(mine[name] for name in ("defined", "exists", "zero", "inside", "region"))
            assert holds == (r.status == "valid"), (r.rule, r.status, values)


def evaluate(made: str, numbers: torch.Tensor, folder) -> list:
    """The page's functions at each row of numbers, by node."""
    source = page(unit_rows(view(ASKED)), pd.DataFrame({"rule": [], "quantity": [], "formula": []}))
    readings = re.search(r"const step = .*?;", source, re.S).group()
    script = f"""{readings}
const F = {made};
const all = {json.dumps(numbers.tolist())}.map(x => Object.fromEntries(Object.entries(F).map(([rule, own]) =>
  [rule, Object.fromEntries(Object.entries(own).map(([name, f]) => [name, f(...x)]))])));
console.log(JSON.stringify(all));"""
    path = folder / "formulas.js"
    path.write_text(script)
    return json.loads(subprocess.run(["node", path], capture_output=True, text=True, check=True).stdout)


def test_the_page_needs_no_other_file():
    at = view(ASKED)
    made = page(unit_rows(at), scripts(at.models(), at.domain))
    assert not re.search(r"(src|href)\s*=|@import|fetch\(|url\(", made)
    assert made.count("=>") > 12 * len(RULES)


DRAG = """<script>
function drag(name, x, y) {
  const box = plane.getBoundingClientRect(), target = document.querySelector(`[data-drag=${name}]`);
  plane.setPointerCapture = () => {};
  target.dispatchEvent(new PointerEvent("pointerdown", { bubbles: true, pointerId: 1 }));
  plane.dispatchEvent(new PointerEvent("pointermove", { clientX: box.left + px(x), clientY: box.top + py(y) }));
  plane.dispatchEvent(new PointerEvent("pointerup", {}));
}
drag("point", 0.8, 1.0); drag("bias", 0.0, 1.0);
</script>"""


@pytest.mark.skipif(shutil.which("chromium") is None, reason="needs chromium")
def test_dragging_the_point_and_the_line_moves_the_roots(tmp_path):
    at = view(ASKED)
    path = tmp_path / "page.html"
    path.write_text(page(unit_rows(at), scripts(at.models(), at.domain)) + DRAG)
    flags = ["--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path}/profile", "--dump-dom"]
    dom = subprocess.run(["chromium", *flags, path.as_uri()], capture_output=True, text=True, timeout=120).stdout
    cells = [re.findall(r"<td[^>]*>(.*?)</td>", line) for line in re.findall(r"<tr>(<td.*?)</tr>", dom)]
    shown = {re.sub("<.*?>", "", html.unescape(line[0])).strip(): line[1:] for line in cells}
    # the line went through (0, 1): b = 0.6; the point is (0.8, 1), z = 0.8 − 0.6 + 0.6 = 0.8
    moved = unit_rows(view(replace(ASKED, point=[0.8, 1.0], bias=0.6))).set_index("rule")
    for name, rule in (("z⁺", "zplus"), ("LRP-0", "lrp0"), ("w²", "wsquare")):
        numbers = [float(cell.replace("−", "-")) for cell in shown[name][:4]]
        assert numbers == pytest.approx(list(moved.loc[rule, ["root1", "root2", "first1", "first2"]]), abs=6e-3)
        assert (shown[name][-1] == "valid") == (moved.loc[rule, "status"] == "valid")


def network_and_sample(composed, *overrides):
    """A traced network of the digits and one test sample."""
    config = typed(composed(*overrides, "model.epochs=1"))
    (subject,) = subjects(config.model, config.data).values()
    x = subject.test_x[3:4].double()
    return trace(deepcopy(subject.model).double(), x, subject.domain), x


@pytest.mark.parametrize("bias", ["fixed", "neuron"])
def test_the_flow_is_what_explain_hands_down(composed, bias):
    network, x = network_and_sample(composed, "model=mlp", "model.hidden=[6, 5]")
    plan = Plan.uniform("epsilon", bias=bias, epsilon=0.1)
    tables = flows(network, x, plan)
    edges, units, layers = (tables[f"flow_{name}"] for name in ("edges", "units", "layers"))
    out = explain(network, x, int(layers.target.iloc[0]), plan)
    total = out.initial.sum()
    lowest = units[units.level == 0].set_index("unit").relevance.reindex(range(64))
    assert lowest.to_numpy() == pytest.approx((out.relevance / total).flatten().numpy())
    for layer in layers.itertuples():
        balance = out.layers[layer.layer].balance
        for part in ("relevance", "first", "bias", "zeroth", "remainder"):
            assert getattr(layer, part) == pytest.approx((getattr(balance, part) / total).item(), abs=1e-12)
        handed = edges[edges.level == layer.level].groupby("input").relevance.sum()
        below = units[units.level == layer.level - 1].set_index("unit").relevance
        assert handed.to_numpy() == pytest.approx(below.reindex(handed.index).to_numpy(), abs=1e-12)


def test_a_flow_that_ends_is_drawn(composed):
    """Where no unit is active everything leaves at the layer above."""
    network, x = network_and_sample(composed, "model=mlp", "model.hidden=[6, 5]")
    with torch.no_grad():
        dict(network.model.named_parameters())["layers.0.bias"].fill_(-100.0)
    tables = flows(network, x, Plan.uniform("epsilon", bias="neuron", epsilon=0.1))
    assert set(tables["flow_units"].query("level == 0").relevance) == {0.0}
    panel = {name: tables[f"flow_{name}"] for name in ("edges", "units", "layers")}
    flow_figure({"MLP": panel}).draw_without_rendering()


def test_a_network_with_branches_has_no_flow_picture(composed):
    network, x = network_and_sample(composed, "model=cnn", "model.channels=2")
    with pytest.raises(ConfigError, match=r"needs a chain of affine maps.*'block.add.sum' .sum. is neither"):
        flows(network, x, Plan.uniform("zplus"))


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("question.weights=[1]", "'question.weights' must be two numbers, not both 0; found"),
        ("question.weights=[0,0]", "'question.weights' must be two numbers, not both 0; found"),
        ("question.point=[-1,1]", "'question.point' must be in the domain NonNegative; found"),
        ("question.bias=-2", r"'question.bias' must be such that the unit is active.*; found w·a \+ b = -1.3"),
        ("question.rules=[pattern]", "'question.rules' must be among lrp0, .*; found pattern"),
        ("question.domain=real", "'question.rules' must be defined on the domain .*; found zplus"),
        ("question.parameters.gamma.gamma=-1", "'question.parameters.gamma' do not fit 'gamma'"),
    ],
)
def test_what_cannot_be_drawn_is_refused(composed, override, message):
    made = typed(composed("question=function_view", override))
    with pytest.raises(ConfigError, match=message):
        question(made.question).check(made)


def test_every_rule_but_the_pattern_can_be_drawn():
    assert set(RULES) == set(catalogue) - {"pattern"}
