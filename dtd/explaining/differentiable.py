"""Relevance as a differentiable function of inputs and parameters."""

from dataclasses import replace

from torch import Tensor

from dtd.callers.arithmetic import own_arithmetic
from dtd.errors import InputError, PlanError
from dtd.explaining.explanation import Explanation
from dtd.explaining.hidden import Places, is_start
from dtd.explaining.request import Asked, Request, by_definition, chosen_plan
from dtd.network.leaves import Inputs
from dtd.network.network import Network
from dtd.plans.plan import Plan
from dtd.propagation import Contextual, Layer, Propagation
from dtd.relevance import Generic, RelevanceModel


def differentiable(network: Network, inputs: Inputs, target: Asked, plan: Plan | None, places: Places) -> Explanation:
    """The explanation by definition, each number of which autograd knows how it came about.

    Roots are differentiated too: ``R_j = Σ_k R_k w_kj v_kj / Σ_i w_ki v_ki`` with all that depends on the input and on the
    weights. Where a rule or a ReLU has a kink, the derivative is that of the side on which the data lie.

    Raises :class:`InputError` where nothing requires a gradient or a target function cuts it off, :class:`PlanError` for
    relevance models that search their roots, and what :func:`dtd.explain` raises.
    """
    plan = chosen_plan(network, plan)
    learned = any(parameter.requires_grad for parameter in network.model.parameters())
    if not learned and not any(tensor.requires_grad for tensor in network.signature.tensors(inputs)):
        raise InputError(
            "create_graph=True needs something to differentiate by; neither an input nor a parameter requires gradients. "
            "Call x.requires_grad_(), or explain without it."
        )
    live = replace(network, gradients=True)  # layers of its own, built anew
    with own_arithmetic(gradients=True):
        request = Request.of(live, inputs, plan, None, False, places)
        for layer, model in zip(request.reading.graph.layers, request.models, strict=True):
            check_model(layer, model)
        found = by_definition(request, request.target(target))
    function = callable(target) and not isinstance(target, Tensor) and not is_start(target)
    if function and found.output.requires_grad and not found.initial.requires_grad:
        raise InputError(
            "The target function returns values that do not depend on the output as far as autograd knows (detach, no_grad, "
            "numpy?), so relevance would be differentiated as if what is explained were constant. Compute with torch; where "
            "constants are meant, give them as a tensor."
        )
    if not any(part.requires_grad for part in found.parts):
        raise InputError(
            "Relevance depends on nothing that requires gradients: under this plan, what does is not on its way."
        )
    return found


def check_model(layer: Layer, model: Propagation) -> None:
    """Raise :class:`PlanError` for a model whose relevance is no differentiable formula."""
    searched = isinstance(model, RelevanceModel) and model.root.searches() is None
    if isinstance(model, (Contextual, Generic)) or searched:
        raise PlanError(
            f"create_graph=True needs relevance that is a formula; {model!r} at layer '{layer.name}' searches its roots or "
            "looks at the network above. Use a rule of the catalogue there, or dtd.Tangent."
        )
