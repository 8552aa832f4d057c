"""What an audit finds of relevance models: their roots, built explicitly."""

from collections.abc import Iterator
from dataclasses import replace

from torch import Tensor

from dtd.audit.findings import Findings, Look, findings
from dtd.audit.nearest import measure
from dtd.audit.sampling import standard_error
from dtd.audit.validity import distance, status
from dtd.relevance import RelevanceModel
from dtd.root import Average, mixed
from dtd.root.units import FieldUnits, chunks


@findings.register
def _(model: RelevanceModel, look: Look) -> Iterator[Findings]:
    """Of a root distribution each root counts by itself, as an N-th of its unit."""
    layer = look.layer
    strategies = model.root.strategies if isinstance(model.root, Average) else (model.root,)
    models = [replace(model, root=strategy) for strategy in strategies]
    for units in chunks(layer.op, layer.joined(look.inputs), look.index, look.memory, layer.name):
        here = look.relevance.flatten(1)[:, units.index]
        more = standard_error(models, units, layer.domain, here) if isinstance(model.root, Average) else {}
        for each in models:
            yield at_roots(each, look, units, here / len(models), 1 / len(models), more)


def at_roots(
    model: RelevanceModel, look: Look, units: FieldUnits, relevance: Tensor, weight: float, more: dict[str, Tensor]
) -> Findings:
    """Some units at the one root that each has."""
    domain = look.layer.domain
    terms = model.terms(units, domain, relevance)
    root = mixed(model.root.roots(units, domain))
    length, relative = distance(root, units)
    measured = {} if look.nearest is None else measure(look.nearest, root, units, domain, model.root.bias_moves)
    return Findings(
        relevance=relevance,
        first=terms.first.sum(-1),
        bias=terms.bias,
        zeroth=terms.zeroth,
        remainder=terms.remainder,
        exists=root.exists,
        status=status(model, root, units, domain),
        distance=length,
        relative_distance=relative,
        weight=weight,
        more=more | measured,
    )
