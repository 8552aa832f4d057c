"""What torch can be switched to, and tensors of every kind: right, or refused before work."""

import multiprocessing
import threading

import numpy as np
import pytest
import torch
from torch import nn

import dtd
from dtd.fast.kernels.winograd import filter_transform
from tests.dtd.faults import GAMMA, LRP0, close, cnn, images, mlp, rows


@pytest.fixture(scope="module")
def known():
    network = dtd.trace(cnn(), images())
    return network, dtd.explain(network, images(), 0, GAMMA)


def test_autocast_around_a_call_changes_nothing_inside_it():
    model, x = cnn(torch.float), images(dtype=torch.float)
    network = dtd.trace(model, x)
    expected = [dtd.explain(network, x, 0, GAMMA, fast=fast) for fast in (True, False)]
    audited, regions = dtd.audit(network, x, 0, LRP0), dtd.root_regions(network, x, 0, LRP0)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert model(x).dtype == torch.bfloat16  # it is on
        found = [dtd.explain(network, x, 0, GAMMA, fast=fast) for fast in (True, False)]
        found.append(dtd.explain(dtd.trace(cnn(torch.float), x), x, 0, GAMMA, verify=True))
        found.append(next(dtd.explain_each(network, x, [0], GAMMA)))
        found.append(dtd.explain(network, x, 0, GAMMA, memory=10**9))
        assert dtd.audit(network, x, 0, LRP0).equals(audited)
        assert dtd.root_regions(network, x, 0, LRP0).equals(regions)
        balances = found[0].layers
        assert torch.is_autocast_enabled("cpu")
    for each, of in zip(found, [expected[0], expected[1], *[expected[0]] * 3], strict=True):
        assert torch.equal(each.relevance, of.relevance) and torch.equal(each.output, of.output)
    assert torch.equal(balances["0"].balance.first, expected[0].layers["0"].balance.first)


@pytest.mark.parametrize("switch", [torch.inference_mode, torch.no_grad, torch.enable_grad])
def test_gradient_modes(known, switch):
    (network, expected), model = known, cnn()
    with switch():
        x = images()
        found = dtd.explain(network, x, 0, GAMMA)
        close(found, expected)
        assert found.layers.keys() == expected.layers.keys() and not found.relevance.requires_grad
        close(dtd.explain(dtd.trace(model, x), x, 0, GAMMA), expected)
        assert len(dtd.audit(network, x, 0, LRP0)) == len(network.layers)
    close(dtd.explain(network, images(), 0, GAMMA), expected)


def test_inputs_made_in_inference_mode_are_kept_for_the_balances(known):
    network, expected = known
    with torch.inference_mode():
        x = images()
    found = dtd.explain(network, x, 0, GAMMA)
    with torch.inference_mode():
        x.zero_()  # torch does not count this
    assert torch.equal(found.layers["0"].balance.first, expected.layers["0"].balance.first)


def test_parameters_made_in_inference_mode_are_refused_and_a_copy_is_not():
    with torch.inference_mode():
        model = cnn()
    with pytest.raises(dtd.InputError, match=r"'0.weight' of the model was made in torch.inference_mode.*clone"):
        dtd.trace(model, images())
    state = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    model.load_state_dict(state, assign=True)
    dtd.explain(dtd.trace(model, images()), images(), 0, GAMMA, verify=True)


@pytest.mark.parametrize("default", [torch.half, torch.double, torch.bfloat16])
def test_default_dtypes(known, default):
    _, expected = known
    single = nn.Sequential(nn.Conv2d(1, 64, 3, padding=1), nn.ReLU(), nn.Conv2d(64, 64, 3, padding=1)).eval()
    x = torch.rand(1, 1, 32, 32)
    plan = dtd.Plan.uniform("zplus_signed")
    model, of_single = cnn(), dtd.explain(dtd.trace(single, x), x, lambda y: y, plan)
    before = torch.get_default_dtype()
    try:
        torch.set_default_dtype(default)
        network = dtd.trace(model, images())
        close(dtd.explain(network, images(), 0, GAMMA, verify=True), expected)
        close(dtd.explain(network, images(), 0, GAMMA, fast=False), expected)
        assert float(dtd.audit(network, images(), 0, LRP0).gap.max()) < 1e-12
        assert torch.equal(dtd.explain(dtd.trace(single, x), x, lambda y: y, plan).relevance, of_single.relevance)
    finally:
        torch.set_default_dtype(before)


