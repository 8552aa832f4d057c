"""Lengths that vary: what the model's code asks of them is asked of each call, and torch says nothing beside our errors."""

import pytest
import torch
from torch import nn

import dtd
from tests.dtd.faults import LRP0

IDS = torch.tensor([[1, 2, 3, 4], [5, 6, 7, 8]])


class Words(nn.Module):
    """A mean over vectors of words, by a function of them and of the ids."""

    def __init__(self, function):
        super().__init__()
        torch.manual_seed(0)
        self.table, self.fc, self.function = nn.Embedding(10, 4), nn.Linear(4, 2), function

    def forward(self, ids):
        return self.fc(self.function(self.table(ids), ids).mean(1))


def of_length(length):
    return torch.cat([IDS] * 3, 1)[:, :length]


BRANCHES = {
    "even": lambda h, ids: h * 2 if ids.shape[1] % 2 == 0 else h,
    "three": lambda h, ids: h * 2 if ids.shape[1] % 3 == 0 else h,
    "one number": lambda h, ids: h * 2 if ids.shape[1] == 4 else h,
    "another number": lambda h, ids: h * 2 if ids.shape[1] == 7 else h,
    "halves": lambda h, ids: h * 2 if ids.shape[1] // 2 == 1 else h,
    "longer": lambda h, ids: h * 2 if ids.shape[1] > 6 else h,
    "pairs": lambda h, ids: h.reshape(len(h), -1, 2, 4).sum(2),
    "padded": lambda h, ids: torch.cat([h, torch.zeros(len(h), 8 - h.shape[1], 4)], 1),
}


@pytest.mark.parametrize("function", BRANCHES.values(), ids=BRANCHES)
def test_at_each_length_the_answer_is_the_models_or_an_error_whose_advice_works(function):
    model = Words(function).eval()
    network = dtd.trace(model, IDS)
    for length in range(2, 10):
        ids = of_length(length)
        try:
            found = dtd.explain(network, ids, 0, LRP0)
        except dtd.InputError:
            try:
                expected = model(ids)
            except RuntimeError:
                continue  # the model does not take it either
            found = dtd.explain(dtd.trace(model, ids), ids, 0, LRP0)
        else:
            expected = model(ids)
        torch.testing.assert_close(found.output, expected.detach())


def test_the_message_says_that_the_code_takes_another_way():
    network = dtd.trace(Words(BRANCHES["even"]).eval(), IDS)
    with pytest.raises(dtd.InputError, match=r"At length 5 the model's code takes another way .*Trace the model on inputs"):
        dtd.explain(network, of_length(5), 0, LRP0)


def test_lengths_that_torch_alone_asks_about_are_not_refused():
    network = dtd.trace(Words(BRANCHES["padded"]).eval(), IDS)
    for length in (2, 7, 8):
        dtd.explain(network, of_length(length), 0, LRP0, verify=True)


VALUES = {
    "if": (lambda h, ids: h * 2 if ids.sum() > 0 else h, "if ids.sum"),
    "item": (lambda h, ids: h[:, : int((ids > 0).sum())], "int"),
}


@pytest.mark.parametrize(("function", "code"), VALUES.values(), ids=VALUES)
def test_branches_on_values_are_refused_in_words_and_torch_prints_nothing(function, code, capfd, recwarn):
    with pytest.raises(dtd.TraceError, match=r"Python branches on values .* must go. It said: Could not") as error:
        dtd.trace(Words(function).eval(), IDS)
    assert "\n" not in str(error.value) and "TORCH_LOGS" not in str(error.value)
    assert __file__ in str(error.value)  # where it happens
    printed = capfd.readouterr()
    assert printed.out == printed.err == "" and not recwarn.list


def test_what_a_model_prints_while_it_is_traced_is_printed(capsys):
    import sys

    def loud(h, ids):
        print("here", file=sys.stderr)
        return h

    dtd.trace(Words(loud).eval(), IDS)
    assert "here\n" in capsys.readouterr().err
