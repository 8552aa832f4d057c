"""Patches of hidden layers: what they do against hooks on the model itself, estimates against gradients written by hand."""

import pytest
import torch
from torch import nn

import dtd
from tests.models import randomised
from tests.transformers_by_hand import Llama, Transformer

PLAN = dtd.presets.transformers_2022()
PARTS = ("blocks.0.out", "blocks.0.down", "blocks.1.out", "blocks.1.down")


class Surrogate(Llama):
    """The same function, whose gradient is the coefficient of relevance under the rules of Ali 2022.

    Scales of norms and attention weights are constants, SiLU is a factor, and each side of a product counts half.
    """

    def norm(self, x, k):
        return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-6).detach() * self.gains[k]

    def forward(self, x, mask=None):
        h = self.norm(x, 0)
        q, k, v = (part(h).unflatten(-1, (-1, self.size)).transpose(1, 2) for part in (self.query, self.key, self.value))
        k, v = (part.repeat_interleave(self.heads, 1) for part in (self.turned(k), v))
        scores = torch.matmul(self.turned(q), k.transpose(2, 3)) / self.size**0.5
        later = torch.ones(x.shape[1], x.shape[1], dtype=torch.bool).triu(1)
        weights = torch.softmax(scores.masked_fill(later, -torch.inf), -1).detach()
        x = x + self.out(torch.matmul(weights, v).transpose(1, 2).flatten(2))
        h = self.norm(x, 1)
        gate, up = self.gate(h), self.up(h)
        gate = gate * (nn.functional.silu(gate) / gate).detach()
        return x + self.down((gate * up.detach() + gate.detach() * up) / 2)


def transformer(block=Llama) -> nn.Module:
    return randomised(Transformer(block(8, 2), block(8, 2))).double().eval()


def inputs() -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(3)
    x, y = (torch.randn(2, 5, 8, generator=generator, dtype=torch.double) for _ in range(2))
    y[:, :2] = x[:, :2]  # the first two tokens are the same
    return x, y


def outputs(model, x) -> dict[str, torch.Tensor]:
    """What the modules return, with gradients of theirs."""
    found, hooks = {}, []
    for name in PARTS:
        module = model.get_submodule(name)
        hooks.append(module.register_forward_hook(lambda _, __, y, name=name: found.__setitem__(name, y)))
    found["model"] = model(x)
    for hook in hooks:
        hook.remove()
    return found


def patched(model, x, name, moved, place) -> torch.Tensor:
    """The model's output where a module's output is another one's at one token."""

    def replaced(module, given, y):
        y = y.clone()
        y[:, place] = moved[:, place]
        return y

    hook = model.get_submodule(name).register_forward_hook(replaced)
    try:
        return model(x)
    finally:
        hook.remove()


@pytest.fixture(scope="module")
def found():
    x, y = inputs()
    model = transformer()
    return dtd.patching(dtd.trace(model, x), x, y, torch.tensor([2, 0]), PLAN, at=PARTS), model


@pytest.mark.parametrize("name", PARTS)
def test_effects_are_those_of_hooks_on_the_model(found, name):
    scores, model = found
    x, y = inputs()
    with torch.no_grad():
        moved, whole, target = outputs(model, y)[name], model(x), torch.tensor([2, 0])[:, None]
        wanted = [(patched(model, x, name, moved, place) - whole).gather(1, target)[:, 0] for place in range(5)]
        every = (patched(model, x, name, moved, slice(None)) - whole).gather(1, target)[:, 0]
    effect = scores.effect(name, axis=0)
    torch.testing.assert_close(effect, torch.stack(wanted, 1))
    torch.testing.assert_close(scores.effect(name, axis=-2), effect)
    torch.testing.assert_close(scores.effect(name), every)
    assert not effect[:, :2].any() and effect[:, 2:].abs().min() > 0  # a causal model


@pytest.mark.parametrize("name", PARTS)
@pytest.mark.parametrize("way", ["gradient", "relevance"])
def test_estimates_are_gradients_of_the_model_and_of_its_surrogate(found, name, way):
    scores, model = found
    x, y = inputs()
    written = model if way == "gradient" else transformer(Surrogate)
    written.load_state_dict(model.state_dict())
    here, there = outputs(written, x.clone().requires_grad_()), outputs(written, y)
    torch.testing.assert_close(here["model"], model(x))
    (slope,) = torch.autograd.grad(here["model"].gather(1, torch.tensor([[2], [0]])).sum(), here[name])
    wanted = (slope * (there[name] - here[name])).detach()
    estimate = getattr(scores, way)
    torch.testing.assert_close(estimate(name, axis=0), wanted.sum(2))
    torch.testing.assert_close(estimate(name, axis=1), wanted.sum(1))
    torch.testing.assert_close(estimate(name), wanted.sum((1, 2)))


