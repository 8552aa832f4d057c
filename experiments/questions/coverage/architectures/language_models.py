"""Language models of ``transformers``: tiny random configurations of encoders, decoders and encoder–decoders."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import transformers
from torch import Tensor

from experiments.questions.coverage.architectures.base import Example, listed, mask, settled, token_ids

WORDS, WIDTH, HEADS, LAYERS, INNER, PLACES = 50, 32, 4, 2, 48, 64
SIZES = {
    "vocab_size": WORDS, "hidden_size": WIDTH, "num_attention_heads": HEADS, "num_hidden_layers": LAYERS,
    "intermediate_size": INNER, "max_position_embeddings": PLACES, "pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2,
}  # fmt: skip
GROUPED = SIZES | {"num_key_value_heads": 2, "head_dim": 8}
BATCHED_EXPERTS = {"experts_implementation": "batched_mm"}  # the default, grouped kernels, has no float64
EXPERTS = GROUPED | BATCHED_EXPERTS | {"num_local_experts": 4, "num_experts_per_tok": 2}
TINY_GPT2 = {"vocab_size": WORDS, "n_embd": WIDTH, "n_head": HEADS, "n_layer": LAYERS, "n_positions": PLACES}
T5 = {
    "vocab_size": WORDS, "d_model": WIDTH, "d_kv": 8, "d_ff": INNER, "num_layers": LAYERS, "num_heads": HEADS,
    "pad_token_id": 0, "eos_token_id": 2, "decoder_start_token_id": 0,
}  # fmt: skip
BART = {
    "vocab_size": WORDS, "d_model": WIDTH, "encoder_layers": LAYERS, "decoder_layers": LAYERS, "encoder_ffn_dim": INNER,
    "encoder_attention_heads": HEADS, "decoder_attention_heads": HEADS, "decoder_ffn_dim": INNER,
    "max_position_embeddings": PLACES, "pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2, "decoder_start_token_id": 2,
}  # fmt: skip
MAMBA = {"vocab_size": WORDS, "hidden_size": 16, "state_size": 4, "num_hidden_layers": LAYERS, "conv_kernel": 3}


def last_logits(found: Any) -> Tensor:
    """Which word comes next."""
    return found.logits[:, -1]


def class_logits(found: Any) -> Tensor:
    """The classes of a sequence."""
    return found.logits


def built(kind: str, head: str, sizes: Mapping[str, Any], **options: Any):
    """A model with random weights: its config class, the class with the given head, and the sizes."""
    config = getattr(transformers, f"{kind}Config")(**{**sizes, **options}, use_cache=False)
    return settled(getattr(transformers, f"{kind}{head}")(config))


def decoder(kind: str, sizes: Mapping[str, Any], masked: bool = True, **options: Any) -> Example:
    """A causal language model; the logits of the next word are explained."""
    model = built(kind, options.pop("head", "ForCausalLM"), sizes, **options)
    inputs = {"input_ids": token_ids()} | ({"attention_mask": mask()} if masked else {})
    return Example(model, inputs, last_logits)


def encoder(kind: str, sizes: Mapping[str, Any] = SIZES, masked: bool = True, **options: Any) -> Example:
    """A classifier of sequences."""
    model = built(kind, "ForSequenceClassification", sizes, num_labels=3, **options)
    inputs = {"input_ids": token_ids()} | ({"attention_mask": mask()} if masked else {})
    return Example(model, inputs, class_logits)


def both(kind: str, sizes: Mapping[str, Any], head: str = "ForConditionalGeneration", **options: Any) -> Example:
    """An encoder–decoder; the logits of the next target word are explained."""
    model = built(kind, head, sizes, **options)
    inputs = {"input_ids": token_ids(), "attention_mask": mask(), "decoder_input_ids": token_ids(4)}
    return Example(model, inputs, last_logits)


def embedded(kind: str, sizes: Mapping[str, Any] = SIZES, **options: Any) -> Example:
    """An encoder's mean hidden state, on ids without a mask: a sentence embedding."""
    return Example(built(kind, "Model", sizes, **options), token_ids(), lambda found: found.last_hidden_state.mean(1))


