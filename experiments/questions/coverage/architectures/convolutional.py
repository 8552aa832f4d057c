"""Convolutional networks as users write them: U-Nets, squeeze-and-excitation, class tokens, generators, other norms."""

import torch
from torch import nn
from torch.nn import functional as F

from experiments.questions.coverage.architectures.base import BATCH, Example, listed, normal, pixels, settled

CLASSES = 4


class UNet(nn.Module):
    """One level down and up, with a skip connection; ``up`` says how it goes up."""

    def __init__(self, up: str):
        super().__init__()
        self.down, self.inner = nn.Conv2d(1, 6, 3, padding=1), nn.Conv2d(6, 8, 3, padding=1)
        self.up, self.out, self.way = nn.ConvTranspose2d(8, 8, 2, 2), nn.Conv2d(14, CLASSES, 3, padding=1), up

    def raised(self, x):
        if self.way == "transposed":
            return self.up(x)
        if self.way == "nearest":
            return F.interpolate(x, scale_factor=2, mode="nearest")
        return F.interpolate(x, scale_factor=2, mode=self.way, align_corners=self.way == "bicubic")

    def forward(self, x):
        here = F.relu(self.down(x))
        below = F.relu(self.inner(F.max_pool2d(here, 2)))
        return self.out(torch.cat([here, self.raised(below)], 1)).mean((2, 3))


class SqueezeExcite(nn.Module):
    """A residual block with squeeze-and-excitation (Hu 2018)."""

    def __init__(self):
        super().__init__()
        self.stem, self.conv, self.norm = nn.Conv2d(3, 8, 3, padding=1), nn.Conv2d(8, 8, 3, padding=1), nn.BatchNorm2d(8)
        self.gate = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Conv2d(8, 4, 1), nn.ReLU(), nn.Conv2d(4, 8, 1), nn.Sigmoid())
        self.head = nn.Linear(8, CLASSES)

    def forward(self, x):
        x = F.relu(self.stem(x))
        found = self.norm(self.conv(x))
        return self.head(F.relu(x + found * self.gate(found)).mean((2, 3)))


class SpatialAttention(nn.Module):
    """Channel and spatial attention by means and maxima (CBAM; Woo 2018)."""

    def __init__(self):
        super().__init__()
        self.stem, self.shared, self.place = nn.Conv2d(3, 8, 3, padding=1), nn.Linear(8, 8), nn.Conv2d(2, 1, 3, padding=1)
        self.head = nn.Linear(8, CLASSES)

    def forward(self, x):
        x = F.relu(self.stem(x))
        x = x * torch.sigmoid(self.shared(x.mean((2, 3))) + self.shared(x.amax((2, 3))))[:, :, None, None]
        both = torch.cat([x.mean(1, keepdim=True), x.max(1, keepdim=True).values], 1)
        return self.head((x * torch.sigmoid(self.place(both))).mean((2, 3)))


class Pyramid(nn.Module):
    """A feature pyramid: three depths, upsampled and added (Lin 2017)."""

    def __init__(self):
        super().__init__()
        self.steps = nn.ModuleList(nn.Conv2d(a, 8, 3, 2, 1) for a in (3, 8, 8))
        self.sides = nn.ModuleList(nn.Conv2d(8, 6, 1) for _ in range(3))
        self.head = nn.Linear(6, CLASSES)

    def forward(self, x):
        found = []
        for step in self.steps:
            x = F.relu(step(x))
            found.append(x)
        total = self.sides[2](found[2])
        for side, here in ((self.sides[1], found[1]), (self.sides[0], found[0])):
            total = side(here) + F.interpolate(total, size=here.shape[-2:], mode="nearest")
        return self.head(total.mean((2, 3)))


