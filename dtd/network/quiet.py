"""What torch says while it exports a model: nothing on the screen, and of an error the sentence that says what is wrong."""

import logging
import re
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr
from typing import TextIO

LOGGERS = ("torch.export", "torch.fx.experimental.symbolic_shapes", "torch._dynamo")
GRAPH = "def forward(self, arg"  # what the listing of an unfinished graph begins with


class WithoutGraphs:
    """A stream that leaves out the listings of unfinished graphs; what a model itself prints goes through."""

    def __init__(self, stream: TextIO):
        self.stream, self.after = stream, False  # whether a listing has just been left out

    def write(self, text: str) -> int:
        """Write a text that is no listing, nor the end of its line."""
        left_out = text.lstrip().startswith(GRAPH) or (self.after and text == "\n")
        self.after = left_out and text != "\n"
        return len(text) if left_out else self.stream.write(text)

    def __getattr__(self, name: str):
        return getattr(self.stream, name)


@contextmanager
def quiet() -> Iterator[None]:
    """Without torch's warnings, log lines and listings of graphs."""
    loggers = [logging.getLogger(name) for name in LOGGERS]
    levels = [logger.level for logger in loggers]
    try:
        for logger in loggers:
            logger.setLevel(logging.CRITICAL)
        with warnings.catch_warnings(), redirect_stderr(WithoutGraphs(sys.stderr)):
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


def reason(error: Exception) -> str:
    """What torch.export says, without its advice to its developers, and the line of the model at which it stopped."""
    text = str(error)
    said = text.strip().partition("\n")[0].partition(" (unhinted")[0].rstrip(".:")
    lines = re.findall(r'File "(.+)", line (\d+), in .+\n\s+(.+)', text.partition("raised this error:")[2])
    where = f" ({lines[-1][0]}, line {lines[-1][1]}: {lines[-1][2]})" if lines else ""
    return f"{said or type(error).__name__}{where}."
