"""Names in print."""

NAMES = {
    "lrp0": "LRP-0",
    "epsilon": "LRP-ε",
    "gamma": "LRP-γ",
    "gamma_signed": "γ signed",
    "zplus": "z⁺",
    "zplus_signed": "z⁺ signed",
    "alphabeta": "αβ",
    "wsquare": "w²",
    "zbox": r"z$^\mathrm{B}$",
    "epsilon_plus": "ε⁺",
    "epsilon_gamma_box": "ε-γ-box",
    "mlp": "MLP",
    "cnn": "CNN",
    "vgg16": "VGG-16",
}


def printed(key: str) -> str:
    """A rule's, plan's or model's name in print; what has none is printed as it is."""
    return NAMES.get(key, key)
