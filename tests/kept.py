"""What each preset for attention keeps back, on the transformers by hand: the table of docs/transformers.md.

python -m tests.kept
"""

from collections.abc import Iterator

import dtd
from tests.dtd.test_attention import explained, relevance_of
from tests.transformers_by_hand import MAKERS

PLANS = {
    "`attnlrp()`": dtd.presets.attnlrp(),
    "`attnlrp(gamma=0.25)`": dtd.presets.attnlrp(gamma=0.25),
    '`attnlrp(norm="identity")`': dtd.presets.attnlrp(norm="identity"),
    "`cp_lrp()`": dtd.presets.cp_lrp(),
}
KEEPERS = {"softmax": "softmax", "layer_norm": "norms", "norm": "norms", "rms_norm": "norms", "shift": "positions"}


def rows() -> Iterator[str]:
    """Rows of the table: shares of the explained logit, means over three samples."""
    for name in MAKERS:
        for label, plan in PLANS.items():
            out = explained(name, False, plan)
            kept = dict.fromkeys(("softmax", "norms", "positions", "rest"), 0.0)
            for record in out.layers.values():
                kept[KEEPERS.get(record.layer.kind, "rest")] += record.balance.bias + record.balance.zeroth
            logit, relevance = out.initial.sum(1), relevance_of(out).flatten(1)
            shares = [float((part / logit).mean()) for part in (relevance.sum(1), *kept.values())]
            size = float((relevance.abs().sum(1) / logit.abs()).mean())
            yield f"| {name} | {label} | {' | '.join(f'{share:.2f}' for share in shares)} | {size:.1f} |"


if __name__ == "__main__":
    print("\n".join(rows()))
