"""A model that changes after the trace is followed where only its tensors' values change, and is an error otherwise."""

import copy
import pickle
from types import MethodType

import pytest
import torch
from torch import nn
from torch.nn import functional as F

import dtd
from tests.dtd.faults import LRP0, close, cnn, images, mlp, rows


def hooked(module, inputs, output):
    return output * 2


CHANGES = {
    "class": (lambda m: m.__setitem__(2, nn.Tanh()), "the class of module '2' was ReLU and is Tanh"),
    "hook": (lambda m: m[2].register_forward_hook(hooked), "the forward hooks of module '2' changed"),
    "pre-hook": (lambda m: m.register_forward_pre_hook(lambda _, x: (x[0] * 2,)), "forward hooks of the model itself"),
    "eps": (lambda m: setattr(m[1], "eps", 1.0), "'eps' of module '1' was 1e-05 and is 1.0"),
    "attribute": (lambda m: setattr(m[3], "kernel_size", 1), "'kernel_size' of module '3' was 2 and is 1"),
    "mode": (lambda m: m.train(), "module '1' was in evaluation mode and is in training mode"),
    "parametrised": (lambda m: nn.utils.parametrizations.weight_norm(m[5]), "class of module '5'"),
    "head": (lambda m: m.__setitem__(5, nn.Linear(16, 7).double()), "'out_features' of module '5' was 3 and is 7"),
    "longer": (lambda m: m.append(nn.ReLU()), "the children of the model itself were"),
    "shorter": (lambda m: m.__delitem__(5), "the children of the model itself were"),
    "forward": (lambda m: setattr(m[2], "forward", MethodType(lambda s, x: x, m[2])), "'forward' of module '2'"),
    "one dtype": (lambda m: m[5].float(), "another dtype or device"),
    "meta": (lambda m: m.to("meta"), "no values"),
    "bias": (lambda m: setattr(m[5], "bias", None), "'5.bias'"),
}


@pytest.mark.parametrize(("change", "match"), CHANGES.values(), ids=CHANGES)
@pytest.mark.parametrize("ask", [dtd.explain, dtd.audit], ids=["explain", "audit"])
def test_a_change_of_more_than_values_is_stale(ask, change, match):
    model, x = cnn(), images()
    network = dtd.trace(model, x)
    before = dtd.explain(network, x, 0, LRP0)
    change(model)
    with pytest.raises(dtd.StaleError, match=match):
        ask(network, x, 0, LRP0)
    with pytest.raises(dtd.StaleError):
        before.layers  # noqa: B018


