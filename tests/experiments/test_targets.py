"""What a config may name, and what it may not: a config is data, not code to run."""

import sys

import pytest
import torch

from dtd.direction import Gamma
from dtd.relevance import TrainingFree
from dtd.root import Ray
from experiments.configs.base import ConfigError
from experiments.configs.targets import build, resolve
from experiments.cost.peers import installed

HINT = "in dtd, experiments or an architecture of torchvision or timm; found {}. If you trust its package, say so: trusted="
EVIL = """
import os
import subprocess as sub
from os import system
from functools import partial
from pathlib import Path

class Net:
    shell = os.system
    class Inner:
        pass
    def __init__(self, width=3):
        self.width = width
    @classmethod
    def wide(cls, width):
        return cls(10 * width)

def make(width):
    return Net(width)

def claimed():
    pass
claimed.__module__ = "mypackage"
claimed.__qualname__ = "make"

borrowed = partial(os.system, "true")
instance = Net()
lifted = lambda: 1
"""


@pytest.fixture
def mypackage(tmp_path, monkeypatch):
    """A package of the user's own, that imports more than it defines."""
    (tmp_path / "mypackage").mkdir()
    (tmp_path / "mypackage" / "__init__.py").write_text(EVIL)
    (tmp_path / "mypackage" / "nets.py").write_text("from mypackage import Net\n\nclass Deep(Net):\n    pass\n")
    monkeypatch.syspath_prepend(tmp_path)
    yield "mypackage"
    for name in [name for name in sys.modules if name.startswith("mypackage")]:
        del sys.modules[name]


def target(name, trusted=(), /, **arguments):
    return build({"_target_": name, **arguments}, trusted, "plan.model")


def test_nested_objects_are_built_inside_out():
    made = target("dtd.TrainingFree", root={"_target_": "dtd.Ray", "direction": {"_target_": "dtd.Gamma", "gamma": 0.1}})
    assert made == TrainingFree(Ray(Gamma(0.1)))


def test_lists_and_mappings_are_followed():
    made = build({"a": [1, {"_target_": "dtd.Gamma", "gamma": 0.2}], "b": {"c": 3}}, (), "x")
    assert made == {"a": [1, Gamma(0.2)], "b": {"c": 3}}


def test_functions_that_make_plans_can_be_called():
    assert str(target("dtd.rules.choose", name="gamma", gamma=0.3)) == "rule('gamma', γ=0.3, bias='fixed')"
    assert target("dtd.presets.RelativeEpsilon", factor=0.5).factor == 0.5


@pytest.mark.parametrize(
    "name",
    [
        *(
            "os.system",
            "builtins.eval",
            "builtins.exec",
            "subprocess.run",
            "torch.load",
            "torch.hub.load",
            "torch.nn.Linear",
        ),
        *("importlib.import_module", "pickle.loads", "numpy.load", "pandas.read_pickle", "hydra.utils.instantiate"),
        *("dtdx.Gamma", "experimentsx.y", "torchvisionx.models.resnet18", "joblib.load", "mypackage.Net"),
    ],
)
def test_other_packages_are_refused_with_the_hint(mypackage, name):
    with pytest.raises(ConfigError, match=HINT.format(name) + rf"\[{name.split('.')[0]}\]"):
        target(name)


@pytest.mark.parametrize(
    "name",
    [
        *("dtd.trace.__globals__", "dtd.Gamma.__init__", "dtd.__dict__.Gamma", "dtd._built", "__main__.main", "dtd"),
        *("dtd..Gamma", ".dtd.Gamma", "dtd.Gamma.", "dtd.Gamma ", "dtd.Gamma()", "dtd.Gamma\n", "dtd:Gamma", "", "os"),
    ],
)
def test_names_that_are_no_public_dotted_names_are_refused(name):
    with pytest.raises(ConfigError, match="'plan.model._target_' must be a name such as mypackage.MyClass"):
        target(name)


