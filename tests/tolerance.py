"""The one table of tolerances: relative to the largest term that enters a comparison."""

import torch

RELATIVE = {torch.float64: 1e-10, torch.float32: 1e-4}
