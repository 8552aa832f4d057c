"""What a trace once dropped or refused: values that take only a dtype from an activation, sizes computed of constants,
masks that torch looks at, composed ops, objects that look new at each look."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

import dtd
from dtd.network.frozen import frozen
from tests.dtd.test_experts import Called
from tests.dtd.test_traces import made, own, rand

EXACT = {"rtol": 1e-9, "atol": 1e-12}
MASK = torch.tensor([[1, 1, 1], [1, 0, 1], [0, 1, 1]])


def written(x, mask):
    y = x.clone()
    y[:, :2] = mask[:, :2].double()
    return y * x


SIDE = {  # functions of x and a mask that one sample's mask would give otherwise
    "type_as": lambda x, mask: x * mask.type_as(x),
    "type_as of what is computed": lambda x, mask: x / (mask * 2 + 1).type_as(x),
    "written over": written,
}


@pytest.mark.parametrize("name", SIDE)
def test_a_side_value_that_takes_its_dtype_from_an_activation_differs_between_samples(name):
    x = rand(3, 3)
    network = dtd.trace(Called(SIDE[name]).eval(), (x, MASK))
    torch.testing.assert_close(own(network, (x, MASK)), SIDE[name](x, MASK), **EXACT)
    assert (own(network, (x, MASK)) - own(network, (x, torch.ones_like(MASK)))).abs().sum(1).gt(0).tolist() == [
        False,
        True,
        True,
    ]


class Window(nn.Module):
    """As many rows of a table as the input is long, four at most: a size that is computed of a tensor."""

    def __init__(self):
        super().__init__()
        self.table = nn.Parameter(rand(8, 3, seed=2))

    def forward(self, x):
        count = torch.scalar_tensor(min(x.shape[1], 4)).long()
        rows = self.table[count - count : count]
        return (x @ rows.mT).relu().sum((1, 2))[:, None]


def test_sizes_that_are_computed_of_constants():
    model = Window()
    network = dtd.trace(model, {"x": rand(2, 3, 3)}, dynamic={"x": {1: "length"}})
    for length in (3, 2, 4, 6):
        x = rand(2, length, 3, seed=length).requires_grad_()
        (gradient,) = torch.autograd.grad(model(x).sum(), x)
        out = dtd.explain(network, {"x": x.detach()}, 0, dtd.Plan.uniform("lrp0", "neuron"))
        torch.testing.assert_close(out.output, model(x).detach(), **EXACT)
        torch.testing.assert_close(out.relevance["x"], (x * gradient).detach(), **EXACT)


class Causal(nn.Module):
    """torch's whole transformer, under the mask that it makes."""

    def __init__(self):
        super().__init__()
        self.inner = nn.Transformer(8, 2, 1, 1, 16, batch_first=True)

    def forward(self, x, y):
        mask = nn.Transformer.generate_square_subsequent_mask(y.shape[1], dtype=x.dtype)
        return self.inner(x, y, tgt_mask=mask)[:, 0]


def test_torchs_transformer_with_a_mask_that_it_would_look_at():
    model, inputs = made(Causal()), {"x": rand(2, 4, 8), "y": rand(2, 3, 8, seed=1)}
    looks = nn.modules.transformer._detect_is_causal_mask
    network = dtd.trace(model, inputs)
    assert nn.modules.transformer._detect_is_causal_mask is looks
    out = dtd.explain(network, inputs, 1)
    torch.testing.assert_close(out.output, model(**inputs).detach(), **EXACT)
    assert not out.relevance["y"][:, 1:].any()  # the first place sees itself alone
    assert out.relevance["y"][:, 0].abs().sum() > 0


TABLE = rand(3, 4, 2, seed=7)
COMPOSED = {
    "cosine_similarity": lambda x: F.cosine_similarity(x[:, :2], x[:, 1:], dim=2),
    "matrix_norm": lambda x: torch.linalg.matrix_norm(x)[:, None],
    "normalize": lambda x: F.normalize(x, dim=2),
    "pairwise_distance": lambda x: F.pairwise_distance(x[:, :2], x[:, 1:]),
    "logsumexp": lambda x: x.logsumexp(2),
    "tensordot": lambda x: torch.tensordot(x, TABLE, 2),
    "outer": lambda x: torch.einsum("bi,bj->bij", x[:, 0], x[:, 1]),
}


