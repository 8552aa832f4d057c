"""``references.bib``: dtd itself, and the sources of the rules and presets that the reported runs used."""

from collections.abc import Sequence
from importlib.resources import files
from re import findall

from experiments.report.runs import Run

OWN = "dtd"
USED = {
    "lrp0": ("bach2015", "montavon2019"),
    "epsilon": ("bach2015", "montavon2019"),
    "gamma": ("montavon2019",),
    "gamma_signed": ("andeol2021",),
    "zplus": ("montavon2017",),
    "zplus_signed": ("bach2015",),
    "alphabeta": ("bach2015", "montavon2019"),
    "wsquare": ("montavon2017",),
    "zbox": ("montavon2017",),
    "flat": ("lapuschkin2019", "montavon2019"),
    "pattern": ("kindermans2018",),
    "deep_taylor_2017": ("montavon2017",),
    "lrp_overview_2019": ("montavon2019",),
    "epsilon_plus": ("montavon2019",),
    "epsilon_plus_flat": ("lapuschkin2019",),
    "epsilon_alpha2_beta1": ("bach2015",),
    "epsilon_gamma_box": ("anders2021",),
    "attnlrp": ("achtibat2024",),
    "cp_lrp": ("ali2022", "achtibat2024"),
    "transformers_2022": ("ali2022",),
    "lstm_2017": ("arras2017",),
}


def references(runs: Sequence[Run]) -> str:
    """BibTeX entries for the rules and presets that the configs of the runs name, and for dtd."""
    keys = {OWN}
    for run in runs:
        for key, value in run.config.items():
            if key.rpartition(".")[2] in ("rule", "preset"):
                keys.update(USED.get(str(value), ()))
    text = (files("experiments.report") / "templates" / "references.bib").read_text(encoding="utf-8")
    entries = findall(r"(?ms)^(@\w+\{(\w+),.*?^\})", text)
    return "\n\n".join(entry for entry, key in entries if key in keys) + "\n"
