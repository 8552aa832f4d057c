"""Random programs over the public API: every answer is that of the model as it is now, or one of the library's errors."""

import copy
import pickle
import threading

import pytest
import torch
from hypothesis import HealthCheck, Phase, event, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test
from torch import Tensor, nn

import dtd

PLANS = [
    dtd.Plan.uniform("lrp0"),
    dtd.Plan.uniform("gamma"),
    dtd.Plan.uniform("epsilon", epsilon=0.1),
    dtd.Plan.uniform("zplus_signed", bias="neuron"),
    dtd.Plan.uniform("wsquare"),
    dtd.Plan.uniform("alphabeta", bias="distribute"),
    dtd.Plan.uniform("gamma").explicit(),
    dtd.Plan([("*", dtd.Ray(dtd.Activations(), damping=lambda z: z.abs_().mul_(0.2)))]),
    dtd.Plan([("*", dtd.Nearest(lambda a: a.abs_().add_(0.5)))]),
]
TARGETS = [
    0,
    2,
    -1,
    7,  # no class
    lambda y: y,
    lambda y: y.softmax(1),
    lambda y: y.sub_(y.mean(1, keepdim=True)),
    lambda y: y.fill_(1),
    lambda y: y[:, 0],  # of the wrong shape
]
TRACED: dict[tuple, dtd.Network] = {}
PARTS = 20  # of the long run, each of programs of its own
STEPS = {"count": 0, "answers": 0, "errors": 0}


