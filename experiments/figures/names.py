"""Names in print."""

from dtd.plans.rules import SYMBOLS, catalogue

BOX = r"z$^\mathrm{B}$"  # as mathtext: few fonts have the letter ᴮ
NAMES = {name: rule.alias.replace("`", "").replace("z^B", BOX) for name, rule in catalogue.items()} | {
    "epsilon_plus": "ε⁺",
    "epsilon_gamma_box": "ε-γ-box",
    "overview": "LRP overview",
    "epsilon_plus_flat": "ε⁺-flat",
    "epsilon_alpha2_beta1": "ε-α2β1",
    "deep_taylor_2017": "deep Taylor",
    "lrp_overview_2019": "LRP overview",
    "gradient_x_input": "gradient × input",
    "leave_one_out": "leave one out",
    "random": "random order",
    "output": "from the output down",
    "input": "from the input up",
    "each": "each layer alone",
    "wsquare_zplus": "w², z⁺",
    "flat_zplus": "flat, z⁺",
    "training_free": "training-free",
    "min_max": "min-max",
    "random_weights": "random weights",
    "mlp": "MLP",
    "cnn": "CNN",
    "vgg16": "VGG-16",
    "radial": "radial basis functions",
    "resnet18": "ResNet-18",
    "vit_b_16": "ViT-B/16",
    "bert_base": "BERT-base",
    "gpt2": "GPT-2",
    "smollm2_135m": "SmolLM2-135M's size",
    "lstm": "LSTM",
    "attnlrp": "AttnLRP",
    "attnlrp_gamma": "AttnLRP, γ",
    "cp_lrp": "CP-LRP",
    "lstm_2017": "LSTM 2017",
    "squeezenet": "SqueezeNet 1.1",
    "efficientnet_lite0": "EfficientNet-Lite0",
}

COLUMNS = SYMBOLS | {
    "layer_number": "layer with weights, from the input",
    "gone": "share of regions gone",
    "randomised": "share of layers randomised",
    "depth": "steps down from the output",
}


def titled(column: str) -> str:
    """A column's or parameter's name in print; one that is not known has blanks for its underscores."""
    return COLUMNS.get(column, column.replace("_", " "))


def printed(key: str) -> str:
    """A rule's, plan's or model's name in print; one that is not known has blanks for its underscores."""
    return NAMES.get(key, key.replace("_", " "))


def plain(key: str) -> str:
    """The same without mathtext."""
    return printed(key).replace(BOX, "zᴮ")
