"""Names in print of what the framework names: rules and presets."""

from collections.abc import Mapping

from dtd.plans.rules import catalogue

BOX = r"z$^\mathrm{B}$"  # as mathtext: few fonts have the letter ᴮ
PRINTED: Mapping[str, str] = {name: rule.alias.replace("`", "").replace("z^B", BOX) for name, rule in catalogue.items()} | {
    "epsilon_plus": "ε⁺",
    "epsilon_gamma_box": "ε-γ-box",
    "epsilon_plus_flat": "ε⁺-flat",
    "epsilon_alpha2_beta1": "ε-α2β1",
    "deep_taylor_2017": "deep Taylor",
    "lrp_overview_2019": "LRP overview",
}


def rule_name(key: str) -> str:
    """A rule's or preset's name in print; one that is not known as it is."""
    return PRINTED.get(key, key)
