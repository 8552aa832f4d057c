"""What an audit finds of relevance models: their roots, built explicitly."""

from collections.abc import Iterator

from dtd.audit.findings import Findings, Look, findings
from dtd.audit.nearest import measure
from dtd.audit.sampling import sampling
from dtd.audit.validity import distance, status
from dtd.relevance import RelevanceModel
from dtd.root import Average, mixed
from dtd.root.units import chunks


@findings.register
def _(model: RelevanceModel, look: Look) -> Iterator[Findings]:
    layer = look.layer
    for units in chunks(layer.op, layer.joined(look.inputs), look.index, look.memory, layer.name):
        here = look.relevance.flatten(1)[:, units.index]
        terms = model.terms(units, layer.domain, here)
        root = mixed(model.root.roots(units, layer.domain))
        length, relative = distance(root, units)
        more = {} if look.nearest is None else measure(look.nearest, root, units, layer.domain, model.root.bias_moves)
        yield Findings(
            relevance=here,
            first=terms.first.sum(-1),
            bias=terms.bias,
            zeroth=terms.zeroth,
            remainder=terms.remainder,
            exists=root.exists,
            status=status(model, root, units, layer.domain),
            distance=length,
            relative_distance=relative,
            more=more | (sampling(model, units, layer.domain, here) if isinstance(model.root, Average) else {}),
        )
