"""Four witnesses for each rule: autograd on the relevance model, explicit roots, fused passes, the explicit formula."""

import pytest
import torch
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

import dtd
from dtd.plans.rules import Choice
from dtd.root.units import FieldUnits
from tests.cases import DOMAINS, LAYERS, SIGNS, Case, make_case
from tests.oracles import expansion
from tests.tolerance import RELATIVE

TOLERANCE = RELATIVE[torch.float64]
CHUNK = 2**15  # bytes: a few units at a time
BIASES = ("fixed", "neuron", "distribute")

drawn = st.fixed_dictionaries(
    {
        "name": st.sampled_from(sorted(LAYERS)),
        "domain": st.sampled_from(sorted(DOMAINS)),
        "batch": st.integers(1, 2),
        "signs": st.fixed_dictionaries({key: st.sampled_from(SIGNS) for key in ("weight", "bias", "input", "relevance")}),
        "seed": st.integers(0, 2**31),
    }
)


def parameters_of(rule: str, case: Case) -> dict:
    """Parameters of a rule for a case: numbers, and tensors that fit the layer."""
    if rule == "zbox":
        low, high = case.x.amin(0, keepdim=True) - 0.1, case.x.amax(0, keepdim=True) + 0.2
        return {"low": low, "high": high}
    if rule == "pattern":
        generator = torch.Generator().manual_seed(7)
        return {"pattern": torch.randn(case.layer.op.weight.shape, generator=generator, dtype=torch.double)}
    return {
        "epsilon": {"epsilon": 0.3},
        "gamma": {"gamma": 0.25},
        "gamma_signed": {"gamma": 0.5},
        "alphabeta": {"alpha": 2.0, "beta": 1.0},
    }.get(rule, {})


def summed(case: Case, first: torch.Tensor) -> torch.Tensor:
    """First-order terms of all units, summed into the inputs. # shape: (B, K, J) -> (B, *in)"""
    fields = all_units(case)
    field = fields.field.clamp(min=0).expand(len(case.x), -1, -1)
    lower = torch.zeros_like(case.x).flatten(1)
    return lower.scatter_add_(1, field.flatten(1), (first * fields.real).flatten(1)).view_as(case.x)


def all_units(case: Case) -> FieldUnits:
    affine = case.layer.op
    return FieldUnits(affine, case.x, torch.arange(torch.Size(affine.out_shape).numel()))


def dense_extras(case: Case, parameters: dict) -> dict:
    """What the oracle needs beyond the parameters: the pattern and the receptive fields as dense rows."""
    fields = all_units(case)
    dense = torch.zeros(len(fields.index), case.x[0].numel() + 1, dtype=torch.double)
    reads = dense.clone().scatter_(1, fields.field % dense.shape[1], 1.0)[:, :-1] > 0
    extras = {"shape": case.x.shape, "reads": reads}
    if "pattern" in parameters:
        rows = fields.map.rows(fields.index, parameters["pattern"]) * fields.real
        extras["dense_pattern"] = dense.clone().scatter_(1, fields.field % dense.shape[1], rows)[:, :-1]
    return extras


def applicable(rule: str, case: Case) -> bool:
    return rule != "zplus" or case.network.domain.nonnegative


