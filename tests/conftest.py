"""One thread for each worker: the suite runs several workers side by side."""

import torch

torch.set_num_threads(1)
