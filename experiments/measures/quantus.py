"""Metrics of Quantus, computed by Quantus itself on relevance that is already there (extra ``quantus``).

Relevance is handed over as it is, neither normalised nor, unless the metric is defined on it, made absolute. Areas are means
of Quantus' curves here, since its own need a function that numpy 2.4 lacks.
"""

import warnings
from copy import deepcopy
from dataclasses import dataclass

import numpy as np
from torch import Tensor, nn

import experiments.machine.vision  # noqa: F401 - before Quantus, which imports torchvision
from experiments.machine.conditions import seeded

import quantus  # isort: skip

RAW = {"abs": False, "normalise": False, "disable_warnings": True, "display_progressbar": False}
SUBSETS = 4  # faithfulness correlation takes one pixel in so many away at a time


@dataclass(frozen=True)
class Setting:
    """What the metrics perturb: images of so many ``pixels``, by ``value``, in squares of ``side``; the score is the logit
    or the softmax probability."""

    value: float
    side: int
    pixels: int
    softmax: bool
    seed: int


def evaluate(name: str, model: nn.Module, x: Tensor, target: Tensor, relevance: Tensor, setting: Setting) -> np.ndarray:
    """Quantus' score of each sample, of a copy of the model in float32, the one precision that it works in.

    # shape: x, relevance (B, C, H, W), target (B,); result (B,)
    """
    arrays = {"x_batch": x, "y_batch": target, "a_batch": relevance.sum(1, keepdim=True)}
    model = deepcopy(model).float()
    if setting.softmax:
        model = nn.Sequential(model, nn.Softmax(1)).eval()
    with seeded(setting.seed), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The settings for perturbing input")  # black pixels that are made black
        scores = METRICS[name](setting)(
            model=model,
            softmax=setting.softmax,
            channel_first=True,
            **{key: tensor.numpy() for key, tensor in arrays.items()},
        )
    return np.asarray(scores, dtype=float).reshape(len(x), -1).mean(1)


def pixel_flipping(setting: Setting) -> quantus.PixelFlipping:
    """The score while pixels are flipped one by one, most relevant first: lower is better."""
    return quantus.PixelFlipping(perturb_baseline=setting.value, **RAW)


def region_perturbation(setting: Setting) -> quantus.RegionPerturbation:
    """The drop of the score while squares are taken away, most relevant first: higher is better."""
    return quantus.RegionPerturbation(
        perturb_baseline=setting.value, patch_size=setting.side, regions_evaluation=setting.pixels, **RAW
    )


def faithfulness_correlation(setting: Setting) -> quantus.FaithfulnessCorrelation:
    """Correlation of a random subset's relevance with the drop when it is taken away (Bhatt 2020): higher is better."""
    size = max(1, setting.pixels // SUBSETS)
    return quantus.FaithfulnessCorrelation(subset_size=size, perturb_baseline=setting.value, return_aggregate=False, **RAW)


def faithfulness_estimate(setting: Setting) -> quantus.FaithfulnessEstimate:
    """Correlation of each pixel's relevance with the drop when it is taken away (Alvarez-Melis 2018): higher is better."""
    return quantus.FaithfulnessEstimate(perturb_baseline=setting.value, **RAW)


def sparseness(setting: Setting) -> quantus.Sparseness:
    """Gini index of |relevance| (Chalasani 2020): higher is sparser."""
    return quantus.Sparseness(**RAW | {"abs": True})


def complexity(setting: Setting) -> quantus.Complexity:
    """Entropy of |relevance| as shares (Bhatt 2020): lower is simpler."""
    return quantus.Complexity(**RAW | {"abs": True})


METRICS = {
    each.__name__: each
    for each in (
        pixel_flipping,
        region_perturbation,
        faithfulness_correlation,
        faithfulness_estimate,
        sparseness,
        complexity,
    )
}
