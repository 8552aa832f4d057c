"""Models of one's own, architectures by name, parameters from files, and the small residual network."""

import pickle
import sys

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from dtd.domain import NonNegative
from dtd.network import trace
from experiments import models
from experiments.configs.base import ConfigError
from experiments.configs.run import typed
from experiments.cost.peers import installed
from experiments.models.resnet import ResNet

SOURCE = """
from torch import nn

class MyNet(nn.Module):
    def __init__(self, hidden=4, classes=10):
        super().__init__()
        self.layers = nn.Sequential(nn.Flatten(), nn.Linear(64, hidden), nn.ReLU(), nn.Linear(hidden, classes))

    def forward(self, x):
        return self.layers(x)

def small():
    return MyNet(2)

def nothing():
    return 3
"""
SQUEEZE = ("model=torchvision", "model.architecture=squeezenet1_1", "data=noise", "data.shape=[3,64,64]")
OWN = ("model=own", "model._target_=mynets.MyNet", "trusted=[mynets]")


@pytest.fixture
def mynets(tmp_path, monkeypatch):
    """A module of the user's own."""
    (tmp_path / "mynets.py").write_text(SOURCE)
    monkeypatch.syspath_prepend(tmp_path)
    yield tmp_path
    sys.modules.pop("mynets", None)


@pytest.fixture
def made(composed):
    """The one subject of some overrides."""

    def make(*overrides: str) -> models.Subject:
        config = typed(composed(*overrides))
        models.check(config.model)
        (subject,) = models.subjects(config.model, config.data).values()
        return subject

    return make


def test_a_model_of_ones_own_is_trained_once(mynets, made, monkeypatch):
    first = made(*OWN, "+model.arguments.hidden=16", "model.epochs=5")
    assert type(first.model).__name__ == "MyNet" and first.model.layers[1].out_features == 16 and first.accuracy() > 0.5
    monkeypatch.setattr("experiments.models.training.train", lambda *_: pytest.fail("trained again"))
    again = made(*OWN, "+model.arguments.hidden=16", "model.epochs=5")
    assert torch.equal(first.model.layers[1].weight, again.model.layers[1].weight)


def test_a_change_in_ones_own_file_trains_anew(mynets, made, monkeypatch):
    first = made(*OWN, "model.epochs=1")
    (mynets / "mynets.py").write_text(SOURCE + "\n# changed\n")
    trained = []
    monkeypatch.setattr("experiments.models.training.train", lambda *given: trained.append(given))
    made(*OWN, "model.epochs=1")
    assert trained and first.accuracy() is not None


def test_parameters_come_from_a_file(mynets, made, tmp_path):
    source = made(*OWN, "model.epochs=0", "seed=5").model
    state = {name: value.clone() for name, value in source.state_dict().items()}
    save_file(state, tmp_path / "w.safetensors")
    torch.save(state, tmp_path / "w.pt")
    torch.save({"state_dict": state, "epoch": 3}, tmp_path / "checkpoint.pt")
    for name in ("w.safetensors", "w.pt", "checkpoint.pt"):
        found = made(*OWN, f"model.weights={tmp_path / name}").model.state_dict()
        assert all(torch.equal(state[key], found[key]) for key in state)
    assert not torch.equal(made(*OWN, "model.epochs=0").model.layers[1].weight, source.layers[1].weight)


class Bomb:
    def __reduce__(self):
        return exec, ("raise SystemExit('executed')",)


def test_a_file_that_would_execute_something_is_refused(mynets, made, tmp_path):
    (tmp_path / "bomb.pt").write_bytes(pickle.dumps(Bomb(), protocol=2))
    torch.save({"w": Bomb()}, tmp_path / "bomb2.pt")
    (tmp_path / "half.safetensors").write_bytes(b"half")
    for name in ("bomb.pt", "bomb2.pt", "half.safetensors"):
        with pytest.raises(ConfigError, match=f"'model.weights' must be a file of tensors alone; .*{name} cannot be read"):
            made(*OWN, f"model.weights={tmp_path / name}")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: s | {"extra": torch.zeros(1)}, r"it has too many: extra \(1\)"),
        (lambda s: {k: v for k, v in s.items() if "1.bias" not in k}, r"it lacks: layers.1.bias \(1\)"),
        (lambda s: s | {"layers.1.bias": torch.zeros(5)}, r"it has other shapes: layers.1.bias \(5,\) for \(4,\)"),
        (lambda s: {"epoch": 3}, "'model.weights' must be a state dict: tensors by name; found dict"),
        (lambda s: 3, "'model.weights' must be a state dict: tensors by name; found int"),
    ],
)
def test_a_file_of_another_model_is_refused(mynets, made, tmp_path, change, message):
    state = made(*OWN, "model.epochs=0").model.state_dict()
    torch.save(change(dict(state)), tmp_path / "w.pt")
    with pytest.raises(ConfigError, match=message):
        made(*OWN, f"model.weights={tmp_path / 'w.pt'}")