class Model(nn.Module):
    """Dense layers with batch norm, an attribute that the code reads, one that it writes, and a constant."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.a, self.norm, self.act = nn.Linear(4, 5), nn.BatchNorm1d(5), nn.ReLU()
        self.drop, self.b, self.scale, self.calls = nn.Dropout(0.5), nn.Linear(5, 3), 1.0, 0
        self.norm.running_mean.uniform_(-0.2, 0.2), self.norm.running_var.uniform_(0.5, 1.5)

    def forward(self, x: Tensor) -> Tensor:
        self.calls += 1
        return self.b(self.drop(self.act(self.norm(self.a(x))))) * self.scale


def doubled(module: nn.Module, inputs: tuple, output: Tensor) -> Tensor:
    """A hook."""
    return output * 2


def same(found: dtd.Explanation, fresh: dtd.Explanation, output: Tensor) -> None:
    """An answer is the fresh one's, and its output the model's."""
    exact = found.relevance.dtype == torch.float64
    bounds = dict(rtol=1e-8, atol=1e-10) if exact else dict(rtol=1e-3, atol=1e-4)
    scale = fresh.relevance.abs().max().clamp(min=1.0) if fresh.relevance.numel() else torch.ones(())
    torch.testing.assert_close(found.relevance / scale, fresh.relevance / scale, **bounds)
    torch.testing.assert_close(found.initial, fresh.initial, **bounds)
    torch.testing.assert_close(found.output, output, **bounds)


def structure(model: Model) -> tuple:
    """Everything about a model but the values of its tensors, read off its parts one by one."""
    parts = dict(model.named_modules())
    hooks = tuple((name, len(module._forward_hooks)) for name, module in parts.items())
    shapes = tuple((name, tuple(t.shape), t.dtype) for name, t in model.state_dict().items())
    kinds = tuple((name, type(module).__name__, module.training) for name, module in parts.items())
    return hooks, shapes, kinds, model.scale, model.norm.eps, model.drop.p


class Programs(RuleBasedStateMachine):
    """A model, a network traced of it, and whatever is done to either."""

    remembers = False

    def __init__(self):
        super().__init__()
        self.hooks: list = []
        self.stale = False
        self.kept: list[tuple[dtd.Explanation, Tensor, bool]] = []

    def step(self) -> None:
        """Count one."""
        STEPS["count"] += 1

    def outcome(self, kind: str) -> None:
        """Count an answer or an error."""
        STEPS[kind] += 1
        event(kind)

    @initialize()
    def start(self) -> None:
        """A model in float64, and its network."""
        self.model = Model().double().eval()
        self.network = dtd.trace(self.model, self.inputs(2, 0))

    def inputs(self, batch: int, seed: int) -> Tensor:
        """Inputs in the model's dtype."""
        generator = torch.Generator().manual_seed(seed)
        dtype = self.model.b.weight.dtype
        return torch.randn(batch, 4, generator=generator, dtype=torch.double).to(dtype)

    def answer(self, ask):
        """What a call returns; None for one of the library's errors."""
        try:
            found = ask()
        except dtd.DTDError as error:
            self.outcome("errors")
            self.stale = self.stale or isinstance(error, dtd.StaleError)
            return None
        self.outcome("answers")
        return found

    def fresh(self, x: Tensor, target, plan: dtd.Plan) -> dtd.Explanation:
        """The explanation of a network that is traced now; an answer must have one."""
        return dtd.explain(self.reference(), x, target, plan)

    def reference(self) -> dtd.Network:
        """The model traced anew; in long runs a copy of it, traced when its structure was first met, with today's values."""
        if not self.remembers:
            return dtd.trace(self.model, self.inputs(2, 5))
        key = structure(self.model)
        if key not in TRACED:
            TRACED[key] = dtd.trace(copy.deepcopy(self.model), self.inputs(2, 5))
        network = TRACED[key]
        network.model.load_state_dict(self.model.state_dict())
        network.refresh()
        return network

    def own(self, x: Tensor) -> Tensor:
        """What the model returns now."""
        with torch.no_grad():
            return self.model(x)

    @rule(plan=st.sampled_from(PLANS), what=st.sampled_from(TARGETS), batch=st.integers(0, 3), seed=st.integers(0, 9),
          fast=st.booleans(), verify=st.booleans(), memory=st.sampled_from([None, 300, 10**6]))  # fmt: skip
    def explain(self, plan, what, batch, seed, fast, verify, memory):
        """An explanation."""
        self.step()
        x = self.inputs(batch, seed)
        ask = dict(fast=fast, verify=verify, memory=memory)
        found = self.answer(lambda: dtd.explain(self.network, x, what, plan, **ask))
        if found is not None and batch:
            same(found, self.fresh(x, what, plan), self.own(x))
            assert found.relevance.shape == x.shape

    @rule(plan=st.sampled_from(PLANS), several=st.lists(st.sampled_from(TARGETS), max_size=3), seed=st.integers(0, 9))
    def explain_each(self, plan, several, seed):
        """Several targets; what is done with one answer does not matter to the next."""
        self.step()
        x = self.inputs(2, seed)
        answers = self.answer(lambda: iter(dtd.explain_each(self.network, x, several, plan)))
        for what in several:
            found = self.answer(lambda answers=answers: next(answers))
            if found is None:
                return
            same(found, self.fresh(x, what, plan), self.own(x))
            found.output.zero_(), found.relevance.zero_()

    @rule(plan=st.sampled_from(PLANS[:6]), what=st.sampled_from(TARGETS[:6]), seed=st.integers(0, 9))
    def audit(self, plan, what, seed):
        """An audit."""
        self.step()
        x = self.inputs(2, seed)
        found = self.answer(lambda: dtd.audit(self.network, x, what, plan))
        if found is not None:
            fresh = dtd.audit(self.reference(), x, what, plan)
            for name in ("relevance", "first", "bias", "zeroth", "remainder"):
                exact = x.dtype == torch.float64
                scale = max(1.0, float(fresh[name].abs().max()))
                assert float((found[name] - fresh[name]).abs().max()) <= (1e-8 if exact else 1e-2) * scale

    @rule(plan=st.sampled_from(PLANS[:7]), seed=st.integers(0, 9))
    def keep(self, plan, seed):
        """An explanation whose balances are asked for later."""
        self.step()
        x = self.inputs(2, seed)
        found = self.answer(lambda: dtd.explain(self.network, x, 1, plan))
        if found is not None:
            balances = dict(self.fresh(x, 1, plan).layers)
            self.kept.append((found, x, balances))

    @precondition(lambda self: self.kept)
    @rule(write=st.booleans(), pickled=st.booleans())
    def ask_later(self, write, pickled):
        """Its balances: those of the moment that it was made, or an error."""
        self.step()
        found, x, balances = self.kept.pop()
        if write:
            x.mul_(2)
        if pickled:
            found = pickle.loads(pickle.dumps(found))
        layers = self.answer(lambda: found.layers)
        if layers is not None:
            bound = 1e-8 if x.dtype == torch.float64 else 1e-2
            for name, record in layers.items():
                for part, of in zip(record.balance.parts(), balances[name].balance.parts(), strict=True):
                    scale = max(1.0, float(of.abs().max()))
                    assert float((part - of).abs().max()) <= bound * scale

    @rule(how=st.sampled_from(["in place", "assigned", "state", "buffer"]), seed=st.integers(0, 9))
    def change_values(self, how, seed):
        """Other values of the same shape."""
        self.step()
        torch.manual_seed(seed)
        model = self.model
        with torch.no_grad():
            if how == "in place":
                model.a.weight.normal_()
            elif how == "assigned" and type(model.b) is nn.Linear:
                model.b.weight = nn.Parameter(torch.randn_like(model.b.weight))
            elif how == "buffer" and isinstance(model.norm, nn.BatchNorm1d):
                model.norm.running_mean.normal_()
            else:
                model.load_state_dict({k: v * 1.5 for k, v in model.state_dict().items()}, assign=bool(seed % 2))

    @rule(seed=st.integers(0, 9))
    def change_data(self, seed):
        """A change that torch does not count, and the refresh that it asks for."""
        self.step()
        torch.manual_seed(seed)
        self.model.b.weight.data = torch.randn_like(self.model.b.weight.data)
        self.network.refresh()

    @rule(what=st.sampled_from([nn.ReLU, nn.Tanh, nn.Identity]))
    def change_module(self, what):
        """Another activation."""
        self.step()
        self.model.act = what().train(self.model.training)

    @rule(width=st.sampled_from([3, 4]), bias=st.booleans())
    def change_head(self, width, bias):
        """Another last layer."""
        self.step()
        torch.manual_seed(width)
        self.model.b = nn.Linear(5, width, bias=bias).to(self.model.a.weight.dtype)

    @rule(training=st.booleans())
    def change_mode(self, training):
        """Training or evaluation mode."""
        self.step()
        self.model.train(training)

    @rule(name=st.sampled_from(["scale", "eps", "note", "p"]), value=st.sampled_from([1.0, 0.5, 2.0]))
    def change_attribute(self, name, value):
        """An attribute of some module."""
        self.step()
        if name == "scale":
            self.model.scale = value
        elif name == "note":
            self.model.note = value
        elif name == "p":
            self.model.drop.p = value / 4
        elif isinstance(self.model.norm, nn.BatchNorm1d):
            self.model.norm.eps = value * 1e-2

    @rule(where=st.sampled_from(["a", "act", "b"]))
    def add_hook(self, where):
        """A hook that changes an output."""
        self.step()
        self.hooks.append(getattr(self.model, where).register_forward_hook(doubled))

    @precondition(lambda self: self.hooks)
    @rule()
    def remove_hook(self):
        """The last hook again."""
        self.step()
        self.hooks.pop().remove()

    @rule(dtype=st.sampled_from([torch.float, torch.double]))
    def change_dtype(self, dtype):
        """Another precision."""
        self.step()
        self.model.to(dtype)

    @rule(part=st.sampled_from(["a", "b"]), dtype=st.sampled_from([torch.float, torch.double]))
    def change_dtype_of_a_part(self, part, dtype):
        """Another precision of one layer: the model itself may fail then."""
        self.step()
        getattr(self.model, part).to(dtype)

    @rule()
    def parametrise(self):
        """Weight norm on the first layer."""
        self.step()
        if not nn.utils.parametrize.is_parametrized(self.model.a):
            nn.utils.parametrizations.weight_norm(self.model.a)

    @rule()
    def use(self):
        """A call of the model itself."""
        self.step()
        try:
            self.own(self.inputs(3, 1))
        except RuntimeError:
            return  # layers of several dtypes: the model's own error

    @precondition(lambda self: self.stale)
    @rule()
    def do_as_the_error_says(self):
        """The network traced anew after a StaleError."""
        self.step()
        self.stale = False
        network = self.answer(lambda: self.network.retrace(self.network.model))
        if network is not None:
            self.network = network

    @rule(again=st.sampled_from(["retrace", "trace", "copy", "pickle"]))
    def trace(self, again):
        """The network anew; copies are of copies of the model."""
        self.step()
        network = self.answer(lambda: self.anew(again))
        if network is not None:
            self.network, self.model = network, network.model
            self.hooks = self.hooks if again in ("retrace", "trace") else []
            self.kept = self.kept if again in ("retrace", "trace") else []

    def anew(self, again: str) -> dtd.Network:
        """By one of the ways."""
        if again == "retrace":
            return self.network.retrace(self.network.model)
        if again == "trace":
            return dtd.trace(self.model, self.inputs(2, 3))
        if self.hooks or nn.utils.parametrize.is_parametrized(self.model.a):
            return dtd.trace(self.model, self.inputs(2, 3)) if not self.hooks else self.network
        return copy.deepcopy(self.network) if again == "copy" else pickle.loads(pickle.dumps(self.network))

    @rule(seed=st.integers(0, 9))
    def threads(self, seed):
        """Several explanations at once."""
        self.step()
        x, found = self.inputs(2, seed), {}

        def work(k: int) -> None:
            try:
                found[k] = dtd.explain(self.network, x, 0, PLANS[k])
            except dtd.DTDError:
                found[k] = None
            except Exception as error:
                found[k] = error

        workers = [threading.Thread(target=work, args=(k,)) for k in range(3)]
        for thread in workers:
            thread.start()
        for thread in workers:
            thread.join()
        for k, each in found.items():
            if isinstance(each, Exception):
                raise each
            if each is not None:
                same(each, self.fresh(x, 0, PLANS[k]), self.own(x))

    @rule(what=st.sampled_from(TARGETS[:6]), seed=st.integers(0, 9))
    def under_autocast(self, what, seed):
        """Inside of other settings of torch."""
        self.step()
        x = self.inputs(2, seed)
        with torch.autocast("cpu", dtype=torch.bfloat16), torch.inference_mode(bool(seed % 2)):
            found = self.answer(lambda: dtd.explain(self.network, x, what, PLANS[1]))
        if found is not None:
            same(found, self.fresh(x, what, PLANS[1]), self.own(x))


