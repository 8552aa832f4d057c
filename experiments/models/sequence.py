"""Transformers and recurrent networks with random weights, on the vectors of their words: what costs are measured on."""

from collections.abc import Callable, Mapping
from importlib import import_module
from importlib.util import find_spec

import torch
from torch import Tensor, nn

from dtd.domain import Real
from experiments.configs.base import ConfigError, require
from experiments.configs.sequences import SequenceConfig, Sequences
from experiments.data import Data
from experiments.machine.conditions import seeded
from experiments.models.base import Subject
from experiments.models.pretrained import library

CLASSES = 10  # of the networks that classify
SAMPLES = 8


class OnVectors(nn.Module):
    """A model of transformers as a function of its words' vectors: the logits at the last place, or a head on the first."""

    def __init__(self, model: nn.Module, head: nn.Module | None = None):
        super().__init__()
        self.model, self.head = model, head

    def forward(self, x: Tensor) -> Tensor:
        found = self.model(inputs_embeds=x)
        return found.logits[:, -1] if self.head is None else self.head(found.last_hidden_state[:, 0])


class Recurrent(nn.Module):
    """An LSTM with 128 units and a dense layer on its last state."""

    def __init__(self, layers: int):
        super().__init__()
        self.lstm, self.head = nn.LSTM(64, 128, layers, batch_first=True), nn.Linear(128, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.lstm(x)[0][:, -1])


def vit_b_16(tokens: int, layers: int | None) -> tuple[nn.Module, Tensor]:
    """torchvision's ViT-B/16; its number of tokens is that of an image's patches."""
    import_module("experiments.machine.vision")
    kind = import_module("torchvision.models.vision_transformer").VisionTransformer
    model = kind(224, 16, layers or 12, 12, 768, 3072)
    nn.init.normal_(model.heads[0].weight, std=0.02)  # torchvision starts with zeros
    return model, torch.rand(SAMPLES, 3, 224, 224)


def bert_base(tokens: int, layers: int | None) -> tuple[nn.Module, Tensor]:
    """BERT-base with a dense layer on the first token."""
    transformers = library()
    config = transformers.BertConfig(num_hidden_layers=layers or 12, max_position_embeddings=max(512, tokens))
    model = OnVectors(transformers.BertModel(config, add_pooling_layer=False), nn.Linear(config.hidden_size, CLASSES))
    return model, torch.randn(SAMPLES, tokens, config.hidden_size)


def gpt2(tokens: int, layers: int | None) -> tuple[nn.Module, Tensor]:
    """GPT-2, the small one."""
    transformers = library()
    config = transformers.GPT2Config(n_layer=layers or 12, n_positions=max(1024, tokens), use_cache=False)
    return OnVectors(transformers.GPT2LMHeadModel(config)), torch.randn(SAMPLES, tokens, config.n_embd)


def smollm2_135m(tokens: int, layers: int | None) -> tuple[nn.Module, Tensor]:
    """A LLaMA in the size of SmolLM2-135M."""
    transformers = library()
    sizes = dict(vocab_size=49152, hidden_size=576, intermediate_size=1536, max_position_embeddings=max(2048, tokens))
    heads = dict(num_attention_heads=9, num_key_value_heads=3, tie_word_embeddings=True, use_cache=False)
    config = transformers.LlamaConfig(num_hidden_layers=layers or 30, **sizes, **heads)
    return OnVectors(transformers.LlamaForCausalLM(config)), torch.randn(SAMPLES, tokens, config.hidden_size)


def lstm(tokens: int, layers: int | None) -> tuple[nn.Module, Tensor]:
    """An LSTM."""
    return Recurrent(layers or 1), torch.randn(SAMPLES, tokens, 64)


MAKERS: Mapping[Sequences, Callable[[int, int | None], tuple[nn.Module, Tensor]]] = {
    Sequences.vit_b_16: vit_b_16,
    Sequences.bert_base: bert_base,
    Sequences.gpt2: gpt2,
    Sequences.smollm2_135m: smollm2_135m,
    Sequences.lstm: lstm,
}
EXTRAS = {Sequences.vit_b_16: ("torchvision", "architectures"), Sequences.lstm: ("torch", "experiments")}


def check(config: SequenceConfig, key: str) -> None:
    """Raises :class:`ConfigError` for sizes that there cannot be, and without the library."""
    require(config.tokens >= 2, f"{key}.tokens", "at least 2", config.tokens)
    require(config.layers is None or config.layers >= 1, f"{key}.layers", "at least 1", config.layers)
    package, extra = EXTRAS.get(config.architecture, ("transformers", "transformers"))
    if find_spec(package) is None:
        name = config.architecture.value
        raise ConfigError(
            f"'{key}.architecture={name}' needs {package}, which is not installed: pip install 'dtd[{extra}]'."
        )


def subject(config: SequenceConfig, data: Data) -> Subject:
    """The network; the data set is not used."""
    with seeded(config.seed):
        model, x = MAKERS[config.architecture](config.tokens, config.layers)
    return Subject(model.eval(), Real(), x, x, None)
