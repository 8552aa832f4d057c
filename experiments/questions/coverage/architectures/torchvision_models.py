"""Architectures of torchvision: classification, segmentation, video. Transformers are made smaller than their presets."""

from collections.abc import Callable
from functools import partial
from typing import Any

from torchvision import models
from torchvision.models.swin_transformer import PatchMergingV2, SwinTransformerBlockV2

from experiments.questions.coverage.architectures.base import BATCH, Example, listed, normal, pixels, settled

SIZES = {  # pixels of one side; as small as an architecture's strides allow
    "alexnet": 96, "vgg11": 64, "vgg11_bn": 64, "resnet18": 64, "resnet50": 64, "resnext50_32x4d": 64,
    "wide_resnet50_2": 64, "densenet121": 64, "squeezenet1_0": 64, "squeezenet1_1": 64, "mobilenet_v2": 64,
    "mobilenet_v3_small": 64, "mobilenet_v3_large": 64, "efficientnet_b0": 64, "efficientnet_v2_s": 64,
    "regnet_x_400mf": 64, "regnet_y_400mf": 64, "mnasnet0_5": 64, "shufflenet_v2_x0_5": 64, "convnext_tiny": 64,
}  # fmt: skip
SEGMENTATION = ("fcn_resnet50", "deeplabv3_resnet50", "deeplabv3_mobilenet_v3_large", "lraspp_mobilenet_v3_large")
VIDEO = ("r3d_18", "mc3_18", "r2plus1d_18")
CLASSES = 10


def classifier(name: str, size: int) -> Example:
    """A classification network as its preset has it, for ten classes."""
    return Example(settled(models.get_model(name, weights=None, num_classes=CLASSES)), pixels(size))


def inception(name: str, size: int) -> Example:
    """A network whose auxiliary classifiers are for training."""
    make = models.get_model(name, weights=None, num_classes=CLASSES, aux_logits=False, init_weights=False)
    return Example(settled(make), pixels(size))


def segmentation(name: str) -> Example:
    """A segmentation network; the mean of each class over all pixels is explained."""
    model = models.get_model(name, weights=None, weights_backbone=None, num_classes=3)
    return Example(settled(model), pixels(48), lambda found: found["out"].mean((2, 3)))


def video(name: str) -> Example:
    """A video network, on frames ``(B, 3, T, H, W)``."""
    return Example(settled(models.get_model(name, weights=None, num_classes=CLASSES)), normal(BATCH, 3, 4, 32, 32))


def vit() -> Example:
    model = models.VisionTransformer(32, 8, 2, 4, 32, 64, num_classes=CLASSES)
    return Example(settled(model), pixels(32))


def swin(**options: Any) -> Example:
    model = models.SwinTransformer([4, 4], 24, [2, 2], [2, 4], [4, 4], num_classes=CLASSES, **options)
    return Example(settled(model), pixels(64))


def swin_video() -> Example:
    model = models.video.SwinTransformer3d([2, 4, 4], 24, [2, 2], [2, 4], [4, 4, 4], num_classes=CLASSES)
    return Example(settled(model), normal(BATCH, 3, 8, 32, 32))


def maxvit() -> Example:
    model = models.MaxVit((64, 64), 16, 2, [16, 32], [1, 1], 8, 0.1, num_classes=CLASSES)
    return Example(settled(model), pixels(64))


MAKERS: dict[str, Callable[[], Example]] = {
    **{name: partial(classifier, name, size) for name, size in SIZES.items()},
    "googlenet": partial(inception, "googlenet", 64),
    "inception_v3": partial(inception, "inception_v3", 96),
    **{name: partial(segmentation, name) for name in SEGMENTATION},
    **{name: partial(video, name) for name in VIDEO},
    "vit": vit,
    "swin": swin,
    "swin_v2": partial(swin, block=SwinTransformerBlockV2, downsample_layer=PatchMergingV2),
    "swin3d": swin_video,
    "maxvit": maxvit,
}

ARCHITECTURES = listed("torchvision", {f"torchvision.{name}": make for name, make in MAKERS.items()})
