"""One call for each library that explains attention: relevance of what a model's tokens look up, or of pictures.

LXT changes classes of torch and of transformers for good, so each of its calls has a process of its own.
"""

from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from importlib import import_module
from multiprocessing import get_context

import torch
from torch import Tensor, nn

from tests.tiny_transformers import Looked, made

MODULES = {name: f"transformers.models.{name}.modeling_{name}" for name in ("bert", "gpt2", "llama")}


def by_autolrp(model: nn.Module, x: Tensor, explained: Callable[[Tensor], Tensor], rules: str) -> Tensor:
    """autoLRP with ``ATTNLRP`` or ``CPLRP`` beside its base rules, its stabiliser made tiny."""
    autolrp = import_module("autolrp")
    config = autolrp.LRPConfig(rule={**autolrp.BASE, **getattr(autolrp, rules)}, eps=1e-17)
    model.requires_grad_(False)
    wrapped = autolrp.tensor(x)
    explained(model(wrapped)).sum().lrp(config=config)
    return wrapped.relevance.as_subclass(Tensor).detach()


def by_lxt(name: str, rules: str, implementation: str, inputs: dict[str, Tensor]) -> Tensor:
    """LXT's efficient patches, ``attnLRP`` or ``cp_LRP``: gradient × input of logit 1, at the last token."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(_lxt, name, rules, implementation, inputs).result()


def _lxt(name: str, rules: str, implementation: str, inputs: dict[str, Tensor]) -> Tensor:
    patched = import_module(MODULES[name])
    maps = import_module(f"lxt.efficient.models.{name}")
    import_module("lxt.efficient").monkey_patch(patched, getattr(maps, rules))
    model = made(name, implementation, own_norms=True)
    model.requires_grad_(False)
    x = model.get_input_embeddings()(inputs["input_ids"]).detach().requires_grad_()
    y = Looked(model, inputs["attention_mask"])(x)
    y = y[:, 1] if name == "bert" else y[:, -1, 1]
    (gradient,) = torch.autograd.grad(y.sum(), x)
    return (gradient * x).detach()