def test_filter_transforms_do_not_depend_on_the_default_dtype():
    before = torch.get_default_dtype()
    filter_transform.cache_clear()
    try:
        torch.set_default_dtype(torch.half)
        assert filter_transform().dtype == torch.double
    finally:
        torch.set_default_dtype(before)
        filter_transform.cache_clear()


def test_deterministic_algorithms(known):
    network, expected = known
    before = torch.are_deterministic_algorithms_enabled()
    try:
        torch.use_deterministic_algorithms(True)
        close(dtd.explain(network, images(), 0, GAMMA), expected)
        close(dtd.explain(dtd.trace(cnn(), images()), images(), 0, GAMMA), expected)
        dtd.audit(network, images(), 0, LRP0)
    finally:
        torch.use_deterministic_algorithms(before)


def test_channels_last(known):
    _, expected = known
    model, x = cnn().to(memory_format=torch.channels_last), images().to(memory_format=torch.channels_last)
    network = dtd.trace(model, x)
    for fast in (True, False):
        close(dtd.explain(network, x, 0, GAMMA, fast=fast, verify=True), expected)
    assert float(dtd.audit(network, x, 0, LRP0).gap.max()) < 1e-12


def test_a_model_moved_to_channels_last_after_the_trace(known):
    _, expected = known
    model = cnn()
    network = dtd.trace(model, images())
    model.to(memory_format=torch.channels_last)
    close(dtd.explain(network, images(), 0, GAMMA, verify=True), expected)


VIEWS = {
    "expanded": lambda x: x[:1].expand(3, -1, -1, -1),
    "one number": lambda x: x[:, :1, :1, :1].expand(3, 2, 4, 4),
    "transposed": lambda x: x.transpose(2, 3),
    "every second": lambda x: x.repeat_interleave(2, 3)[..., ::2],
    "turned": lambda x: x.flip(3),
    "parameter": lambda x: nn.Parameter(x),
    "with gradient": lambda x: x.clone().requires_grad_() * 1,
    "negative": lambda x: torch.complex(x * 0, -x).conj().imag,
}


@pytest.mark.parametrize("view", VIEWS.values(), ids=VIEWS)
@pytest.mark.parametrize("fast", [True, False])
def test_views(known, view, fast):
    network, _ = known
    x = view(images())
    plain = x.detach().resolve_neg().contiguous().clone()
    found = dtd.explain(network, x, 0, GAMMA, fast=fast)
    close(found, dtd.explain(network, plain, 0, GAMMA, fast=fast))
    assert type(found.relevance) is torch.Tensor and not found.relevance.requires_grad and found.layers
    close(dtd.explain(dtd.trace(cnn(), x), plain, 0, GAMMA), dtd.explain(network, plain, 0, GAMMA))


class Named(torch.Tensor):
    """A subclass that only wears a name."""


class Refusing(torch.Tensor):
    """A subclass that takes no part in anything."""

    @classmethod
    def __torch_function__(cls, function, types, args=(), kwargs=None):
        raise RuntimeError("never called")


@pytest.mark.parametrize("kind", [Named, Refusing])
def test_subclasses_of_tensors_are_read_as_tensors(known, kind):
    network, expected = known
    x = torch.Tensor._make_subclass(kind, images())
    found = dtd.explain(network, x, 0, GAMMA)
    close(found, expected)
    assert type(found.relevance) is type(found.output) is torch.Tensor
    close(dtd.explain(dtd.trace(cnn(), x), images(), 0, GAMMA), expected)


