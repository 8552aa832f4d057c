"""What it costs to look at every root of an explanation."""

from time import perf_counter

import pandas as pd

from dtd.audit import audit_cost
from dtd.network import trace
from dtd.plans.plan import Plan
from experiments.configs.run import Config
from experiments.cost.recipes import GAMMA
from experiments.machine.console import progress
from experiments.measures.roots import audited_roots
from experiments.models import subjects

PLAN = Plan.uniform("gamma_signed", gamma=GAMMA)


def audits(config: Config, units: int) -> pd.DataFrame:
    """One row for each model: the first test sample's explanation, at most as many units of each layer.

    Root coordinates are those that :func:`dtd.audit_cost` says will be built, found before the audit starts.
    """
    found = []
    for name, subject in subjects(config.model, config.data).items():
        x = subject.test_x[:1]
        network = trace(subject.model, x, subject.domain)
        cost = audit_cost(network, x, PLAN, units=units)
        built = int(cost.coordinates.sum())
        for _ in progress([name], f"auditing {name}, up to {built:.1e} root coordinates"):
            start = perf_counter()
            looked = audited_roots(network, x, subject.model(x)[0].argmax().item(), PLAN, units=units)
            seconds = perf_counter() - start
        counted = {"layers": len(looked), "units": int(looked.units.sum()), "coordinates": built}
        found.append({"model": name, **counted, "seconds": seconds, "gap": float(looked.gap.max())})
    return pd.DataFrame(found)
