"""The review network as a function of the vectors of its words, which is what relevance is handed down to."""

from torch import Tensor, nn

from experiments.models.reviews import ReviewNetwork


class WordNetwork(nn.Module):
    """The same function of the vectors of exactly ``length`` words: the log-odds of either class.

    The mean and the first dense layer are one affine layer, ``z_k = Σ_t Σ_j (w_kj / length) x_tj + b_k``, whose inputs
    are all numbers of all words; a word that is not there is no input of it. # shape: (B, length, D) -> (B, 2)
    """

    def __init__(self, network: ReviewNetwork, length: int):
        super().__init__()
        first, *between, last = [layer for layer in network.dense if not isinstance(layer, nn.Dropout)]
        self.read = linear(first.weight.repeat(1, length) / length, first.bias)
        self.between = nn.Sequential(*between)
        self.odds = linear(last.weight - last.weight.flip(0), last.bias - last.bias.flip(0))

    def forward(self, vectors: Tensor) -> Tensor:
        return self.odds(self.between(self.read(vectors.flatten(1))))


def linear(weight: Tensor, bias: Tensor) -> nn.Linear:
    """A dense layer with given parameters."""
    made = nn.utils.skip_init(nn.Linear, weight.shape[1], weight.shape[0], dtype=weight.dtype)
    made.load_state_dict({"weight": weight, "bias": bias})
    return made