ODD = {
    "sparse": lambda x: x.to_sparse(),
    "meta": lambda x: x.to("meta"),
    "nested": lambda x: torch.nested.nested_tensor(list(x)),
    "quantised": lambda x: torch.quantize_per_tensor(x.float(), 0.1, 0, torch.qint8),
    "mkldnn": lambda x: x.float().to_mkldnn(),
    "masked": lambda x: torch.masked.masked_tensor(x, x > 0.5),
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("odd", ODD.values(), ids=ODD)
def test_tensors_without_their_numbers_are_refused(known, odd):
    network, _ = known
    x = odd(images())
    with pytest.raises(dtd.InputError, match="must be an ordinary dense tensor"):
        dtd.explain(network, x, 0, GAMMA)
    with pytest.raises(dtd.InputError, match="must be an ordinary dense tensor"):
        dtd.trace(cnn(), x)
    with pytest.raises(dtd.InputError, match="must be an ordinary dense tensor"):
        dtd.audit(network, x, 0, LRP0)


def test_a_sparse_input_made_dense_as_the_message_says(known):
    network, expected = known
    close(dtd.explain(network, images().to_sparse().to_dense(), 0, GAMMA), expected)


@pytest.mark.parametrize("x", [images().numpy(), images().tolist(), None, "x", np.float64(1.0)])
def test_what_is_no_tensor_is_refused(known, x):
    network, _ = known
    for ask in (lambda: dtd.explain(network, x, 0, GAMMA), lambda: dtd.trace(cnn(), x)):
        with pytest.raises(dtd.InputError):
            ask()


def test_an_explanation_is_no_part_of_a_transform_of_torch_func(known):
    network, _ = known
    for transform in (torch.func.vmap, torch.func.grad):
        with pytest.raises(dtd.InputError, match="inside a transform of torch.func"):
            transform(lambda x: dtd.explain(network, x, 0, GAMMA).relevance.sum())(images())


def test_models_without_values_are_named():
    with pytest.raises(dtd.InputError, match="'0.weight' of the model is on the device meta"):
        dtd.trace(mlp().to("meta"), rows())
    lazy = nn.Sequential(nn.LazyLinear(3)).double()
    with pytest.raises(dtd.InputError, match=r"no shape yet: run the model on an example first, model\(x\)"):
        dtd.trace(lazy, rows())
    lazy(rows())
    dtd.explain(dtd.trace(lazy, rows()), rows(), 0, GAMMA)


def test_threads_share_a_network():
    model, x = mlp(), rows()
    network = dtd.trace(model, x)
    plans = [dtd.Plan.uniform("gamma", gamma=0.1 * k) for k in range(8)]
    expected = [dtd.explain(network, x, 0, plan).relevance for plan in plans]
    wrong, done = [], threading.Event()

    def work(k: int) -> None:
        while not done.is_set():
            for at in range(k, k + len(plans)):
                at %= len(plans)
                try:
                    found = dtd.explain(network, x, 0, plans[at]).relevance
                except Exception as error:
                    wrong.append(error)
                    return
                if not torch.equal(found, expected[at]):
                    wrong.append((at, found))

    workers = [threading.Thread(target=work, args=(k,)) for k in range(4)]
    for thread in workers:
        thread.start()
    for _ in range(300):
        network.refresh()  # builds the layers anew under the others
        dtd.explain(network, x, 0, GAMMA)
    done.set()
    for thread in workers:
        thread.join()
    assert not wrong


def explain_in_child(network, x, queue):
    queue.put(dtd.explain(network, x, 0, GAMMA).relevance.numpy())


def test_a_process_that_is_forked_after_use(known):
    network, expected = known
    context = multiprocessing.get_context("fork")
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        queue = context.Queue()
        child = context.Process(target=explain_in_child, args=(network, images(), queue))
        child.start()
        found = queue.get(timeout=60)
        child.join()
    finally:
        torch.set_num_threads(before)
    np.testing.assert_allclose(found, expected.relevance.numpy(), rtol=1e-10, atol=1e-12)


def test_underflow_is_said_and_what_the_message_says_helps():
    network, x = dtd.trace(mlp(torch.float), rows(dtype=torch.float)), rows(dtype=torch.float)
    with pytest.warns(dtd.UnderflowWarning, match=r"explain a multiple.*1e20"):
        small = dtd.explain(network, x, lambda y: y * 1e-44, GAMMA)
    plain = dtd.explain(network, x, lambda y: y, GAMMA)
    assert not torch.allclose(small.relevance.double() * 1e44, plain.relevance.double(), rtol=1e-3)
    large = dtd.explain(network, x, lambda y: y * 1e-24, GAMMA)
    torch.testing.assert_close(large.relevance * 1e24, plain.relevance, rtol=1e-4, atol=1e-6)
