"""Tiny random models of ``transformers`` in float64; tests that ask for one are skipped where the package is missing."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from experiments.machine import vision

SIZES = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 24}
WORDS = {"vocab_size": 30, "max_position_embeddings": 16}
GPT2 = {"n_embd": 16, "n_layer": 2, "n_head": 2, "vocab_size": 30, "n_positions": 16, "bos_token_id": 0, "eos_token_id": 0}


class RootMeanSquare(nn.Module):
    """LLaMA's norm in the model's own dtype; the package's computes in float32, whatever the model's."""

    def __init__(self, gain: Tensor, epsilon: float):
        super().__init__()
        self.weight, self.epsilon = nn.Parameter(gain), epsilon

    def forward(self, x: Tensor) -> Tensor:
        return self.weight * (x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + self.epsilon))


class Looked(nn.Module):
    """A model's logits as a function of pictures, or of the vectors that its tokens look up."""

    def __init__(self, model: nn.Module, mask: Tensor | None):
        super().__init__()
        self.model, self.mask = model, mask

    def forward(self, x: Tensor) -> Tensor:
        if self.mask is None:
            return self.model(pixel_values=x).logits
        return self.model(inputs_embeds=x, attention_mask=self.mask).logits


def bert(package, how: str) -> nn.Module:
    return package.BertForSequenceClassification(package.BertConfig(num_labels=3, attn_implementation=how, **SIZES, **WORDS))


def gpt2(package, how: str, activation: str = "gelu_pytorch_tanh") -> nn.Module:
    config = package.GPT2Config(activation_function=activation, attn_implementation=how, **GPT2)
    return package.GPT2LMHeadModel(config)


def llama(package, how: str) -> nn.Module:
    """Two query heads share one key, as in LLaMA 3."""
    config = package.LlamaConfig(num_key_value_heads=1, attn_implementation=how, **SIZES, **WORDS)
    return package.LlamaForCausalLM(config)


def vit(package, how: str) -> nn.Module:
    return package.ViTForImageClassification(
        package.ViTConfig(image_size=8, patch_size=4, num_labels=3, attn_implementation=how, **SIZES)
    )


MAKERS: dict[str, Callable[..., nn.Module]] = {"bert": bert, "gpt2": gpt2, "llama": llama, "vit": vit}


def made(name: str, implementation: str, dtype: torch.dtype = torch.double, own_norms: bool = False, **options) -> nn.Module:
    """A model in evaluation mode whose parameters, biases and gains of norms included, are random.

    LLaMA's norms are replaced by :class:`RootMeanSquare`, unless the package's ``own_norms`` are asked for.
    """
    assert vision.OPERATORS  # transformers imports torchvision where it is installed
    package = pytest.importorskip("transformers")
    torch.manual_seed(0)
    model = MAKERS[name](package, implementation, **options).to(dtype).eval()
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for p in model.parameters():
            p.add_(0.1 * torch.randn(p.shape, generator=generator, dtype=p.dtype))
    for path, module in list(model.named_modules()):
        if type(module).__name__ == "LlamaRMSNorm" and not own_norms:
            model.set_submodule(path, RootMeanSquare(module.weight.detach(), module.variance_epsilon))
    return model
