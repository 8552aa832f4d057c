"""What numbers depend on and all runs share, in words for captions: rules' parameters, accuracies, precision."""

import re
from collections.abc import Sequence
from statistics import mean

from experiments.figures.names import printed, titled
from experiments.report.runs import Run

PARAMETER = re.compile(r"plan\.(?:parts\.(?P<part>\w+)\.)?parameters\.(?P<name>\w+)(?P<relative>\.factor)?")


def facts(runs: Sequence[Run]) -> tuple[str, ...]:
    """``γ = 0.25``, ``accuracy 0.961 (MLP)``, ``float64``: each where the runs' configs or records tell it."""
    dtypes = {run.config.get("dtype") for run in runs} - {None}
    return (*parameters(runs), *accuracies(runs), *(str(each) for each in dtypes if len(dtypes) == 1))


def parameters(runs: Sequence[Run]) -> list[str]:
    """Numbers of rules that are the same in every run; of several plans side by side, with their names where they differ."""
    found: dict[str, dict[str, set[str]]] = {}
    for run in runs:
        for key, value in run.config.items():
            match = PARAMETER.fullmatch(key)
            if match and isinstance(value, (int, float)):
                number = f"{value:g}" + (" (relative)" if match["relative"] else "")
                plan = match["part"] or str(run.config.get("plan.name") or "")
                found.setdefault(match["name"], {}).setdefault(plan, set()).add(number)
    told = []
    for name, by_plan in found.items():
        fixed = {plan: next(iter(values)) for plan, values in by_plan.items() if len(values) == 1}
        numbers = dict.fromkeys(fixed.values())
        if len(numbers) == 1 and len(fixed) == len(by_plan):
            told.append(f"{titled(name)} = {next(iter(numbers))}")
        else:
            told += [f"{titled(name)} = {number} ({printed(plan)})" for plan, number in fixed.items()]
    return told


def accuracies(runs: Sequence[Run]) -> list[str]:
    """Each model's accuracy on its test set, averaged over the runs that have it."""
    found: dict[str, list[float]] = {}
    for run in runs:
        for name, accuracy in run.accuracies.items():
            found.setdefault(name, []).append(accuracy)
    return [f"accuracy {mean(values):.3f} ({printed(name)})" for name, values in found.items()]