@pytest.mark.parametrize(
    "name", ["class", "hook", "pre-hook", "eps", "attribute", "parametrised", "head", "longer", "forward"]
)
def test_the_message_says_how_to_trace_anew_and_that_works(name):
    model, x = cnn(), images()
    if name == "attribute":
        model = nn.Sequential(
            nn.Conv2d(2, 4, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(16, 3)
        ).double()
        network, change = dtd.trace(model, x), lambda m: setattr(m[2], "ceil_mode", True)
    else:
        network, change = dtd.trace(model, x), CHANGES[name][0]
    change(model)
    with pytest.raises(dtd.StaleError, match=r"network = network.retrace\(network.model\)"):
        network.layers  # noqa: B018
    network = network.retrace(network.model)
    plan = dtd.Plan([("*", dtd.lrp.LRPZero())])
    found = dtd.explain(network, x, 0, plan, verify=True)
    torch.testing.assert_close(found.output, model(x).detach())
    close(found, dtd.explain(dtd.trace(model, x), x, 0, plan))


def test_changing_back_is_enough():
    model, x = cnn(), images()
    network = dtd.trace(model, x)
    expected = dtd.explain(network, x, 0, LRP0)
    handle = model[2].register_forward_hook(hooked)
    with pytest.raises(dtd.StaleError):
        dtd.explain(network, x, 0, LRP0)
    handle.remove()
    model.train()
    with pytest.raises(dtd.StaleError):
        dtd.explain(network, x, 0, LRP0)
    model.eval()
    close(dtd.explain(network, x, 0, LRP0), expected)


def test_a_hook_on_all_modules_is_stale():
    network = dtd.trace(mlp(), rows())
    handle = nn.modules.module.register_module_forward_hook(hooked)
    try:
        with pytest.raises(dtd.StaleError, match="hooks on all modules"):
            dtd.explain(network, rows(), 0, LRP0)
    finally:
        handle.remove()


def test_modes_that_nothing_asks_for_and_attributes_that_no_code_mentions_are_not_stale():
    model, x = mlp(), rows()
    network = dtd.trace(model, x)
    expected = dtd.explain(network, x, 0, LRP0)
    model.train()
    model.note = "read by nobody"
    model[0].weight.requires_grad_(False)
    close(dtd.explain(network, x, 0, LRP0), expected)


class Scaled(nn.Module):
    """Depends on what it holds in every way that Python has."""

    factor = 1.0

    def __init__(self):
        super().__init__()
        self.fc, self.other = mlp()[0], mlp()[0]
        self.other.weight = self.fc.weight
        self.sizes, self.table, self.constant = [2.0], {"scale": 3.0}, torch.tensor(0.5)
        self.calls, self.last = 0, None

    def forward(self, x):
        self.calls, self.last = self.calls + 1, x
        scale = self.sizes[0] * self.table["scale"] * self.factor * getattr(self, "extra", 1.0)
        return self.fc(x) * scale + self.other(x) * self.constant


INSIDE = {
    "list": lambda m: m.sizes.__setitem__(0, 5.0),
    "dict": lambda m: m.table.update(scale=4.0),
    "tensor": lambda m: m.constant.mul_(2),
    "new": lambda m: setattr(m, "extra", 2.0),
    "shadowed": lambda m: setattr(m, "factor", 2.0),
    "untied": lambda m: setattr(m.other, "weight", nn.Parameter(m.fc.weight.detach() * 2)),
}


@pytest.mark.parametrize("change", INSIDE.values(), ids=INSIDE)
def test_attributes_that_change_inside_and_ties_that_break_are_stale(change):
    model, x = Scaled().eval(), rows()
    network = dtd.trace(model, x)
    close(dtd.explain(network, x, 0, LRP0, verify=True), dtd.explain(network, x, 0, LRP0))
    change(model)
    with pytest.raises(dtd.StaleError):
        dtd.explain(network, x, 0, LRP0)


def test_the_class_of_a_model_may_not_change_under_it(monkeypatch):
    model, x = Scaled().eval(), rows()
    network = dtd.trace(model, x)
    monkeypatch.setattr(Scaled, "factor", 3.0)
    with pytest.raises(dtd.StaleError, match="'factor'"):
        dtd.explain(network, x, 0, LRP0)
    monkeypatch.setattr(Scaled, "factor", 1.0)
    monkeypatch.setattr(Scaled, "forward", lambda self, x: self.fc(x))
    with pytest.raises(dtd.StaleError, match="'forward'"):
        dtd.explain(network, x, 0, LRP0)


def test_what_the_forward_pass_itself_writes_is_not_stale():
    model, x = Scaled().eval(), rows()
    network = dtd.trace(model, x)
    expected = dtd.explain(network, x, 0, LRP0)
    model(rows(7))
    close(dtd.explain(network, x, 0, LRP0, verify=True), expected)


class Sized(nn.Module):
    """Remembers how many samples it saw last."""

    def __init__(self):
        super().__init__()
        self.inner, self.count = mlp(), 0

    def forward(self, x):
        self.count = len(x)
        return self.inner(x)


@pytest.mark.parametrize("before", [1, 2, 3])
def test_what_the_forward_pass_writes_is_not_stale_though_the_trace_left_it_as_it_was(before):
    model, x = nn.Sequential(Sized(), nn.ReLU()).eval(), rows()
    model(rows(before))
    network = dtd.trace(model, x)
    for count in (1, 2, 3, 4):
        model(rows(count))
        dtd.explain(network, x, 0, LRP0, verify=True)


def test_tracing_a_part_of_a_model_does_not_change_the_network_of_the_whole():
    for model, part, of in (
        (nn.Sequential(Sized(), nn.ReLU()).eval(), "0", rows(1)),
        (cnn(), "0", images()),
        (mlp(), "2", None),
    ):
        x = images() if isinstance(model[0], nn.Conv2d) else rows()
        model(x[:2])
        network = dtd.trace(model, x)
        expected = dtd.explain(network, x, 0, LRP0)
        inner = dtd.trace(
            model.get_submodule(part),
            x if of is None and part == "0" else of if of is not None else rows()[:, :1].repeat(1, 5),
        )
        close(dtd.explain(network, x, 0, LRP0), expected)
        assert inner.layers
        with torch.no_grad():
            next(model.parameters()).mul_(2)
        torch.testing.assert_close(dtd.explain(network, x, 0, LRP0, verify=True).output, model(x).detach())


def test_messages_hold_no_addresses():
    class Features(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc, self.last = mlp()[0], None

        def features(self, x):
            return self.fc(x)

        def forward(self, x):
            self.last = x
            return self.features(x)

    class Whole(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = Features()

        def forward(self, x):
            return self.inner.features(x)

    model, x = Whole().eval(), rows()
    network = dtd.trace(model, x)
    model.inner(x)  # writes what no call of the whole model writes
    with pytest.raises(dtd.StaleError, match=r"'last' of module 'inner' was None and is a tensor of shape \(3, 4\)"):
        dtd.explain(network, x, 0, LRP0)
    network = network.retrace(network.model)
    dtd.explain(network, x, 0, LRP0)


def test_models_with_recurrent_layers_hold_still():
    class Last(nn.Module):
        def __init__(self):
            super().__init__()
            torch.manual_seed(0)
            self.rnn, self.fc = nn.LSTM(3, 4, batch_first=True), nn.Linear(4, 2)

        def forward(self, x):
            return self.fc(self.rnn(x)[0][:, -1])

    model, x = Last().eval(), torch.rand(2, 4, 3)
    network = dtd.trace(model, x)
    with torch.no_grad():
        model.fc.weight.mul_(2)
    torch.testing.assert_close(dtd.explain(network, x, 0, verify=True).output, model(x).detach())
    model.double()  # the first hidden state is zeros in float32
    with pytest.raises(dtd.StaleError, match="its numbers were .*float32.* and are .*float64"):
        dtd.explain(network, x.double(), 0)


def test_numbers_that_code_makes_keep_the_dtype_of_the_trace():
    class Tenth(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc = mlp()[0].float()

        def forward(self, x):
            return self.fc(x) * x.new_tensor(0.1)

    model, x = Tenth().eval(), rows(dtype=torch.float)
    network = dtd.trace(model, x)
    model.double()
    with pytest.raises(dtd.StaleError, match="its numbers"):
        dtd.explain(network, x.double(), lambda y: y, LRP0)


class Branching(nn.Module):
    """Depends on values that its trace does not see."""

    limit = 100.0

    def forward(self, x):
        return x * 2 if torch.compiler.is_exporting() or float(x.detach().abs().sum()) < LIMITS[0] else x * 3


LIMITS = [1e6]


def test_verify_holds_an_explanation_against_the_model():
    x = rows()
    network = dtd.trace(Branching().eval(), x)
    dtd.explain(network, x, lambda y: y, verify=True)
    LIMITS[0] = 0.0
    try:
        with pytest.raises(dtd.TraceError, match="returns another output for these inputs"):
            dtd.explain(network, x, lambda y: y, verify=True)
        with pytest.raises(dtd.TraceError):
            dtd.explain(network, x, lambda y: y, verify=True, memory=10**6)
    finally:
        LIMITS[0] = 1e6


def test_verify_of_inputs_without_a_batch_axis():
    class Mixed(nn.Module):
        def forward(self, x, adjacency):
            return F.relu(adjacency @ x).sum(1)

    x, adjacency = torch.rand(2, 3, 4), torch.rand(3, 3)
    network = dtd.trace(Mixed().eval(), (x, adjacency), unbatched=("adjacency",), explained=("x",))
    out = dtd.explain(network, (x, adjacency), 0, verify=True)
    torch.testing.assert_close(out.output, Mixed()(x, adjacency))
    assert dtd.explain(network, (x[:0], adjacency), 0, verify=True).output.shape == (0, 4)


def test_copies_and_pickles_are_networks_of_their_own_models():
    model, x = cnn(), images()
    network = dtd.trace(model, x)
    expected = dtd.explain(network, x, 0, LRP0)
    for other in (copy.deepcopy(network), pickle.loads(pickle.dumps(network))):
        model[0].weight.data.mul_(2), network.refresh()
        close(dtd.explain(other, x, 0, LRP0), expected)
        other.model[2] = nn.Tanh()
        with pytest.raises(dtd.StaleError):
            dtd.explain(other, x, 0, LRP0)
        model[0].weight.data.div_(2), network.refresh()
        close(dtd.explain(network, x, 0, LRP0), expected)


def test_a_trace_keeps_two_samples_of_its_example_and_not_the_callers():
    x = rows(100).requires_grad_() * 1
    network = dtd.trace(mlp(), x)
    kept = network.retrace.keywords["inputs"]
    assert kept.shape == (2, 4) and not kept.requires_grad


@pytest.mark.parametrize("traced", ["whole", "part"])
@pytest.mark.filterwarnings("ignore::dtd.GrowthWarning")
def test_another_trace_of_the_model_or_of_a_part_changes_nothing(traced):
    """torch.export writes attributes anew, with values that are equal."""
    model = nn.TransformerEncoder(nn.TransformerEncoderLayer(4, 2, 8, batch_first=True), 2, enable_nested_tensor=False)
    model, x = model.double().eval(), torch.rand(2, 3, 4, dtype=torch.double)
    network = dtd.trace(model, x, output=lambda y: y[:, 0])
    out = dtd.explain(network, x, 0, LRP0)
    other = model if traced == "whole" else model.layers[1]
    dtd.explain(dtd.trace(other, x, output=lambda y: y[:, 0]), x, 0, LRP0)
    assert out.layers and out.output.equal(dtd.explain(network, x, 0, LRP0).output)