@pytest.mark.parametrize("bias", BIASES)
@pytest.mark.parametrize("rule", sorted(dtd.rules.catalogue))
@settings(max_examples=200, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
@given(drawn=drawn)
def test_derived_is_fused_is_explicit_is_taylor(rule, bias, drawn):
    case = make_case(**drawn)
    assume(applicable(rule, case))
    parameters = parameters_of(rule, case)
    choice: Choice = dtd.rules.choose(rule, bias, **parameters)
    layer = case.layer
    model, formula = dtd.TrainingFree(choice.derived(layer)), choice.explicit(layer)
    with torch.no_grad():
        _, saved = model.forward(layer, (case.x,))
        fused = model.backward(layer, saved, case.relevance)
        _, saved = formula.forward(layer, (case.x,))
        explicit = formula.backward(layer, saved, case.relevance)
        units = all_units(case)
        terms = model.terms(units, layer.domain, case.relevance.flatten(1))
        chunked = dtd.TrainingFree(dtd.Explicit(model.root, memory=CHUNK))
        _, saved = chunked.forward(layer, (case.x,))
        built = chunked.backward(layer, saved, case.relevance)
    extras = dense_extras(case, parameters)
    taylor = expansion(case.module, case.x, case.relevance, rule, bias, {**parameters, **extras})
    scale = max(1.0, terms.first.abs().max().item())

    known = (units.z != 0).double()  # at z = 0 there is no c = R/z to differentiate; the others agree on the limit
    close(summed(case, terms.first * known[..., None]), taylor["first"].sum(1).view_as(case.x), scale, "roots, autograd")
    close(terms.bias * known, taylor["bias"], scale, "bias share, autograd")
    close(terms.zeroth * known, taylor["zeroth"] * known, scale, "zeroth term, autograd")
    by_roots = summed(case, terms.first)
    close(fused.relevance[0], by_roots, scale, "fused, roots")
    close(fused.balance.bias, terms.bias.sum(1), scale, "fused bias share")
    close(fused.balance.zeroth, terms.zeroth.sum(1), scale, "fused zeroth term")
    close(built.relevance[0], fused.relevance[0], scale, "explicit reading in chunks, fused")
    for part in ("first", "bias", "zeroth", "remainder"):
        close(getattr(built.balance, part), getattr(fused.balance, part), scale, f"{part} in chunks, fused")
    close(explicit.relevance[0], by_roots, scale, "formula, roots")
    close(explicit.balance.bias, terms.bias.sum(1), scale, "formula's bias share")
    close(terms.remainder, torch.zeros_like(terms.remainder), scale, "no remainder on a ray")
    parts = terms.first.sum(-1) + terms.bias + terms.zeroth + terms.remainder
    close(parts, case.relevance.flatten(1), scale, "balance of every unit")
    close(fused.balance.gap, torch.zeros_like(fused.balance.gap), scale, "balance of the layer")


def close(found, expected, scale, what):
    error = (found - expected).abs().max().item() if found.numel() else 0.0
    assert error <= TOLERANCE * scale, f"{what}: error {error:.2e} at scale {scale:.2e}"


def test_flat_counts_the_inputs_whose_weight_is_not_zero():
    """Derived and explicit alike: no root moves along ``w = 0``. The form that counts all inputs is chosen by its class."""
    module = torch.nn.Linear(3, 1, bias=False).double()
    with torch.no_grad():
        module.weight.copy_(torch.tensor([[1.0, 0.0, 2.0]]))
    x = torch.ones(1, 3, dtype=torch.double)
    network = dtd.trace(module, x)
    plan = dtd.Plan.uniform("flat")
    for chosen in (plan, plan.explicit()):
        relevance = dtd.explain(network, x, 0, chosen).relevance
        torch.testing.assert_close(relevance, torch.tensor([[1.5, 0.0, 1.5]], dtype=torch.double))
    everywhere = dtd.explain(network, x, 0, dtd.Plan([("*", dtd.lrp.LRPFlatAll())])).relevance
    torch.testing.assert_close(everywhere, torch.tensor([[1.0, 1.0, 1.0]], dtype=torch.double))


@pytest.mark.parametrize("bias", BIASES)
def test_flat_agrees_with_its_formula_on_a_pruned_network(bias):
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(6, 8), torch.nn.ReLU(), torch.nn.Linear(8, 3)).double()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(torch.rand(parameter.shape) < 0.5)
    x = torch.rand(4, 6, dtype=torch.double)
    network, plan = dtd.trace(model, x), dtd.Plan.uniform("flat", bias)
    derived, explicit = (dtd.explain(network, x, 0, each).relevance for each in (plan, plan.explicit()))
    assert (derived != 0).any()
    torch.testing.assert_close(derived, explicit, rtol=1e-12, atol=1e-13)
