"""A classifier of texts on a pretrained encoder: the mean of its tokens' vectors, then one dense layer; trained once."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional as F

from experiments.configs.base import require
from experiments.configs.models import MiniLMConfig
from experiments.data import Data
from experiments.data.text.reviews import Reviews, Text
from experiments.data.text.tokens import Tokens, padded, tokens
from experiments.machine.conditions import seeded, threads
from experiments.machine.console import progress
from experiments.machine.results import atomically
from experiments.models.minilm import encoder
from experiments.models.pretrained import LanguageModel
from experiments.models.training import cached, read

POOL = 20  # batches of about equal length are cut from the texts of so many batches
WARM_UP = 50  # steps in which the learning rate rises
THREADS = 1  # of training, the same number everywhere: sums are in one order
AT_ONCE = 64  # texts that are classified together


class SentenceClassifier(nn.Module):
    """Two logits (negative, positive) of each text. # shape: ids (B, T), ``padding`` behind the last token -> (B, 2)"""

    def __init__(self, encoder: nn.Module, padding: int, dropout: float, tuned: int):
        super().__init__()
        self.encoder = encoder
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(encoder.config.hidden_size, 2)
        self.padding = padding
        layers = encoder.encoder.layer
        require(tuned <= len(layers), "model.tuned", f"at most the {len(layers)} layers of the encoder", tuned)
        for module in layers[len(layers) - tuned :]:  # the encoder has no gradients; the head has them
            module.requires_grad_(True)

    def forward(self, ids: Tensor) -> Tensor:
        there = ids != self.padding
        hidden = self.encoder(input_ids=ids, attention_mask=there.long()).last_hidden_state
        weights = there.to(hidden.dtype)[..., None]
        return self.head(self.dropout((hidden * weights).sum(1) / weights.sum(1)))


@dataclass(frozen=True, eq=False)
class Classifier:
    """A trained classifier, the tokenizer that it reads with, and the most tokens that it reads of a text."""

    model: SentenceClassifier
    tokenizer: object
    most: int

    def encoded(self, text: Text) -> Tokens:
        """A text's tokens."""
        return tokens(self.tokenizer, text.words, self.most)

    def batch(self, ids: Sequence[Sequence[int]]) -> Tensor:
        """Token ids side by side. # shape: (B, T)"""
        return padded(ids, self.model.padding)

    @torch.no_grad()
    def logits(self, ids: Sequence[Sequence[int]]) -> Tensor:
        """Logits of texts of any lengths, those of about one length together. # shape: (N, 2)"""
        found = torch.zeros(len(ids), 2, dtype=self.model.head.weight.dtype)
        ordered = sorted(range(len(ids)), key=lambda place: len(ids[place]))
        for places in torch.tensor(ordered).split(AT_ONCE) if ordered else ():
            found[places] = self.model(self.batch([ids[place] for place in places]))
        return found


def classifier(config: MiniLMConfig, data: Reviews) -> Classifier:
    """The classifier, trained on the data's training texts, or read from the cache; without gradients for its parameters.

    The same seed gives the same weights on any machine of one kind, since training has one thread everywhere. What training
    moves alone is cached: the encoder's other parameters come from its own file.
    """
    with seeded(config.seed):
        source = encoder(config)
        model = SentenceClassifier(source.model, source.tokenizer.pad_token_id, config.dropout, config.tuned)
        made = Classifier(model.eval(), source.tokenizer, config.max_tokens)
        ids = [made.encoded(text).ids for text in data.train_texts]
        path = cached(
            identified(source, config), config, Data(made.batch(ids), data.train_y, data.test_x, None, data.domain, 2)
        )
        weights = read(path)
        if weights is None:
            with threads(THREADS):
                train(model, ids, data.train_y, config)
            path.parent.mkdir(parents=True, exist_ok=True)
            moved = {name: value.detach() for name, value in model.named_parameters() if value.requires_grad}
            atomically(path, lambda part: save_file(moved, part))
        else:
            model.load_state_dict(weights, strict=False)
    model.eval().requires_grad_(False)
    return made


def identified(source: LanguageModel, config: MiniLMConfig) -> partial:
    """What the cached weights depend on beside config and texts: the encoder's own numbers."""
    numbers = torch.stack([value.detach().double().abs().sum() for value in source.model.parameters()])
    return partial(SentenceClassifier, encoder=numbers, padding=source.tokenizer.pad_token_id)


@torch.enable_grad()
def train(model: SentenceClassifier, ids: Sequence[Sequence[int]], y: Tensor, config: MiniLMConfig) -> None:
    """AdamW on the cross entropy; the learning rate rises for a few steps, then falls linearly to 0."""
    moved = [value for value in model.parameters() if value.requires_grad]
    optimiser = torch.optim.AdamW(moved, lr=config.learning_rate, weight_decay=config.weight_decay)
    total = config.epochs * -(-len(ids) // config.batch)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: min((step + 1) / WARM_UP, 1 - step / total))
    model.dropout.train()  # that of the head alone: the encoder drops nothing
    steps = (places for _ in range(config.epochs) for places in batches([len(each) for each in ids], config.batch))
    for places in progress(steps, f"training the {type(model).__name__}", total):
        optimiser.zero_grad()
        F.cross_entropy(model(padded([ids[place] for place in places], model.padding)), y[places]).backward()
        optimiser.step()
        schedule.step()


def batches(lengths: Sequence[int], size: int) -> Iterator[Tensor]:
    """Every text once, in batches of texts of about one length, in random order. # shape: (size,) places, or fewer"""
    cut = []
    for pool in torch.randperm(len(lengths)).split(POOL * size):
        cut += torch.tensor(sorted(pool.tolist(), key=lambda place: lengths[place])).split(size)
    for number in torch.randperm(len(cut)).tolist():
        yield cut[number]
