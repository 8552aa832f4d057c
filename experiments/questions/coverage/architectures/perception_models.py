"""Vision, speech and two-tower models of ``transformers``: tiny random configurations."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import transformers

from experiments.questions.coverage.architectures.base import (
    BATCH,
    Example,
    listed,
    mask,
    normal,
    pixels,
    settled,
    token_ids,
)
from experiments.questions.coverage.architectures.language_models import class_logits

SIZES = {
    "image_size": 32, "patch_size": 8, "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4,
    "intermediate_size": 48, "num_labels": 10,
}  # fmt: skip
TOWER = {key: value for key, value in SIZES.items() if key != "num_labels"}
TEXT = {"vocab_size": 50, "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 48,
        "max_position_embeddings": 16, "bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 0}  # fmt: skip
SWIN = {"image_size": 32, "patch_size": 2, "embed_dim": 16, "depths": [1, 1], "num_heads": [2, 4], "window_size": 4,
        "num_labels": 10}  # fmt: skip
WAVE = {
    "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 48, "num_labels": 5,
    "conv_dim": (16, 16), "conv_kernel": (10, 3), "conv_stride": (5, 2), "num_feat_extract_layers": 2,
    "num_conv_pos_embeddings": 8, "num_conv_pos_embedding_groups": 4,
}  # fmt: skip
WHISPER = {"vocab_size": 50, "d_model": 32, "encoder_layers": 2, "decoder_layers": 2, "encoder_attention_heads": 4,
           "decoder_attention_heads": 4, "encoder_ffn_dim": 48, "decoder_ffn_dim": 48, "num_mel_bins": 8,
           "max_source_positions": 20, "max_target_positions": 16, "pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2,
           "decoder_start_token_id": 1, "num_labels": 5, "classifier_proj_size": 16}  # fmt: skip


def config(kind: str, sizes: Mapping[str, Any], **options: Any):
    """A configuration of ``transformers``."""
    return getattr(transformers, f"{kind}Config")(**{**sizes, **options})


def images(kind: str, sizes: Mapping[str, Any] = SIZES, side: int = 32, **options: Any) -> Example:
    """A classifier of images."""
    model = getattr(transformers, f"{kind}ForImageClassification")(config(kind, sizes, **options))
    return Example(settled(model), {"pixel_values": pixels(side)}, class_logits)


def waves(kind: str) -> Example:
    """A classifier of speech, on 400 samples of sound."""
    model = getattr(transformers, f"{kind}ForSequenceClassification")(config(kind, WAVE))
    return Example(settled(model), {"input_values": normal(BATCH, 400)}, class_logits)


def whisper() -> Example:
    """Whisper's encoder under a classifier, on a log-mel spectrogram."""
    model = transformers.WhisperForAudioClassification(config("Whisper", WHISPER))
    return Example(settled(model), {"input_features": normal(BATCH, 8, 40)}, class_logits)


def whisper_decoder() -> Example:
    """Encoder and decoder: which word comes next."""
    model = transformers.WhisperForConditionalGeneration(config("Whisper", WHISPER, use_cache=False))
    inputs = {"input_features": normal(BATCH, 8, 40), "decoder_input_ids": token_ids(4)}
    return Example(settled(model), inputs, lambda found: found.logits[:, -1])


def towers(kind: str):
    """A two-tower model with small towers."""
    made = getattr(transformers, f"{kind}Config")(text_config=dict(TEXT), vision_config=TOWER)
    return settled(getattr(transformers, f"{kind}Model")(made))


def two_towers(kind: str) -> Example:
    """How well an image and each text of the batch fit: images and texts are both explained."""
    inputs = {"input_ids": token_ids(), "attention_mask": mask(), "pixel_values": pixels(32)}
    return Example(towers(kind), inputs, lambda found: (found.image_embeds * found.text_embeds).sum(-1, keepdim=True))


def text_tower() -> Example:
    inputs = {"input_ids": token_ids(), "attention_mask": mask()}
    model = settled(transformers.CLIPTextModelWithProjection(config("CLIPText", TEXT, projection_dim=16)))
    return Example(model, inputs, lambda found: found.text_embeds)


def image_tower() -> Example:
    model = settled(transformers.CLIPVisionModelWithProjection(config("CLIPVision", TOWER, projection_dim=16)))
    return Example(model, {"pixel_values": pixels(32)}, lambda found: found.image_embeds)


def siglip_tower() -> Example:
    model = settled(transformers.SiglipVisionModel(config("SiglipVision", TOWER)))
    return Example(model, {"pixel_values": pixels(32)}, lambda found: found.pooler_output)


RESNET = {"embedding_size": 16, "hidden_sizes": [16, 32], "depths": [1, 1], "num_labels": 10, "layer_type": "basic"}
CONVNEXT = {"hidden_sizes": [16, 32], "depths": [1, 1], "num_stages": 2, "num_labels": 10}
SEGFORMER = {"num_encoder_blocks": 2, "depths": [1, 1], "sr_ratios": [2, 1], "hidden_sizes": [16, 32], "patch_sizes": [7, 3],
             "strides": [4, 2], "num_attention_heads": [1, 2], "mlp_ratios": [2, 2], "decoder_hidden_size": 16,
             "num_labels": 10}  # fmt: skip
POOLFORMER = {"num_encoder_blocks": 2, "depths": [1, 1], "hidden_sizes": [16, 32], "patch_sizes": [7, 3], "strides": [4, 2],
              "padding": [2, 1], "num_labels": 10}  # fmt: skip
MAKERS: dict[str, Callable[[], Example]] = {
    "vit": partial(images, "ViT"),
    "vit_eager": partial(images, "ViT", attn_implementation="eager"),
    "deit": partial(images, "DeiT"),
    "beit": partial(images, "Beit", SIZES | {"use_relative_position_bias": True}),
    "dinov2": partial(images, "Dinov2", SIZES | {"mlp_ratio": 2}),
    "swin": partial(images, "Swin", SWIN),
    "swinv2": partial(images, "Swinv2", SWIN),
    "convnext": partial(images, "ConvNext", CONVNEXT),
    "resnet": partial(images, "ResNet", RESNET),
    "segformer": partial(images, "Segformer", SEGFORMER),
    "poolformer": partial(images, "PoolFormer", POOLFORMER),
    "mobilevit": partial(
        images, "MobileViT", {"image_size": 64, "hidden_sizes": [16, 24, 32], "num_labels": 10,
                              "neck_hidden_sizes": [8, 8, 16, 24, 32, 32, 48]}, 64
    ),
    "wav2vec2": partial(waves, "Wav2Vec2"),
    "hubert": partial(waves, "Hubert"),
    "whisper_encoder": whisper,
    "whisper": whisper_decoder,
    "clip_text": text_tower,
    "clip_image": image_tower,
    "clip": partial(two_towers, "CLIP"),
    "siglip": siglip_tower,
}  # fmt: skip
ARCHITECTURES = listed("transformers, perception", {f"transformers.{name}": make for name, make in MAKERS.items()})
