"""One sample under every rule: its relevance pixel by pixel, derived and explicit, and the roots behind it."""

from collections.abc import Iterator

import pandas as pd
import torch

from dtd.explaining.explain import explain
from dtd.plans.rules import catalogue
from experiments.configs.questions.explanations import CorrespondenceConfig
from experiments.configs.run import Config
from experiments.figures.summary import Tables
from experiments.machine.console import progress
from experiments.measures.pixels import labelled, picture, tidy
from experiments.measures.roots import audited_roots
from experiments.models import Subject, subjects
from experiments.plans import Request, measure
from experiments.questions.cases import traced

BIAS = "fixed"  # the bias mode that is drawn: the one under which a root is a root of the unit itself


def tables(config: Config) -> Tables:
    """``pixels`` and ``roots``, in float64.

    ``pixels``: relevance as a share of the explained output, by model, rule, side, row and column (side "input": the
    image itself). ``roots``: the audit of each model and rule, layer by layer.
    """
    asked = config.asked(CorrespondenceConfig)
    rules = list(catalogue) if asked.rules is None else asked.rules
    wanted = [Request(rule, BIAS, asked.parameters.get(rule, {})) for rule in rules]
    pixels, roots = [], []
    for name, subject in subjects(config.model, config.data).items():
        drawn = progress(draw(subject, asked.shown, wanted), f"auditing {name}", len(wanted))
        for label, image, audited in drawn:
            pixels.append(labelled(image, model=name, **label))
            roots.append(labelled(audited, model=name, **label))
    return {"pixels": pd.concat(pixels, ignore_index=True), "roots": pd.concat(roots, ignore_index=True)}


@torch.no_grad()
def draw(subject: Subject, shown: int, requests: list[Request]) -> Iterator[tuple[dict, pd.DataFrame, pd.DataFrame]]:
    """Label, pixels and roots of one sample under each request; its predicted class is explained."""
    case = traced(subject, torch.float64, [shown])
    x, network = case.x, case.network
    measured = measure(network, case.subject.train_x, case.subject.test_x)
    target = int(subject.model(subject.test_x[shown : shown + 1]).argmax(1))
    named = {"sample": shown, "target": target, "class_name": subject.class_names()[target]}
    for request in requests:
        plan = request.assign(network, measured).plan
        sides = {side: explain(network, x, target, p) for side, p in (("derived", plan), ("explicit", plan.explicit()))}
        images = {side: (e.relevance / e.initial.sum())[0] for side, e in sides.items()} | picture(x[0])
        label = {**named, "rule": request.rule, "bias_mode": request.bias}
        planes = pd.concat([labelled(tidy(image), side=side) for side, image in images.items()], ignore_index=True)
        yield label, planes, audited_roots(network, x, target, plan).rename(columns={"model": "relevance_model"})
