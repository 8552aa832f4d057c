"""torch's recurrent modules: both layouts, one and two directions, stacked, with a projection, with cells in a loop."""

import torch
from torch import nn

from experiments.questions.coverage.architectures.base import BATCH, Example, listed, normal, settled, token_ids

UNITS, TIMES, WIDTH, CLASSES = 6, 5, 4, 3


class LastState(nn.Module):
    """A recurrent module, and a classifier on its output at the last time."""

    def __init__(self, recurrent: nn.RNNBase, units: int = UNITS):
        super().__init__()
        self.recurrent, self.head = recurrent, nn.Linear(units, CLASSES)

    def forward(self, x):
        found, _ = self.recurrent(x)
        return self.head(found[:, -1] if self.recurrent.batch_first else found[-1])


class TimeFirst(LastState):
    """The same for a module whose first axis is time; the input is given batch first and moved."""

    def forward(self, x):
        return super().forward(x.transpose(0, 1))


class FinalHidden(LastState):
    """A classifier on the final hidden state, the second thing that the module returns."""

    def forward(self, x):
        _, state = self.recurrent(x)
        return self.head((state[0] if isinstance(state, tuple) else state)[-1])


class GivenState(LastState):
    """Initial states of zeros are made for the batch, as many training scripts do."""

    def forward(self, x):
        zeros = x.new_zeros(self.recurrent.num_layers, x.shape[0], UNITS)
        found, _ = self.recurrent(x, (zeros, zeros))
        return self.head(found.mean(1))


class Cells(nn.Module):
    """A cell in a loop over time, and its state."""

    def __init__(self, cell: nn.RNNCellBase):
        super().__init__()
        self.cell, self.head = cell, nn.Linear(UNITS, CLASSES)

    def forward(self, x):
        state = x.new_zeros(x.shape[0], UNITS)
        state = (state, state) if isinstance(self.cell, nn.LSTMCell) else state
        for time in range(x.shape[1]):
            state = self.cell(x[:, time], state)
        return self.head(state[0] if isinstance(state, tuple) else state)


class Words(nn.Module):
    """An embedding, an LSTM in both directions and the mean over time: a sentiment classifier."""

    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(50, WIDTH)
        self.recurrent = nn.LSTM(WIDTH, UNITS, batch_first=True, bidirectional=True)
        self.head = nn.Linear(2 * UNITS, CLASSES)

    def forward(self, ids):
        return self.head(self.recurrent(self.embedding(ids))[0].mean(1))


class Attending(nn.Module):
    """A GRU with additive attention over its outputs (Bahdanau 2015)."""

    def __init__(self):
        super().__init__()
        self.recurrent = nn.GRU(WIDTH, UNITS, batch_first=True)
        self.score, self.vector, self.head = nn.Linear(UNITS, 5), nn.Linear(5, 1, bias=False), nn.Linear(UNITS, CLASSES)

    def forward(self, x):
        found, _ = self.recurrent(x)
        share = self.vector(torch.tanh(self.score(found))).softmax(1)
        return self.head((share * found).sum(1))


class Convolved(nn.Module):
    """Convolutions for each frame, then an LSTM over frames."""

    def __init__(self):
        super().__init__()
        self.frames = nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.ReLU(), nn.AdaptiveAvgPool2d(2), nn.Flatten())
        self.recurrent, self.head = nn.LSTM(16, UNITS, batch_first=True), nn.Linear(UNITS, CLASSES)

    def forward(self, x):
        found = self.frames(x.flatten(0, 1)).unflatten(0, x.shape[:2])
        return self.head(self.recurrent(found)[0][:, -1])


def sequence(model: nn.Module) -> Example:
    """A model on a sequence ``(B, T, D)``."""
    return Example(settled(model), normal(BATCH, TIMES, WIDTH))


def batch_first(kind: type[nn.RNNBase], **options) -> nn.RNNBase:
    return kind(WIDTH, UNITS, batch_first=True, **options)


MAKERS = {
    "rnn": lambda: sequence(LastState(batch_first(nn.RNN))),
    "rnn_relu": lambda: sequence(LastState(batch_first(nn.RNN, nonlinearity="relu"))),
    "gru": lambda: sequence(LastState(batch_first(nn.GRU))),
    "lstm": lambda: sequence(LastState(batch_first(nn.LSTM))),
    "rnn_time_first": lambda: sequence(TimeFirst(nn.RNN(WIDTH, UNITS))),
    "gru_time_first": lambda: sequence(TimeFirst(nn.GRU(WIDTH, UNITS))),
    "lstm_time_first": lambda: sequence(TimeFirst(nn.LSTM(WIDTH, UNITS))),
    "gru_bidirectional": lambda: sequence(LastState(batch_first(nn.GRU, bidirectional=True), 2 * UNITS)),
    "lstm_bidirectional": lambda: sequence(LastState(batch_first(nn.LSTM, bidirectional=True), 2 * UNITS)),
    "lstm_stacked": lambda: sequence(LastState(batch_first(nn.LSTM, num_layers=3, dropout=0.1))),
    "gru_stacked_bidirectional": lambda: sequence(
        LastState(batch_first(nn.GRU, num_layers=2, bidirectional=True), 2 * UNITS)
    ),
    "lstm_projected": lambda: sequence(LastState(batch_first(nn.LSTM, proj_size=3), 3)),
    "lstm_without_bias": lambda: sequence(LastState(batch_first(nn.LSTM, bias=False))),
    "lstm_final_hidden": lambda: sequence(FinalHidden(batch_first(nn.LSTM))),
    "lstm_given_state": lambda: sequence(GivenState(batch_first(nn.LSTM))),
    "rnn_cell": lambda: sequence(Cells(nn.RNNCell(WIDTH, UNITS))),
    "gru_cell": lambda: sequence(Cells(nn.GRUCell(WIDTH, UNITS))),
    "lstm_cell": lambda: sequence(Cells(nn.LSTMCell(WIDTH, UNITS))),
    "lstm_words": lambda: Example(settled(Words()), token_ids()),
    "gru_attention": lambda: sequence(Attending()),
    "cnn_lstm": lambda: Example(settled(Convolved()), normal(BATCH, 3, 1, 8, 8)),
}
ARCHITECTURES = listed("recurrent", {f"recurrent.{name}": make for name, make in MAKERS.items()})
