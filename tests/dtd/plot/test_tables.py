"""Words, layers, balances, audits, flows and the view of one unit: what they show is what the framework says."""

import re
import subprocess
import sys
from html.parser import HTMLParser

import pytest
import torch
from matplotlib.colors import to_rgba

import dtd
from dtd.plans.rules import LOOKS, catalogue
from dtd.plot.flow_rows import flow_rows
from dtd.plot.style import PARTS_LOOKS, rule_looks


def digits() -> tuple[dtd.Network, torch.Tensor]:
    """A small network with a residual connection."""

    class Residual(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.second, self.last = torch.nn.Linear(6, 5), torch.nn.Linear(5, 5), torch.nn.Linear(5, 2)

        def forward(self, x):
            h = torch.relu(self.first(x))
            return self.last(torch.relu(h + self.second(h)))

    torch.manual_seed(2)
    x = torch.rand(3, 6).double()
    return dtd.trace(Residual().double(), x, dtd.Box(0.0, 1.0)), x


def chain() -> tuple[dtd.Network, torch.Tensor]:
    torch.manual_seed(3)
    model = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.ReLU(), torch.nn.Linear(3, 2)).double()
    x = torch.rand(1, 4).double()
    return dtd.trace(model, x), x


PLAN = dtd.Plan(
    [
        (dtd.where.first, dtd.rules.choose("zbox", low=0.0, high=1.0)),
        (dtd.where.last, dtd.rules.choose("epsilon", "neuron", epsilon=0.1)),
        ("second", dtd.Linear(dtd.Ray(dtd.Weights()))),
    ]
)


def test_every_rule_has_a_look_of_its_own_in_the_catalogues_order():
    assert list(LOOKS) == list(catalogue)
    for part in ("colour", "marker"):
        assert len({getattr(look, part) for look in LOOKS.values()}) == len(catalogue)
    found = rule_looks(["mine", "gamma", "zplus, neuron", "zbox, fixed", "zbox, neuron"])
    assert found["gamma"] == (LOOKS["gamma"].colour, LOOKS["gamma"].marker)
    assert found["zplus, neuron"] == (LOOKS["zplus"].colour, LOOKS["zplus"].marker)
    assert len(set(found.values())) == 5


def test_layers_have_the_colours_of_their_rules_and_lines_to_what_they_read():
    network, _ = digits()
    axes = (figure := PLAN.plot(network)).axes[0]
    texts = [text.get_text().split("  ")[0] for text in axes.texts]
    assert texts == ["input", *(layer.name for layer in network.layers)]
    fills = dict(zip(texts, [patch.get_facecolor() for patch in axes.patches], strict=True))
    assert fills["first"] == to_rgba(LOOKS["zbox"].colour) and fills["last"] == to_rgba(LOOKS["epsilon"].colour)
    assert fills["second"] not in {to_rgba(look.colour) for name, look in LOOKS.items() if name in ("zbox", "epsilon")}
    assert fills["relu"] == to_rgba("#E6E6E6")
    reads = sum(len(layer.inputs) for layer in network.layers)
    assert len(axes.lines) == reads
    names = [text.get_text() for text in figure.legends[0].get_texts()]
    assert names == ["LRP-ε", dtd.plot.names.PRINTED["zbox"], "Linear(Ray)", "default"]
    assert not network.plot().legends


def test_a_long_network_goes_on_in_the_next_column():
    model = torch.nn.Sequential(*(torch.nn.Linear(2, 2) for _ in range(60)))
    network = dtd.trace(model, torch.rand(1, 2))
    patches = [patch for patch in network.plot().axes[0].patches if hasattr(patch, "get_x")]
    assert len(patches) == 61 and {patch.get_x() for patch in patches} == {0, 1, 2}
    assert len({(patch.get_x(), patch.get_y()) for patch in patches}) == 61


def test_bars_of_balances_add_up_to_what_is_explained():
    network, x = digits()
    out = dtd.explain(network, x, 1, PLAN)
    axes = dtd.plot.balances(out).axes[0]
    names = [tick.get_text() for tick in axes.get_xticklabels()]
    assert names[0] == "last" and names[-1] == "(inputs)" and names.index("second") < names.index("first")
    heights = {container.get_label(): [bar.get_height() for bar in container] for container in axes.containers}
    assert sum(map(sum, heights.values())) == pytest.approx(1)
    total = out.initial.sum()
    for part in ("bias", "zeroth", "remainder"):
        for name, height in zip(names[:-1], heights[PARTS_LOOKS[part][0]], strict=False):
            kept = getattr(out.layers[name].balance, part).sum() / total
            assert height == pytest.approx(kept.item(), abs=1e-12)
    assert heights["reaches the input"][-1] == pytest.approx((out.relevance.sum() / total).item())
    zero = dtd.explain(network, x, torch.zeros(3, 2).double(), PLAN)
    with pytest.raises(dtd.InputError, match="does not add up to 0"):
        dtd.plot.balances(zero)


