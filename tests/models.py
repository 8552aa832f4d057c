"""Small networks that use what models use: residual sums, concatenation, reuse, functional and in-place code."""

import torch
from torch import nn
from torch.nn import functional as F


class Residual(nn.Module):
    """Convolutions with batch norm, an in-place ReLU and a residual sum."""

    def __init__(self):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(2, 4, 3, padding=1, bias=False), nn.BatchNorm2d(4)
        self.conv2, self.bn2 = nn.Conv2d(4, 4, 3, padding=1), nn.BatchNorm2d(4)
        self.pool, self.drop, self.fc = nn.MaxPool2d(3, 2, 1, ceil_mode=True), nn.Dropout(), nn.Linear(4 * 9, 3)

    def forward(self, x):
        x = F.relu(self.bn1(self.conv1(x)), inplace=True)
        x = torch.relu_(self.bn2(self.conv2(x)).add_(x))
        return self.fc(self.drop(self.pool(x).flatten(1)))


class Everything(nn.Module):
    """Concatenation, slices, chunks, expansion, mean, constants, reflect and zero padding, a module used twice."""

    def __init__(self):
        super().__init__()
        self.reflect = nn.Conv2d(2, 4, 3, padding="same", padding_mode="reflect")
        self.replicate = nn.Conv2d(4, 4, 3, padding=1, padding_mode="replicate")
        self.valid = nn.Conv2d(4, 4, 3, stride=2)
        self.up = nn.ConvTranspose2d(4, 4, 2, stride=2)
        self.shared = nn.Linear(6, 6)
        self.register_buffer("scale", torch.linspace(0.5, 1.5, 6))

    def forward(self, x):
        x = F.leaky_relu(self.reflect(x))
        y = F.gelu(self.valid(F.pad(x, (0, 1, 0, 1))))
        y = torch.cat([self.up(y), self.replicate(x) - 1.0], 1)[:, 1:7]
        y = F.avg_pool2d(F.relu6(y), 2) / 2
        y = y + y.mean((2, 3), keepdim=True).expand(-1, -1, 2, 2)
        y = F.adaptive_avg_pool2d(y.permute(0, 1, 3, 2), 1).view(y.size(0), -1)
        y = F.silu(self.shared(y)) * self.scale
        a, b = torch.tanh(self.shared(y)).chunk(2, dim=1)
        return torch.stack([a, b.flip(1)], 2).reshape(y.shape[0], 6)


class OneDimensional(nn.Module):
    """A 1-d convolutional network with sum pooling and an unfolded batch norm."""

    def __init__(self):
        super().__init__()
        self.norm, self.conv, self.head = nn.BatchNorm1d(2), nn.Conv1d(2, 4, 3, dilation=2), nn.Linear(4, 2)

    def forward(self, x):
        return self.head(torch.sigmoid(self.conv(self.norm(x))).sum(-1))


def randomised(model: nn.Module, seed: int = 0) -> nn.Module:
    """A model in float64 and evaluation mode with random weights and random batch-norm statistics."""
    generator = torch.Generator().manual_seed(seed)
    model = model.double().eval()
    with torch.no_grad():
        for name, tensor in (*model.named_parameters(), *model.named_buffers()):
            if tensor.is_floating_point():
                values = torch.randn(tensor.shape, generator=generator, dtype=torch.double) * 0.5
                tensor.copy_(values.abs() + 0.5 if "running_var" in name else values)
    return model


MODELS = {
    "residual": (Residual, (2, 5, 5)),
    "everything": (Everything, (2, 4, 4)),
    "one_dimensional": (OneDimensional, (2, 8)),
}


def model_and_input(name: str, batch: int = 3) -> tuple[nn.Module, torch.Tensor]:
    """A randomised model and inputs in [0, 1]."""
    make, shape = MODELS[name]
    x = torch.rand(batch, *shape, generator=torch.Generator().manual_seed(1), dtype=torch.double)
    return randomised(make()), x
