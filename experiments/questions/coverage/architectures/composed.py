"""Networks of several inputs and of tables, and those that return more than one tensor: Siamese, image + table, VAE."""

import torch
from torch import nn
from torch.nn import functional as F

from experiments.questions.coverage.architectures.base import BATCH, Example, listed, normal, pixels, settled

CLASSES = 3


class Siamese(nn.Module):
    """One embedding for two images; ``way`` says how they are compared."""

    def __init__(self, way: str):
        super().__init__()
        self.embed = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(36, 6))
        self.head, self.way = nn.Linear(6, CLASSES), way

    def forward(self, left, right):
        a, b = self.embed(left), self.embed(right)
        if self.way == "cosine":
            return F.cosine_similarity(a, b)[:, None]
        return self.head((a - b).abs() if self.way == "difference" else a * b)


class ImageAndTable(nn.Module):
    """An image and a row of a table, joined."""

    def __init__(self):
        super().__init__()
        self.image = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(2), nn.Flatten())
        self.table, self.head = nn.Sequential(nn.Linear(5, 6), nn.ReLU()), nn.Linear(22, CLASSES)

    def forward(self, image, table):
        return self.head(torch.cat([self.image(image), self.table(table)], 1))


class Categories(nn.Module):
    """A table of categories and numbers: embeddings beside a linear layer."""

    def __init__(self):
        super().__init__()
        self.embeddings, self.numbers = nn.ModuleList(nn.Embedding(7, 4) for _ in range(3)), nn.BatchNorm1d(5)
        self.hidden, self.head = nn.Linear(17, 8), nn.Linear(8, CLASSES)

    def forward(self, categories, numbers):
        found = [embedding(categories[:, i]) for i, embedding in enumerate(self.embeddings)]
        return self.head(F.relu(self.hidden(torch.cat([*found, self.numbers(numbers)], 1))))


class Mixer(nn.Module):
    """MLP-Mixer (Tolstikhin 2021)."""

    def __init__(self, blocks: int = 2):
        super().__init__()
        self.patches, self.head = nn.Conv2d(3, 8, 4, 4), nn.Linear(8, CLASSES)
        self.norms = nn.ModuleList(nn.LayerNorm(8) for _ in range(2 * blocks + 1))
        self.places = nn.ModuleList(nn.Sequential(nn.Linear(16, 12), nn.GELU(), nn.Linear(12, 16)) for _ in range(blocks))
        self.widths = nn.ModuleList(nn.Sequential(nn.Linear(8, 12), nn.GELU(), nn.Linear(12, 8)) for _ in range(blocks))

    def forward(self, x):
        x = self.patches(x).flatten(2).transpose(1, 2)
        for i, (place, width) in enumerate(zip(self.places, self.widths, strict=True)):
            x = x + place(self.norms[2 * i](x).transpose(1, 2)).transpose(1, 2)
            x = x + width(self.norms[2 * i + 1](x))
        return self.head(self.norms[-1](x).mean(1))


class VAE(nn.Module):
    """The encoder of a variational autoencoder: the means are explained, the variances are returned too."""

    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(1, 4, 3, 2, 1), nn.LeakyReLU(0.2), nn.Flatten(), nn.Linear(64, 8), nn.LeakyReLU()
        )
        self.mean, self.variance = nn.Linear(8, 4), nn.Linear(8, 4)

    def forward(self, x):
        found = self.body(x)
        return self.mean(found), self.variance(found)


def images(model: nn.Module) -> Example:
    return Example(settled(model), {"left": pixels(8, 1), "right": pixels(8, 1).square()})


def categories() -> Example:
    chosen = torch.tensor([[0, 3, 6], [5, 1, 2]])
    return Example(settled(Categories()), {"categories": chosen, "numbers": normal(BATCH, 5)})


MAKERS = {
    **{f"siamese_{way}": lambda way=way: images(Siamese(way)) for way in ("difference", "product", "cosine")},
    "image_and_table": lambda: Example(settled(ImageAndTable()), {"image": pixels(8, 1), "table": normal(BATCH, 5)}),
    "categories": categories,
    "mlp_mixer": lambda: Example(settled(Mixer()), pixels(16)),
    "vae_encoder": lambda: Example(settled(VAE()), pixels(8, 1), 0),
}
ARCHITECTURES = listed("user, composed", {f"user.{name}": make for name, make in MAKERS.items()})
