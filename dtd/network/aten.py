"""The ops of exported graphs."""

import torch

aten = torch.ops.aten