def test_an_audit_is_a_table_of_its_shares():
    network, x = digits()
    rows = dtd.audit(network, x, 1, PLAN)
    axes = dtd.plot.audited(rows).axes[0]
    found = rows[rows.valid.notna()]
    assert [tick.get_text() for tick in axes.get_yticklabels()] == list(found.layer)
    columns = ["valid", "inactive", "no_root", "not_zero", "domain_left", "region_left"]
    assert axes.images[0].get_array().tolist() == found[columns].to_numpy(dtype=float).tolist()
    assert axes.images[0].get_clim() == (0, 1)
    texts = [text.get_text() for text in axes.texts]
    assert [f"{n:,}" for n in found.units] == [t for t in texts[len(found) * 6 :] if t.isdigit()][: len(found)]
    with pytest.raises(dtd.InputError, match="'rows' must be the table of dtd.audit; it has no layer, units"):
        dtd.plot.audited(rows[["kind"]])


def test_a_flow_shows_the_units_and_what_leaves():
    network, x = chain()
    plan = dtd.Plan.uniform("epsilon", "neuron", epsilon=0.1)
    out = dtd.explain(network, x, 1, plan)
    rows = flow_rows(network, x, 1, plan)
    lowest = rows["units"].query("level == 0").set_index("unit").relevance
    assert lowest.to_numpy() == pytest.approx((out.relevance / out.initial.sum())[0].numpy())
    texts = [text.get_text() for text in dtd.plot.flow(network, x, 1, plan).axes[0].texts]
    shares = out.layers["2"].balance.shares()
    assert f"bias {100 * shares['bias']:+.1f} %".replace("-", "−") in texts
    with pytest.raises(dtd.InputError, match="'x' must be one sample"):
        dtd.plot.flow(network, torch.rand(2, 4).double(), 1, plan)
    with pytest.raises(dtd.InputError, match="needs a chain of affine maps"):
        dtd.plot.flow(*(digits()[0], digits()[1][:1]), 1, dtd.Plan.uniform("lrp0"))


def test_the_view_of_a_unit_shows_each_root_with_its_rules_look():
    parameters = {"zplus": {}, "gamma": {"gamma": 0.25}}
    figure = dtd.plot.function_view((1.0, -0.6), 0.2, (1.0, 0.5), parameters)
    ends = [line for line in figure.axes[1].lines if len(line.get_xdata()) == 1]
    roots = {line.get_color(): tuple(map(float, (*line.get_xdata(), *line.get_ydata()))) for line in ends}
    assert roots[LOOKS["zplus"].colour] == pytest.approx((0.1, 0.5))  # z = a1 − 0.5 vanishes there
    markers = {line.get_color(): line.get_marker() for line in ends}
    assert markers[LOOKS["gamma"].colour] == LOOKS["gamma"].marker
    for wrong, message in (
        (((1.0, -0.6), -2.0, (1.0, 0.5)), r"such that the unit is active .*found w·a \+ b = -1.3"),
        (((1.0, -0.6), 0.2, (1.0, -0.5)), "'point' must be in the domain NonNegative"),
        (((0.0, 0.0), 0.2, (1.0, 0.5)), "'weights' must be not both 0"),
        (((1.0,), 0.2, (1.0, 0.5)), "'weights' must be two numbers"),
    ):
        with pytest.raises(dtd.InputError, match=message):
            dtd.plot.function_view(*wrong)
    with pytest.raises(dtd.InputError, match="No rule 'zplusplus'"):
        dtd.plot.function_view((1.0, 1.0), 0.0, (1.0, 1.0), ["zplusplus"])


def test_words_are_those_of_the_tokens_with_their_sums():
    relevance = torch.tensor([[[1.0, 1.0], [-3.0, 0.5], [0.0, 0.0]]])
    for tokens, spaced in (
        (["ĠA", "Ġfil", "m"], [False, True, False]),
        (["▁A", "▁fil", "m"], [False, True, False]),
        (["A", "fil", "##m"], [False, True, False]),
        (["A", "fil", "m"], [False, True, True]),
    ):
        rows = dtd.plot.words(relevance, tokens).rows
        assert list(rows.word) == ["A", "fil", "m"] and list(rows.spaced) == spaced
        assert list(rows.positive) == [2.0, -2.5, 0.0]
    with pytest.raises(dtd.InputError, match="'tokens' must be 3, one for each place; found 2"):
        dtd.plot.words(relevance, ["A", "film"])
    with pytest.raises(dtd.InputError, match="'tokens' must be texts"):
        dtd.plot.words(relevance, [1, 2, 3])