@pytest.mark.parametrize("name", [3, None, ["dtd.Gamma"], {"_target_": "dtd.Gamma"}, print, Gamma])
def test_a_target_is_a_name(name):
    with pytest.raises(ConfigError, match="must be a name such as mypackage.MyClass"):
        target(name)


@pytest.mark.parametrize(
    "name",
    [
        *(
            "experiments.machine.results.os.system",
            "experiments.machine.results.os.path.join",
            "experiments.configs.targets.sys.exit",
        ),
        *("experiments.models.training.torch.load", "experiments.models.training.hashlib.sha256", "dtd.explain.torch.load"),
        *("dtd.network.trace.torch.hub.load", "experiments.data.import_module", "experiments.models.training.load_file"),
        *(
            "dtd.plan.dataclass",
            "dtd.plan.Any",
            "experiments.machine.results.Figure.savefig",
            "experiments.machine.results.Path.unlink",
        ),
        *(
            "dtd.Gamma.mro",
            "experiments.configs.targets.Callable",
            "experiments.machine.results.partial",
            "dtd.plan.Plan.entries",
        ),
        *("dtd.network.Network.model", "experiments.models.mlp.nn.Linear", "experiments.models.mlp.MLP.apply"),
        *(
            "experiments.models.mlp.MLP.load_state_dict",
            "experiments.configs.targets.inspect.os.system",
            "dtd.rules.catalogue",
        ),
    ],
)
def test_what_a_package_imports_or_inherits_is_out_of_reach(name):
    with pytest.raises(ConfigError, match="defined in|not looked up outside|no '.*' in"):
        target(name)


@pytest.mark.parametrize(
    "name",
    [
        *(
            "experiments.machine.results.save_text",
            "experiments.machine.results.atomically",
            "experiments.machine.results.read_table",
        ),
        *(
            "experiments.runs.job.run",
            "experiments.configs.targets.build",
            "experiments.configs.targets.call",
            "dtd.trace",
            "dtd.explain",
        ),
        *("experiments.questions.question", "experiments.data.load"),
        *("dtd.Network.refresh", "experiments.configs.run.Config"),
        *("experiments.models.mlp.MLP.forward", "experiments.figures.summary.Summary"),
    ],
)
def test_functions_that_do_things_are_not_for_configs(name):
    with pytest.raises(ConfigError, match="must be a class of (dtd, or a function of|experiments that is a)|defined in"):
        target(name, path="x", text="y")


@pytest.mark.parametrize("key", ["_partial_", "_args_", "_recursive_", "_convert_", "__class__", "a.b", "a b"])
def test_instructions_beside_the_target_are_refused(key):
    with pytest.raises(ConfigError, match="'plan.model' must be '_target_' with named arguments"):
        build({"_target_": "dtd.Gamma", key: True}, (), "plan.model")


def test_a_target_inside_arguments_is_held_to_the_same():
    inside = {"_target_": "dtd.Ray", "direction": {"_target_": "os.system", "command": "true"}}
    with pytest.raises(ConfigError, match=r"'plan.model.root.direction._target_' must name .*; found os.system"):
        target("dtd.TrainingFree", root=inside)
    with pytest.raises(ConfigError, match=r"'plan.model.parts\[0\]\[1\]._target_' must name"):
        target("dtd.Mix", parts=[[1.0, {"_target_": "os.system"}]])


def test_nothing_is_called_before_every_name_is_checked(monkeypatch):
    calls = []
    monkeypatch.setattr(Gamma, "__post_init__", lambda self: calls.append(self), raising=False)
    with pytest.raises(ConfigError, match="os.system"):
        target("dtd.Mix", a={"_target_": "dtd.Gamma"}, b={"_target_": "os.system"})
    assert not calls


def test_wrong_arguments_name_the_right_ones():
    with pytest.raises(
        ConfigError, match="'plan.model': got an unexpected keyword argument 'gama'; the arguments of Gamma are gamma"
    ):
        target("dtd.Gamma", gama=1)
    with pytest.raises(ConfigError, match="'plan.model' does not make a Gamma: 'gamma' must be >= 0"):
        target("dtd.Gamma", gamma=-1)


