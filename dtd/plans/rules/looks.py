"""Colour and marker of each rule of the catalogue, the same in every figure, in the catalogue's order."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class RuleLook:
    """A colour as ``#rrggbb``, and a marker of matplotlib."""

    colour: str
    marker: str


LOOKS: Mapping[str, RuleLook] = {
    "lrp0": RuleLook("#0072B2", "o"),
    "epsilon": RuleLook("#56B4E9", "s"),
    "gamma": RuleLook("#009E73", "D"),
    "gamma_signed": RuleLook("#7B3294", "^"),
    "zplus": RuleLook("#D55E00", "v"),
    "zplus_signed": RuleLook("#E69F00", "P"),
    "alphabeta": RuleLook("#CC79A7", "*"),
    "wsquare": RuleLook("#000000", "X"),
    "zbox": RuleLook("#8C564B", "<"),
    "flat": RuleLook("#7F7F7F", ">"),
    "pattern": RuleLook("#BCBD22", "p"),
}