EAGER = {"attn_implementation": "eager"}
DISTIL = {"vocab_size": WORDS, "dim": WIDTH, "n_heads": HEADS, "n_layers": LAYERS, "hidden_dim": INNER}
ENCODERS: dict[str, Callable[[], Example]] = {
    "bert": partial(encoder, "Bert"),
    "bert_eager": partial(encoder, "Bert", **EAGER),
    "bert_without_mask": partial(encoder, "Bert", masked=False),
    "bert_embedding": partial(embedded, "Bert"),
    "roberta": partial(encoder, "Roberta"),
    "xlm_roberta": partial(encoder, "XLMRoberta"),
    "camembert": partial(encoder, "Camembert"),
    "distilbert": partial(encoder, "DistilBert", DISTIL | {"max_position_embeddings": PLACES, "pad_token_id": 0}),
    "albert": partial(encoder, "Albert", SIZES | {"embedding_size": 16}),
    "electra": partial(encoder, "Electra", SIZES | {"embedding_size": 16}),
    "deberta": partial(encoder, "Deberta", SIZES | {"relative_attention": True, "pos_att_type": ["c2p", "p2c"]}),
    "deberta_v2": partial(encoder, "DebertaV2", SIZES | {"relative_attention": True, "pos_att_type": ["c2p", "p2c"]}),
    "mpnet": partial(encoder, "MPNet", SIZES),
    "modernbert": partial(encoder, "ModernBert", SIZES | {"cls_token_id": 1, "sep_token_id": 2}, masked=False),
    "funnel": partial(
        encoder, "Funnel", {"vocab_size": WORDS, "block_sizes": [1, 1], "d_model": WIDTH, "n_head": HEADS, "d_head": 8,
                            "d_inner": INNER}
    ),
    "fnet": partial(encoder, "FNet", {k: v for k, v in SIZES.items() if k != "num_attention_heads"}, masked=False),
    "xlnet": partial(
        encoder, "XLNet", {"vocab_size": WORDS, "d_model": WIDTH, "n_layer": LAYERS, "n_head": HEADS, "d_inner": INNER}
    ),
    "squeezebert": partial(encoder, "SqueezeBert", SIZES | {"embedding_size": WIDTH}),
}  # fmt: skip
DECODERS: dict[str, Callable[[], Example]] = {
    "gpt2": partial(decoder, "GPT2", TINY_GPT2, head="LMHeadModel"),
    "gpt2_eager": partial(decoder, "GPT2", TINY_GPT2, head="LMHeadModel", **EAGER),
    "gpt2_without_mask": partial(decoder, "GPT2", TINY_GPT2, masked=False, head="LMHeadModel"),
    "gpt_neo": partial(
        decoder, "GPTNeo", {"vocab_size": WORDS, "hidden_size": WIDTH, "num_layers": 2, "num_heads": HEADS,
                            "attention_types": [[["global", "local"], 1]], "max_position_embeddings": PLACES}
    ),
    "gpt_neox": partial(decoder, "GPTNeoX", SIZES),
    "gptj": partial(decoder, "GPTJ", TINY_GPT2 | {"rotary_dim": 4}),
    "opt": partial(decoder, "OPT", {**SIZES, "ffn_dim": INNER, "word_embed_proj_dim": WIDTH}),
    "bloom": partial(decoder, "Bloom", {"vocab_size": WORDS, "hidden_size": WIDTH, "n_layer": LAYERS, "n_head": HEADS}),
    "mpt": partial(decoder, "Mpt", {"vocab_size": WORDS, "d_model": WIDTH, "n_heads": HEADS, "n_layers": LAYERS}),
    "falcon": partial(decoder, "Falcon", SIZES),
    "llama": partial(decoder, "Llama", GROUPED),
    "llama_eager": partial(decoder, "Llama", GROUPED, **EAGER),
    "llama_without_mask": partial(decoder, "Llama", GROUPED, masked=False),
    "mistral": partial(decoder, "Mistral", GROUPED | {"sliding_window": 4}),
    "qwen2": partial(decoder, "Qwen2", GROUPED),
    "qwen3": partial(decoder, "Qwen3", GROUPED),
    "gemma": partial(decoder, "Gemma", GROUPED),
    "gemma2": partial(decoder, "Gemma2", GROUPED),
    "phi": partial(decoder, "Phi", SIZES),
    "phi3": partial(decoder, "Phi3", GROUPED),
    "stablelm": partial(decoder, "StableLm", SIZES | {"num_key_value_heads": 4}),
    "olmo2": partial(decoder, "Olmo2", GROUPED),
    "cohere": partial(decoder, "Cohere", GROUPED),
    "starcoder2": partial(decoder, "Starcoder2", GROUPED),
    "smollm3": partial(decoder, "SmolLM3", GROUPED),
    "granite": partial(decoder, "Granite", GROUPED),
    "mixtral": partial(decoder, "Mixtral", EXPERTS),
    "qwen2_moe": partial(
        decoder, "Qwen2Moe", GROUPED | BATCHED_EXPERTS | {"num_experts": 4, "num_experts_per_tok": 2,
                                                        "moe_intermediate_size": 16, "shared_expert_intermediate_size": 16}
    ),
    "mamba": partial(decoder, "Mamba", MAMBA, masked=False),
}  # fmt: skip
BOTH: dict[str, Callable[[], Example]] = {
    "t5": partial(both, "T5", T5),
    "t5_gated": partial(both, "T5", T5, feed_forward_proj="gated-gelu"),
    "t5_encoder": lambda: Example(
        built("T5", "EncoderModel", T5), {"input_ids": token_ids(), "attention_mask": mask()},
        lambda found: found.last_hidden_state[:, 0],
    ),
    "bart": partial(both, "Bart", BART),
    "marian": partial(both, "Marian", BART, "MTModel"),
    "pegasus": partial(both, "Pegasus", BART),
}  # fmt: skip

NAMED = {f"transformers.{name}": make for name, make in {**ENCODERS, **DECODERS, **BOTH}.items()}
ARCHITECTURES = listed("transformers, language", NAMED)