def test_a_name_that_is_not_there_names_what_is():
    with pytest.raises(ConfigError, match="no 'Gama' in dtd; there are .*Gamma.*Ray"):
        target("dtd.Gama")


def test_a_trusted_package_is_reached(mypackage):
    assert target("mypackage.Net", [mypackage], width=5).width == 5
    assert target("mypackage.make", [mypackage], width=6).width == 6
    assert target("mypackage.Net.wide", [mypackage], width=1).width == 10
    assert type(target("mypackage.nets.Deep", [mypackage])).__name__ == "Deep"
    assert type(target("mypackage.nets.Deep", ["mypackage.nets"])).__name__ == "Deep"


@pytest.mark.parametrize(
    "name",
    [
        *("mypackage.os.system", "mypackage.system", "mypackage.sub.run", "mypackage.partial", "mypackage.Path"),
        *("mypackage.borrowed", "mypackage.instance", "mypackage.Net.shell", "mypackage.claimed", "mypackage.lifted"),
        *("mypackage.make.x", "mypackage.nets"),
    ],
)
def test_a_trusted_package_lends_nothing_that_it_does_not_define(mypackage, name):
    with pytest.raises(ConfigError, match="defined in|not looked up outside"):
        target(name, [mypackage])


def test_trusting_a_part_is_not_trusting_the_rest(mypackage):
    with pytest.raises(ConfigError, match="must be a class or function that is defined in 'mypackage.nets'"):
        target("mypackage.nets.Net", ["mypackage.nets"])
    with pytest.raises(ConfigError, match="must name something in dtd, experiments, mypackage.nets"):
        target("mypackage.Net", ["mypackage.nets"])


@pytest.mark.parametrize("package", ["os", "builtins", "subprocess", "os.path", "", "my package", "_private", "*"])
def test_pythons_own_modules_cannot_be_trusted(package):
    with pytest.raises(ConfigError, match="'trusted' must be a list of your own packages, not Python's; found"):
        target("os.system", [package])


def test_a_package_that_cannot_be_imported_says_where_it_was_looked_for():
    with pytest.raises(ConfigError, match="cannot import 'nowhere' .*PYTHONPATH"):
        resolve("nowhere.Net", ["nowhere"], "model")


@pytest.mark.parametrize("name", ["torchvision.models.resnet18", "torchvision.resnet18", "timm.resnet10t"])
def test_architectures_are_built_without_weights(name):
    if not installed(name.split(".")[0]):
        pytest.skip("needs the library")
    assert isinstance(target(name, num_classes=3), torch.nn.Module)


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("torchvision.models.resnet19", {}, "must be an architecture of torchvision .*resnet1"),
        ("torchvision.io.read_file", {}, "must be an architecture of torchvision"),
        ("torchvision.models.get_model", {}, "must be an architecture of torchvision"),
        ("torchvision.models.resnet18", {"weights": "DEFAULT"}, "without weights; give the file .*'weights'"),
        ("timm.create_model", {}, "must be an architecture of timm"),
        ("timm.models.load_checkpoint", {}, "must be an architecture of timm"),
        ("timm.resnet10t", {"checkpoint_path": "x.pth"}, "without weights; give the file .*'checkpoint_path'"),
        ("timm.resnet10t", {"pretrained": True}, "without weights; give the file .*'pretrained'"),
        ("timm.resnet10t", {"pretrained_cfg": {"file": "x"}}, "without weights; give the file .*'pretrained_cfg'"),
    ],
)
def test_of_torchvision_and_timm_only_architectures_are_reached(name, arguments, message):
    if not installed(name.split(".")[0]):
        pytest.skip("needs the library")
    with pytest.raises(ConfigError, match=message):
        target(name, **arguments)