@pytest.mark.parametrize("name", COMPOSED)
def test_ops_that_torch_writes_as_others(name):
    x = rand(2, 3, 4)
    network = dtd.trace(Called(COMPOSED[name]).eval(), x)
    torch.testing.assert_close(own(network, x), COMPOSED[name](x), **EXACT)
    out = dtd.explain(network, x, lambda y: y)
    assert out.relevance.isfinite().all()


class Annotated:
    """An attribute whose class has names of types as values: their ``__dict__`` is another object at each look."""

    def __init__(self):
        self.kinds = [list[int], dict[str, int]]


def test_names_of_types_are_the_same_at_each_look():
    value = Annotated()
    assert (frozen(value),) == (frozen(value),)
    before = frozen(value)
    value.kinds.append(tuple[int])
    assert (frozen(value),) != (before,)


def test_an_axis_of_length_one_cannot_be_dynamic_and_the_error_says_what_to_do():
    model = Called(lambda x: x.cumsum(1).sum(1)).eval()
    with pytest.raises(dtd.TraceError, match="always 1.*at least 2 long"):
        dtd.trace(model, rand(2, 1, 3), dynamic={"input": {1: "t"}})


class Counted(nn.Module):
    """A model whose Python code counts the words of the example, which a trace keeps as a number."""

    def forward(self, x):
        count = x.shape[1] if not torch.compiler.is_compiling() else 4
        return x.sum(1) / count


class Bounded(nn.Module):
    """As many positions as the example has: one word more and the model fails itself."""

    def __init__(self):
        super().__init__()
        self.positions = nn.Embedding(4, 3).double()

    def forward(self, x):
        return (x * self.positions(torch.arange(x.shape[1]))).sum(1)


def test_a_second_length_is_verified():
    with pytest.raises(dtd.TraceError, match="At another length than the example's.*not the model"):
        dtd.trace(Counted().eval(), {"x": rand(2, 4, 3)}, dynamic={"x": {1: "words"}})
    dtd.trace(Counted().eval(), {"x": rand(2, 4, 3)})  # the length is fixed there
    network = dtd.trace(Bounded().eval(), {"x": rand(2, 4, 3)}, dynamic={"x": {1: "words"}})
    assert dtd.explain(network, {"x": rand(2, 2, 3)}, 1).output.shape == (2, 3)


TRUTH = torch.tensor([[True, True, False], [False, True, True]])
IMAGES = {  # functions of x >= 0 and a mask, the mask, whether the product is known to be >= 0
    "truth values": (lambda x, mask: x.relu() * mask, TRUTH, True),
    "as numbers": (lambda x, mask: mask.to(x.dtype) * x.relu(), TRUTH, True),
    "with an axis": (lambda x, mask: (x[..., None].relu() * mask[..., None].double()).flatten(1), TRUTH, True),
    "compared": (lambda x, mask: x.relu() * (mask > 0).double(), TRUTH.long(), True),
    "any integers": (lambda x, mask: x.relu() * mask, TRUTH.long(), False),
    "computed further": (lambda x, mask: x.relu() * (mask.double() - 0.5), TRUTH, False),
    "divided": (lambda x, mask: x.relu() / (mask.double() - 0.5), TRUTH, False),
    "of either sign": (lambda x, mask: x * mask, TRUTH, False),
}


@pytest.mark.parametrize("name", IMAGES)
def test_what_a_mask_of_truth_values_leaves_is_not_negative(name):
    function, mask, known = IMAGES[name]
    x = rand(2, 3) - 0.5
    network = dtd.trace(Called(function).eval(), (x, mask))
    layer = next(layer for layer in network.layers if layer.kind == "scale" and layer.sides)
    assert layer.image.nonnegative == known
    for other in (mask, ~mask if mask.dtype == torch.bool else 1 - mask):
        torch.testing.assert_close(own(network, (x, other)), function(x, other), **EXACT)


def test_pixels_under_a_mask_stay_in_their_box():
    x = rand(2, 3)
    network = dtd.trace(Called(lambda x, mask: x * mask).eval(), (x, TRUTH), domain=dtd.Box(0.2, 1.0))
    assert network.layers[-1].image.bounds() == (0.0, 1.0)