class TinyViT(nn.Module):
    """A vision transformer written by hand: patches, class token, positions, one matrix for queries, keys and values."""

    def __init__(self):
        super().__init__()
        self.patches, self.token = nn.Conv2d(3, 16, 4, 4), nn.Parameter(torch.zeros(1, 1, 16))
        self.positions, self.norm, self.qkv = nn.Parameter(torch.zeros(1, 17, 16)), nn.LayerNorm(16), nn.Linear(16, 48)
        self.project, self.after, self.head = nn.Linear(16, 16), nn.LayerNorm(16), nn.Linear(16, CLASSES)

    def forward(self, x):
        x = self.patches(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.token.expand(x.shape[0], -1, -1), x], 1) + self.positions
        batch, places, width = x.shape
        q, k, v = self.qkv(self.norm(x)).reshape(batch, places, 3, 4, width // 4).permute(2, 0, 3, 1, 4).unbind(0)
        share = (q @ k.transpose(-2, -1) * 0.5).softmax(-1)
        x = x + self.project((share @ v).transpose(1, 2).reshape(batch, places, width))
        return self.head(self.after(x)[:, 0])


class Unfolded(nn.Module):
    """Patches by ``unfold`` and by ``pixel_unshuffle``, joined, and rolled."""

    def __init__(self):
        super().__init__()
        self.one, self.two, self.head = nn.Linear(48, 8), nn.Conv2d(48, 8, 1), nn.Linear(8, CLASSES)

    def forward(self, x):
        first = F.relu(self.one(F.unfold(x, 4, stride=4).transpose(1, 2)))
        second = F.relu(self.two(F.pixel_unshuffle(x, 4))).flatten(2).transpose(1, 2)
        return self.head((first + second.roll(1, 1)).mean(1))


class InPlace(nn.Module):
    """Activations are written in place, by slices."""

    def __init__(self):
        super().__init__()
        self.conv, self.head = nn.Conv2d(3, 6, 3, padding=1), nn.Linear(6, CLASSES)

    def forward(self, x):
        x = self.conv(x)
        y = torch.zeros_like(x)
        y[:, :3] = F.relu(x[:, 3:])
        y[:, 3:] += x[:, :3]
        return self.head(y.mean((2, 3)))


def normed(make) -> nn.Module:
    """Two convolutions with a normalisation between them."""
    head = [nn.ReLU(), nn.Conv2d(8, 8, 3, padding=1), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, CLASSES)]
    return nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), make(), *head)


def activated(make) -> nn.Module:
    """Two convolutions with an activation between them."""
    head = [nn.Conv2d(8, 8, 3), nn.AdaptiveMaxPool2d(1), nn.Flatten(), nn.Linear(8, CLASSES)]
    return nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), make(), *head)


def generator() -> nn.Module:
    """A generator of images: transposed convolutions from a latent vector (DCGAN), its mean explained by channel."""
    ups = [nn.ConvTranspose2d(8, 6, 4), nn.BatchNorm2d(6), nn.ReLU(), nn.ConvTranspose2d(6, 3, 4, 2, 1), nn.Tanh()]
    return nn.Sequential(nn.Unflatten(1, (8, 1, 1)), *ups, nn.AdaptiveAvgPool2d(1), nn.Flatten())


def on_pixels(model: nn.Module, size: int = 16, channels: int = 3) -> Example:
    return Example(settled(model), pixels(size, channels))


UPS = ("transposed", "nearest", "bilinear", "bicubic")
NORMS = {
    "group_norm": lambda: nn.GroupNorm(2, 8), "instance_norm": lambda: nn.InstanceNorm2d(8, affine=True),
    "local_response_norm": lambda: nn.LocalResponseNorm(3),
}  # fmt: skip
ACTIVATIONS = {
    "prelu": lambda: nn.PReLU(8), "elu": nn.ELU, "selu": nn.SELU, "mish": nn.Mish, "softplus": nn.Softplus,
    "hardswish": nn.Hardswish, "softsign": nn.Softsign, "threshold": lambda: nn.Threshold(0.1, 0.0), "celu": nn.CELU,
}  # fmt: skip
MAKERS = {
    **{f"unet_{up}": lambda up=up: on_pixels(UNet(up), channels=1) for up in UPS},
    "squeeze_excite": lambda: on_pixels(SqueezeExcite()),
    "cbam": lambda: on_pixels(SpatialAttention()),
    "feature_pyramid": lambda: on_pixels(Pyramid()),
    "vit_by_hand": lambda: on_pixels(TinyViT()),
    "unfold": lambda: on_pixels(Unfolded()),
    "in_place_slices": lambda: on_pixels(InPlace()),
    "generator": lambda: Example(settled(generator()), normal(BATCH, 8)),
    **{name: lambda make=make: on_pixels(normed(make)) for name, make in NORMS.items()},
    **{name: lambda make=make: on_pixels(activated(make)) for name, make in ACTIVATIONS.items()},
}
ARCHITECTURES = listed("user, convolutional", {f"user.{name}": make for name, make in MAKERS.items()})