def test_the_two_estimates_differ_and_a_table_has_all(found):
    scores, _ = found
    table = scores.table(axis=0)
    assert len(table) == len(PARTS) * 2 * 5 and list(table.layer.unique()) == list(PARTS)
    one = table[(table.layer == PARTS[1]) & (table["sample"] == 1) & (table.patch == 3)].iloc[0]
    for name in ("relevance", "gradient", "effect"):
        assert one[name] == pytest.approx(float(getattr(scores, name)(PARTS[1], axis=0)[1, 3]))
    assert abs(one.relevance - one.gradient) > 1e-3
    assert len(scores.table()) == len(PARTS) * 2


def test_batches_of_any_size_say_the_same(found):
    scores, model = found
    x, y = inputs()
    network = dtd.trace(model, x)
    for at_once in (1, 3):
        again = dtd.patching(network, x, y, torch.tensor([2, 0]), PLAN, at=PARTS[:1], at_once=at_once)
        torch.testing.assert_close(again.effect(PARTS[0], 0), scores.effect(PARTS[0], 0))
    alone = dtd.patching(network, x[1:], y[1:], 0, PLAN, at=[PARTS[0]])
    for name in ("relevance", "gradient", "effect"):
        torch.testing.assert_close(getattr(alone, name)(PARTS[0], 0), getattr(scores, name)(PARTS[0], 0)[1:])
    none = dtd.patching(network, x[:0], y[:0], 0, PLAN, at=[PARTS[0]])
    assert none.effect(PARTS[0], 0).shape == none.gradient(PARTS[0], 0).shape == (0, 5)


def test_contrasts_and_hidden_units_are_explained_too():
    x, y = inputs()
    model = transformer()
    network = dtd.trace(model, x)
    with torch.no_grad():
        moved, whole = outputs(model, y)[PARTS[0]], model(x)
        change = patched(model, x, PARTS[0], moved, slice(None)) - whole
        unit = outputs_after(model, x, moved) - outputs(model, x)[PARTS[1]]
    found = dtd.patching(network, x, y, dtd.Difference(0, 2), PLAN, at=["*.out"])
    torch.testing.assert_close(found.effect(PARTS[0]), change[:, 0] - change[:, 2])
    found = dtd.patching(network, x, y, dtd.Unit(PARTS[1], index=(4, 3)), PLAN, at=[PARTS[0]])
    torch.testing.assert_close(found.effect(PARTS[0]), unit[:, 4, 3])
    with pytest.raises(dtd.InputError, match="'blocks.1.out' is not below the unit that is explained"):
        dtd.patching(network, x, y, dtd.Unit(PARTS[1], index=(4, 3)), PLAN, at=["blocks.1.out"])


def outputs_after(model, x, moved) -> torch.Tensor:
    """What the first block's MLP returns where its attention's output is replaced."""
    hook = model.get_submodule(PARTS[0]).register_forward_hook(lambda *_: moved)
    try:
        return outputs(model, x)[PARTS[1]]
    finally:
        hook.remove()


def test_in_a_linear_network_all_three_are_the_same_and_zeros_have_no_coefficient():
    generator = torch.Generator().manual_seed(0)
    model = randomised(nn.Sequential(nn.Linear(4, 3), nn.Linear(3, 2))).double()
    x, y = (torch.randn(3, 4, generator=generator, dtype=torch.double) for _ in range(2))
    found = dtd.patching(dtd.trace(model, x), x, y, 1, dtd.Plan.uniform("lrp0", bias="neuron"), at=["0"])
    for score in (found.relevance, found.gradient):
        torch.testing.assert_close(score("0", axis=0), found.effect("0", axis=0))
    rectified = dtd.trace(nn.Sequential(nn.ReLU(), nn.Linear(2, 1, bias=False)).double(), x[:, :2])
    off, on = torch.tensor([[-1.0, 1.0]]).double(), torch.tensor([[1.0, 2.0]]).double()
    found = dtd.patching(rectified, off, on, 0, dtd.Plan.uniform("lrp0"), at=["0"])
    assert found.relevance("0", axis=0)[0, 0] == 0 != found.effect("0", axis=0)[0, 0]


def test_what_does_not_fit_is_refused(found):
    scores, model = found
    x, y = inputs()
    network = dtd.trace(model, x)
    for message, arguments in (
        ("must have the same shapes; found", (x, y[:1], 0, PLAN, [PARTS[0]])),
        ("found initial relevance as numbers", (x, y, torch.ones(2, 3).double(), PLAN, [PARTS[0]])),
        ("The network has no layer 'nowhere'. The layers are", (x, y, 0, PLAN, ["nowhere"])),
        ("'at' must be layers, at least one", (x, y, 0, PLAN, [])),
    ):
        with pytest.raises(dtd.InputError, match=message):
            dtd.patching(network, *arguments[:4], at=arguments[4])
    with pytest.raises(dtd.InputError, match="'at_once' must be a positive integer; found 0"):
        dtd.patching(network, x, y, 0, PLAN, at=[PARTS[0]], at_once=0)
    with pytest.raises(dtd.InputError, match="'layer' must be one of the layers that were asked for \\(blocks.0.out"):
        scores.effect("head")
    with pytest.raises(dtd.InputError, match="'axis' must be None or one of the 2 axes of one sample"):
        scores.gradient(PARTS[0], axis=2)