def test_a_function_may_make_the_model(mynets, made):
    assert made(*OWN, "model._target_=mynets.small", "model.epochs=0").model.layers[1].out_features == 2


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["trusted=[]"], r"'model._target_' must name something in dtd, experiments or .*trusted=\[mynets\]"),
        (["model._target_=mynets.Net"], "'model._target_': no 'Net' in mynets; there are MyNet, nothing, small"),
        (["+model.arguments.hiden=3"], "'model.arguments': got an .* 'hiden'; the arguments of MyNet are hidden, classes"),
        (["model.weights=nowhere.pt"], "'model.weights' must be a file .*; found nowhere.pt"),
        (["model.epochs=-1"], "'model.epochs' must be at least 1; found -1"),
        (["model._target_=mynets.nothing", "model.epochs=0"], "'model._target_' must be a torch.nn.Module"),
        (["model._target_=mynets.nothing"], "'model._target_' must be a torch.nn.Module"),
        (["data=wine"], r"'model' must take samples of shape \(13,\), .*shapes cannot be multiplied.*model.arguments"),
        (["+model.arguments.classes=7"], r"'model' must be a model with 10 outputs.*; found outputs of shape \(7,\)"),
        (["data=noise"], "'data' must be a data set with labels, since the model is trained on it"),
    ],
)
def test_a_model_that_cannot_be_made_is_refused(mynets, made, overrides, message):
    with pytest.raises(ConfigError, match=message):
        made(*OWN, *overrides)


@pytest.mark.skipif(not installed("torchvision"), reason="needs torchvision")
def test_an_architecture_keeps_its_scale_with_random_weights(made):
    subject = made(
        "model=torchvision", "model.architecture=squeezenet1_1", "data=noise", "data.shape=[3,64,64]", "data.samples=2"
    )
    with torch.no_grad():
        assert 1e-2 < subject.model(subject.test_x).std() < 1e2


@pytest.mark.skipif(not installed("torchvision"), reason="needs torchvision")
@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("model.architecture=resnet19", "'model.architecture' must be an architecture of torchvision"),
        ("+model.arguments.weights=DEFAULT", "must be an architecture without weights; give the file"),
        ("+model.arguments.num_clases=3", "'model.arguments' do not fit squeezenet1_1: .*num_clases"),
    ],
)
def test_an_architecture_that_there_is_not_is_refused(made, override, message):
    with pytest.raises(ConfigError, match=message):
        made(*SQUEEZE, override)


@pytest.mark.parametrize(("size", "inputs"), [(8, 1), (17, 3)])
def test_the_residual_network_takes_images_of_any_size(size, inputs):
    network = trace(ResNet(2, 1, 5, inputs).eval(), torch.rand(2, inputs, size, size), NonNegative())
    assert [layer.kind for layer in network.layers].count("sum") == 3 and network.layers[-1].kind == "dense"


def test_models_of_images_refuse_other_data(made):
    for model in ("cnn", "resnet"):
        with pytest.raises(
            ConfigError, match=r"needs images .* of at least 3×3 pixels; found samples of shape \(13,\) in 'data'"
        ):
            made(f"model={model}", "data=wine")


@pytest.mark.parametrize(
    ("biases", "low", "high"),
    [("nonpositive", -0.3, 0), ("nonnegative", 0, 0.3), ("both", -0.3, 0.3), ("zero", 0, 0)],
)
def test_synthetic_networks_have_the_biases_that_were_asked_for(made, biases, low, high):
    model = made(
        "model=synthetic", "model.widths=[200,300]", f"model.biases={biases}", "data=noise", "data.shape=[50]"
    ).model
    for layer in model.layers[::2]:
        assert low <= layer.bias.min() <= low + 0.02 and high - 0.02 <= layer.bias.max() <= high
        assert layer.weight.var() * layer.in_features == pytest.approx(1, abs=0.05)
    assert isinstance(model.layers[-1], nn.ReLU)
