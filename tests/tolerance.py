"""The one table of tolerances, relative to the largest term that enters a comparison.

Single precision has no entry: experiments/measures/rounding.py bounds it entry by entry.
"""

import torch

RELATIVE = {torch.float64: 1e-10}
