"""Tiny language models with random weights as files of ``transformers``: a BERT and a LLaMA over a few words."""

from pathlib import Path

import torch
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

from experiments.models.pretrained import library
from tests.experiments.reviews.files import NOUNS

SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]")
PIECES = ("good", "great", "bad", "aw", "##ful", "very", "the", "a", "is", ".", ",", "!", *NOUNS)
SIZES = {
    "hidden_size": 16, "num_attention_heads": 2, "num_hidden_layers": 2, "intermediate_size": 24,
    "max_position_embeddings": 64, "pad_token_id": 0,
}  # fmt: skip


def write(folder: Path) -> None:
    """The folders ``bert`` and ``llama``, each with a model and its tokenizer."""
    transformers = library()
    words = {word: number for number, word in enumerate((*SPECIAL, *PIECES))}
    with torch.random.fork_rng():
        torch.manual_seed(5)
        bert = transformers.BertModel(transformers.BertConfig(vocab_size=len(words), **SIZES), add_pooling_layer=False)
        llama = transformers.LlamaForCausalLM(
            transformers.LlamaConfig(vocab_size=len(words), bos_token_id=2, eos_token_id=3, num_key_value_heads=1, **SIZES)
        )
        for model in (bert, llama):
            for value in model.parameters():  # biases too, so that something is kept back
                value.data += 0.1 * torch.randn_like(value)
    for model, name in ((bert, "bert"), (llama, "llama")):
        model.save_pretrained(folder / name)
        tokenizer(transformers, words, brackets=name == "bert").save_pretrained(folder / name)


def tokenizer(transformers, words: dict[str, int], brackets: bool):
    """Word pieces in lower case; with ``brackets`` a text stands between [CLS] and [SEP]."""
    made = Tokenizer(models.WordPiece(words, unk_token="[UNK]"))
    made.normalizer = normalizers.BertNormalizer(lowercase=True)
    made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    if brackets:
        ends = [(name, words[name]) for name in ("[CLS]", "[SEP]")]
        made.post_processor = processors.TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=ends)
    names = {"pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]"}
    return transformers.PreTrainedTokenizerFast(tokenizer_object=made, **names)
