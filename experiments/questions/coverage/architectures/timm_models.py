"""Architectures of timm: one small model of each family, at the smallest size that it takes."""

from functools import partial
from typing import Any

import timm

from experiments.questions.coverage.architectures.base import Example, listed, pixels, settled

# name: pixels of one side, or (pixels, True) where the model has to be told its size
SIZES: dict[str, int | tuple[int, bool]] = {
    "beit_base_patch16_224": (64, True), "botnet26t_256": (64, True), "cait_xxs24_224": (64, True), "caformer_s18": 64,
    "coat_lite_tiny": (64, True), "coatnet_nano_rw_224": (64, True), "convformer_s18": 64, "convit_tiny": (64, True),
    "convmixer_768_32": 48, "convnext_atto": 64, "convnextv2_atto": 64, "crossvit_tiny_240": 240, "cs3darknet_m": 64,
    "cspresnet50": 64, "darknet53": 64, "davit_tiny": 64, "deit_tiny_distilled_patch16_224": (64, True),
    "deit3_small_patch16_224": (64, True), "dla34": 64, "dpn48b": 64, "eca_resnet33ts": 64, "edgenext_xx_small": 64,
    "efficientformer_l1": 224, "efficientformerv2_s0": 224, "efficientvit_b0": 64, "efficientvit_m0": 224,
    "ese_vovnet19b_slim": 64, "eva02_tiny_patch14_224": (56, True), "fastvit_t8": 64, "fbnetv3_b": 64,
    "focalnet_tiny_srf": 64, "gcvit_xxtiny": (224, True), "gernet_s": 64, "ghostnet_050": 64, "gmlp_ti16_224": 224,
    "halonet26t": 256, "hardcorenas_a": 64, "hgnet_tiny": 64, "hiera_tiny_224": 224, "hrnet_w18_small": 64,
    "inception_next_atto": 64, "inception_v4": 96, "lambda_resnet26t": (64, True), "lcnet_035": 64,
    "levit_128s": (64, True), "mambaout_femto": 64, "maxvit_nano_rw_256": (64, True), "mixer_s32_224": 224, "mixnet_s": 64,
    "mobilenetv4_conv_small": 64, "mobileone_s0": 64, "mobilevit_xxs": 64, "mobilevitv2_050": 64,
    "mvitv2_tiny": (64, True), "nest_tiny": (112, True), "nf_regnet_b0": 64, "nf_resnet26": 64, "pit_ti_224": (64, True),
    "poolformer_s12": 64, "pvt_v2_b0": 64, "rdnet_tiny": 64, "regnety_002": 64, "repghostnet_050": 64, "repvgg_a0": 64,
    "repvit_m0_9": 64, "res2net50_14w_8s": 64, "resmlp_12_224": 224, "resnest14d": 64, "resnetv2_50": 64, "rexnet_100": 64,
    "samvit_base_patch16_224": (32, True), "selecsls42": 64, "semnasnet_050": 64, "legacy_seresnet18": 64,
    "sequencer2d_s": 64, "skresnet18": 64, "starnet_s050": 64, "swiftformer_xs": 64,
    "swin_tiny_patch4_window7_224": (56, True), "swinv2_cr_tiny_224": (56, True), "tf_efficientnetv2_b0": 64,
    "tiny_vit_5m_224": 224, "tinynet_e": 64, "tnt_s_patch16_224": (64, True), "tresnet_m": 64, "twins_svt_small": 64,
    "visformer_tiny": (64, True), "vit_tiny_patch16_224": (64, True), "vit_relpos_small_patch16_224": (64, True),
    "volo_d1_224": (64, True), "xception41": 64, "xcit_nano_12_p16_224": 64,
}  # fmt: skip


def model(name: str, size: int, told: bool) -> Example:
    """One model for ten classes, without dropout."""
    options: dict[str, Any] = {"img_size": size} if told else {}
    return Example(settled(timm.create_model(name, num_classes=10, **options)), pixels(size))


MAKERS = {
    f"timm.{name}": partial(model, name, *(size if isinstance(size, tuple) else (size, False)))
    for name, size in SIZES.items()
}
ARCHITECTURES = listed("timm", MAKERS)