class LongPrograms(Programs):
    """The same, checked against copies that are traced once for each structure."""

    remembers = True


def programs(kind: type[Programs], examples: int, steps: int, start: int) -> None:
    """Run so many programs of so many steps; another start gives others, the same start the same."""
    phases = (Phase.generate,)  # what is found is shown as it was found
    checks = list(HealthCheck)
    limits = dict(max_examples=examples, stateful_step_count=steps, deadline=None)
    chosen = settings(**limits, suppress_health_check=checks, database=None, phases=phases)
    run_state_machine_as_test(seed(start)(type(kind.__name__, (kind,), {})), settings=chosen)


@pytest.mark.filterwarnings("ignore")
def test_every_answer_of_a_program_is_that_of_the_model_as_it_is_now():
    programs(Programs, 15, 25, start=0)
    assert STEPS["answers"] and STEPS["errors"]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("part", range(PARTS))
def test_a_hundred_thousand_steps(part):
    before, rounds = dict(STEPS), 0
    while STEPS["count"] - before["count"] < 100_000 // PARTS:
        programs(LongPrograms, 10, 200, start=1 + part + PARTS * rounds)
        rounds += 1
    done = {name: STEPS[name] - before[name] for name in STEPS}
    print(f"part {part}: {done}", flush=True)
    assert min(done["answers"], done["errors"]) > done["count"] // 20
