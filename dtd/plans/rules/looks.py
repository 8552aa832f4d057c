"""Colour and marker of each rule of the catalogue, the same in every figure, in the catalogue's order."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Look:
    """A colour as ``#rrggbb``, and a marker of matplotlib."""

    colour: str
    marker: str


LOOKS: Mapping[str, Look] = {
    "lrp0": Look("#0072B2", "o"),
    "epsilon": Look("#56B4E9", "s"),
    "gamma": Look("#009E73", "D"),
    "gamma_signed": Look("#7B3294", "^"),
    "zplus": Look("#D55E00", "v"),
    "zplus_signed": Look("#E69F00", "P"),
    "alphabeta": Look("#CC79A7", "*"),
    "wsquare": Look("#000000", "X"),
    "zbox": Look("#8C564B", "<"),
    "flat": Look("#7F7F7F", ">"),
    "pattern": Look("#BCBD22", "p"),
}
