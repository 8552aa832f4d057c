"""One sample under every rule: its relevance pixel by pixel, derived and explicit, and the roots behind it."""

from collections.abc import Iterator

import pandas as pd
import torch
from torch import Tensor

from dtd.audit import audit
from dtd.explaining.explain import explain
from dtd.network import trace
from dtd.plans.rules import catalogue
from experiments.configs import Config, CorrespondenceConfig
from experiments.console import progress
from experiments.models import Subject, subjects
from experiments.plans import Request, measure
from experiments.questions.base import Tables

COLOURED = ("red", "green", "blue")  # sides of an input in colours
BIAS = "fixed"  # the bias mode that is drawn: the one under which a root is a root of the unit itself


def tables(config: Config) -> Tables:
    """``pixels`` and ``roots``, in float64.

    ``pixels``: relevance as a share of the explained output, by model, rule, side, row and column (side "input": the
    image itself). ``roots``: the audit of each model and rule, layer by layer.
    """
    asked: CorrespondenceConfig = config.question
    rules = list(catalogue) if asked.rules is None else asked.rules
    wanted = [Request(rule, BIAS, asked.parameters.get(rule, {})) for rule in rules]
    pixels, roots = [], []
    for name, subject in subjects(config.model, config.data).items():
        drawn = progress(draw(subject, asked.shown, wanted), f"auditing {name}", len(wanted))
        for label, picture, audited in drawn:
            pixels.append(labelled(picture, model=name, **label))
            roots.append(labelled(audited, model=name, **label))
    return {"pixels": pd.concat(pixels, ignore_index=True), "roots": pd.concat(roots, ignore_index=True)}


@torch.no_grad()
def draw(subject: Subject, shown: int, requests: list[Request]) -> Iterator[tuple[dict, pd.DataFrame, pd.DataFrame]]:
    """Label, pixels and roots of one sample under each request; its predicted class is explained."""
    double = subject.to(torch.float64)
    x = double.test_x[shown : shown + 1]
    network = trace(double.model, x, subject.domain)
    measured = measure(network, double.train_x, double.test_x)
    target = int(subject.model(subject.test_x[shown : shown + 1]).argmax(1))
    for request in requests:
        plan = request.assign(network, measured).plan
        sides = {side: explain(network, x, target, p) for side, p in (("derived", plan), ("explicit", plan.explicit()))}
        images = {side: (e.relevance / e.initial.sum())[0] for side, e in sides.items()} | picture(x[0])
        label = {"sample": shown, "target": target, "rule": request.rule, "bias_mode": request.bias}
        planes = pd.concat([labelled(tidy(image), side=side) for side, image in images.items()], ignore_index=True)
        yield label, planes, audit(network, x, target, plan).rename(columns={"model": "relevance_model"})


def labelled(table: pd.DataFrame, **label: str | int) -> pd.DataFrame:
    """The table with constant columns in front."""
    return pd.DataFrame(label, index=table.index).join(table)


def picture(image: Tensor) -> dict[str, Tensor]:
    """An input by the side that its pixels are filed under: itself, or its colours. # shape: (C, H, W) or (n,)"""
    coloured = image.ndim == 3 and len(image) == len(COLOURED)
    return dict(zip(COLOURED, image[:, None], strict=True)) if coloured else {"input": image}


def tidy(image: Tensor) -> pd.DataFrame:
    """One row for each pixel, channels added up. # shape: (C, H, W), or (n,) as one row of pixels"""
    plane = image.sum(0) if image.ndim == 3 else image.reshape(1, -1)
    pixels = pd.DataFrame(plane.numpy()).stack().rename_axis(["row", "column"])
    return pixels.rename("value").reset_index()