def test_words_are_the_same_in_html_the_terminal_latex_and_a_figure():
    text = dtd.plot.words(torch.tensor([[1.0, -2.0, 0.5]]), ["<b>", "50%", "\x1b[31m"])
    found = re.findall(r'title="([^"]*)">([^<]*)<', text._repr_html_())
    assert found == [("+1", "&lt;b&gt;"), ("-2", "50%"), ("+0.5", "\x1b[31m")]
    assert re.sub(r"\x1b\[[\d;]*m", "", str(text)) == "<b> 50% U+001B[31m"
    assert text.latex().count(r"\word{") == 3 and r"50\%" in text.latex() and r"\newcommand{\word}" in text.preamble
    drawn = [each for each in text.figure().texts]
    colours = re.findall(r"background:(#\w+)", text.html())
    assert [each.get_bbox_patch().get_facecolor() for each in drawn] == [to_rgba(colour) for colour in colours]
    assert colours[1] < colours[0] and repr(text) == "Words(3 words, Σ R = -0.5, strongest: '50%' -2)"


def test_a_long_text_is_set_in_lines_inside_the_figure():
    with dtd.plot.styled(dtd.plot.Style(width=3.35)):
        figure = dtd.plot.words(torch.randn(1, 60), ["word"] * 60).figure()
        figure.canvas.draw()
    box = figure.bbox
    for text in figure.texts:
        shown = text.get_bbox_patch().get_window_extent()
        assert box.x0 <= shown.x0 and shown.x1 <= box.x1 and box.y0 <= shown.y0 and shown.y1 <= box.y1
    assert len({round(text.get_position()[1], 6) for text in figure.texts}) > 2


class Cells(HTMLParser):
    """The cells of a table."""

    def __init__(self):
        super().__init__()
        self.found: list[str] = []

    def handle_data(self, data):
        self.found.append(data)


def test_a_notebook_shows_objects_in_short():
    network, x = digits()
    out = dtd.explain(network, x, 1, PLAN, at=["first"])
    rows = dtd.audit(network, x, 1, PLAN)
    shown = {}
    for name, value in (("out", out), ("net", network), ("plan", PLAN), ("rows", rows)):
        html = value._repr_html_()
        assert len(html) < 9000 and not re.search(r"0x[0-9a-f]{6}|tensor\(\[|object at", html)
        (reader := Cells()).feed(html)
        shown[name] = reader.found
    assert f"{out.relevance.sum():.4g}" in shown["out"] and "at first" in shown["out"]
    assert [layer.name for layer in network.layers if layer.name not in shown["net"]] == []
    assert "last" in shown["plan"] and any("epsilon" in text for text in shown["plan"])
    valid = f"{100 * rows.valid.dropna().iloc[0]:.0f} %"
    assert valid in shown["rows"] and "rgba(0, 114, 178" in rows._repr_html_()
    deep = torch.nn.Sequential(*(torch.nn.Linear(2, 2) for _ in range(100)))
    assert "… and 71 more" in dtd.trace(deep, torch.rand(1, 2))._repr_html_()


def test_audits_are_tables_of_pandas_that_stay_audits():
    network, x = digits()
    rows = dtd.audit(network, x, 1, PLAN)
    assert type(rows.query("units > 0")) is type(rows) and type(rows[["layer", "valid"]]) is type(rows)
    assert rows[["layer"]]._repr_html_().count("<tr>") == len(rows) + 1


WITHOUT = """
import sys
sys.modules["matplotlib"] = None
import importlib.util
found = importlib.util.find_spec
importlib.util.find_spec = lambda name, *rest: None if name == "matplotlib" else found(name, *rest)
import torch, dtd
net = dtd.trace(torch.nn.Linear(2, 1), torch.ones(1, 2))
out = dtd.explain(net, torch.ones(1, 2), 0)
print(len(out._repr_html_()) > 0)
for use in (out.plot, lambda: dtd.plot, lambda: __import__("dtd.plot")):
    try:
        use()
    except ImportError as error:
        print(error)
print(hasattr(dtd, "nothing"))
"""


def test_matplotlib_is_imported_when_first_used_and_missed_in_words():
    said = 'dtd.plot draws with matplotlib, which is not installed: pip install "dtd[figures]".'
    done = subprocess.run([sys.executable, "-c", WITHOUT], capture_output=True, text=True)
    assert done.stdout.splitlines() == ["True", said, said, said, "False"], done.stderr
    unused = "import dtd, sys; print('matplotlib' in sys.modules, dtd.plot.__name__, 'matplotlib' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", unused], capture_output=True, text=True)
    assert done.stdout.split() == ["False", "dtd.plot", "True"], done.stderr


def test_the_version_is_that_of_the_package():
    assert re.fullmatch(r"\d+\.\d+\.\d+", dtd.__version__)
