"""Tiny random models of ``transformers`` (BERT, GPT-2, LLaMA, ViT) against autograd with the papers' derivatives."""

from functools import cache

import pytest
import torch
from torch import Tensor, nn

import dtd
from tests.gradients import Rules, gradient_times_input
from tests.tiny_transformers import MAKERS, Looked, made

EXACT = {torch.double: 1e-8, torch.float: 1e-4}
TEXTS = [name for name in MAKERS if name != "vit"]
IMPLEMENTATIONS = ("eager", "sdpa")
LENGTHS = (6, 4, 2)
HELD = Rules(attention_held=True)
PRESETS = {
    "attnlrp": (dtd.presets.attnlrp(epsilon=0), Rules()),
    "cp_lrp": (dtd.presets.cp_lrp(epsilon=0), HELD),
    "transformers_2022": (dtd.presets.transformers_2022(), HELD),
}


def inputs_of(name: str, dtype: torch.dtype = torch.double) -> dict[str, Tensor]:
    """Pictures, or tokens of three lengths with their mask."""
    generator = torch.Generator().manual_seed(3)
    if name == "vit":
        return {"pixel_values": torch.randn(3, 3, 8, 8, generator=generator, dtype=dtype)}
    mask = torch.arange(6)[None] < torch.tensor(LENGTHS)[:, None]
    return {"input_ids": torch.randint(0, 30, (3, 6), generator=generator) * mask, "attention_mask": mask.long()}


def explained_of(name: str):
    """The logit of class 1, of next-token models after each sample's own last token."""
    if name in ("vit", "bert"):
        return lambda y: y[:, 1]
    return lambda y: y[torch.arange(len(LENGTHS)), torch.tensor(LENGTHS) - 1, 1]


def target_of(name: str, lengths=LENGTHS):
    if name in ("vit", "bert"):
        return 1
    ends = torch.tensor(lengths) - 1

    def at_the_end(y: Tensor) -> Tensor:
        chosen = torch.zeros_like(y)
        rows = torch.arange(len(y))
        chosen[rows, ends, 1] = y[rows, ends, 1]
        return chosen

    return at_the_end


@cache
def traced(name: str, implementation: str):
    """LLaMA's eager attention takes its softmax in float32, whatever the model's dtype, and is held to that."""
    model = made(name, implementation, torch.float if (name, implementation) == ("llama", "eager") else torch.double)
    return model, dtd.trace(model, inputs_of(name), output="logits")


def relevance_of(out) -> Tensor:
    return out.relevance if isinstance(out.relevance, Tensor) else next(iter(out.relevance.values()))


def by_autograd(name: str, model: nn.Module, rules: Rules) -> Tensor:
    inputs = inputs_of(name)
    if name == "vit":
        return gradient_times_input(Looked(model, None), inputs["pixel_values"], explained_of(name), rules)
    vectors = model.get_input_embeddings()(inputs["input_ids"])
    return gradient_times_input(Looked(model, inputs["attention_mask"]), vectors, explained_of(name), rules)


def distance(found: Tensor, expected: Tensor) -> float:
    """The largest difference, against the largest relevance."""
    assert expected.abs().max() > 0 and found.isfinite().all()
    return float((found - expected).abs().max() / expected.abs().max())


@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
@pytest.mark.parametrize("name", MAKERS)
def test_presets_are_gradient_times_input_with_the_papers_derivatives(name, implementation):
    model, network = traced(name, implementation)
    for plan, rules in PRESETS.values():
        expected = by_autograd(name, model, rules)
        for fast in (True, False):
            out = dtd.explain(network, inputs_of(name), target_of(name), plan, fast=fast)
            assert distance(relevance_of(out), expected) < EXACT[expected.dtype]


@pytest.mark.parametrize("name", MAKERS)
def test_a_broken_oracle_is_seen(name):
    model, network = traced(name, "sdpa")
    found = relevance_of(dtd.explain(network, inputs_of(name), target_of(name), PRESETS["attnlrp"][0]))
    broken = [Rules(half=1.0), Rules(scale_held=False), HELD]
    broken += [] if name == "vit" else [Rules(masked=False)]
    broken += [] if name == "llama" else [Rules(norm_bias=False)]
    for rules in broken:
        assert distance(by_autograd(name, model, rules), found) > 1e-3, rules


@pytest.mark.parametrize("name", TEXTS)
def test_a_padded_sample_is_explained_as_if_it_were_alone(name):
    network = traced(name, "sdpa")[1]
    for plan in (dtd.presets.attnlrp(), dtd.presets.attnlrp(gamma=0.25)):
        together = relevance_of(dtd.explain(network, inputs_of(name), target_of(name), plan))
        for row, length in enumerate(LENGTHS):
            inputs = {key: value[row : row + 1, :length] for key, value in inputs_of(name).items()}
            alone = relevance_of(dtd.explain(network, inputs, target_of(name, (length,)), plan))
            assert distance(together[row : row + 1, :length], alone) < EXACT[torch.double]
            assert together[row, length:].abs().sum() == 0


@pytest.mark.parametrize("name", MAKERS)
def test_balances_close_in_every_layer(name):
    network = traced(name, "sdpa")[1]
    for plan in (*(plan for plan, _ in PRESETS.values()), dtd.presets.attnlrp(gamma=0.25, norm="identity")):
        out = dtd.explain(network, inputs_of(name), target_of(name), plan)
        for layer, record in out.layers.items():
            b = record.balance
            terms = b.relevance.abs() + b.first.abs() + b.bias.abs() + b.zeroth.abs() + record.magnitude
            assert (b.gap.abs() <= 1e-10 * terms).all(), layer
        kept = sum(r.balance.bias + r.balance.zeroth + r.balance.remainder for r in out.layers.values())
        arrived = relevance_of(out).flatten(1).sum(1)
        scale = max(float(r.magnitude.max()) for r in out.layers.values())
        assert (arrived + kept - out.initial.flatten(1).sum(1)).abs().max() < 1e-10 * scale
