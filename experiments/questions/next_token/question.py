"""Which tokens of a prompt speak for the token that comes next, by each rule, and what does each block keep back?

What is explained is the logit of the next token, or with ``against`` the difference of two logits. All next tokens are
explained from one forward sweep of each plan.
"""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pandas as pd
from torch import Tensor

from dtd.explaining.explain import explain_each
from dtd.explaining.explanation import Explanation
from dtd.network import trace
from experiments.configs.base import require
from experiments.configs.models import SmolLM2Config
from experiments.configs.questions.language import NextTokenConfig
from experiments.configs.run import Config
from experiments.figures.language import next_token_figures
from experiments.figures.summary import Measure, Summary, Tables
from experiments.figures.terminal.language import show_next_token
from experiments.measures.blocks import arrived, kept_back
from experiments.measures.embedded import gradient_times_input
from experiments.models.pretrained import LanguageModel
from experiments.models.smollm2 import causal
from experiments.plans import plans
from experiments.questions.base import Question
from experiments.questions.next_token.prompt import Explained, Prompt, explained, last, prompt

GRADIENT = "gradient_x_input"
CANDIDATES = 10  # of the most probable tokens that are listed
CLOSED = {"float64": 1e-8, "float32": 1e-2}  # of what is explained: what balances may leave


def tables(config: Config) -> Iterator[tuple[str, pd.DataFrame]]:
    """The most probable tokens, what is explained, relevance of each token of the prompt, and what blocks keep back."""
    asked = config.asked(NextTokenConfig)
    found = causal(config.model)
    found.model.to(config.dtype.torch)
    given = prompt(found, asked.text)
    chosen = explained(asked, given)
    yield "candidates", candidates(given)
    yield "texts", pd.DataFrame(described(given, each, place) for place, each in enumerate(chosen))
    network = trace(found.model, {"input_ids": given.ids}, output=last)
    relevance: dict[tuple[int, str], Tensor] = {}
    kept, closed = [], {}
    inputs = {"input_ids": given.ids}
    for name, plan in plans(config, network, None).items():
        targets = [each.initial for each in chosen]
        for place, out in enumerate(explain_each(network, inputs, targets, plan)):
            relevance[place, name] = of_tokens(out)
            if place == 0:
                kept.append(kept_back(out).assign(plan=name))
                closed[name] = 1 - arrived(out) - kept[-1].kept.sum()
    for place, each in enumerate(chosen):
        relevance[place, GRADIENT] = gradients(found, given, each)
    yield "words", pieces(given, relevance)
    yield "blocks", pd.concat(kept, ignore_index=True)
    yield "rows", rows(given, chosen, relevance, closed)


def of_tokens(out: Explanation) -> Tensor:
    """Relevance of each token: the sum over its vector. # shape: (T,)"""
    (vectors,) = out.parts
    return vectors.double().sum(-1)[0]


def gradients(found: LanguageModel, given: Prompt, each: Explained) -> Tensor:
    """Gradient × input of each token. # shape: (T,)"""
    value = gradient_times_input(
        found.model.get_input_embeddings(), lambda: each.value(last(found.model(input_ids=given.ids)))
    )
    return value[0].double()


def candidates(given: Prompt) -> pd.DataFrame:
    """The most probable next tokens. Columns: ``token``, ``probability``, ``logit``."""
    chances = given.logits.softmax(1)[0]
    most = chances.topk(min(CANDIDATES, len(chances))).indices.tolist()
    return pd.DataFrame(
        {"token": given.shown(i), "probability": chances[i].item(), "logit": given.logits[0, i].item()} for i in most
    )


def described(given: Prompt, each: Explained, place: int) -> dict[str, object]:
    """What is explained: ``text`` (its number), ``answer``, ``against``, ``probability``, and ``explained``, its value."""
    return {
        "text": place,
        "answer": given.shown(each.answer),
        "against": None if each.against is None else given.shown(each.against),
        "probability": given.logits.softmax(1)[0, each.answer].item(),
        "explained": each.value(given.logits).item(),
    }


def pieces(given: Prompt, relevance: Mapping[tuple[int, str], Tensor]) -> pd.DataFrame:
    """One row for each explained token, method and token of the prompt.

    Columns: ``text`` (which explained token), ``plan``, ``position``, ``word``, ``spaced``, ``known``, ``relevance`` and
    ``positive``, the same.
    """
    texts = given.pieces
    row = {"word": [text.strip() or repr(text) for text in texts], "spaced": [text[:1].isspace() for text in texts]}
    parts = []
    for (place, method), values in sorted(relevance.items(), key=lambda item: item[0][0]):
        label = {"text": place, "plan": method, "position": range(len(texts)), "known": True}
        parts.append(pd.DataFrame({**label, **row, "relevance": values.numpy(), "positive": values.numpy()}))
    return pd.concat(parts, ignore_index=True)


def rows(
    given: Prompt,
    chosen: Sequence[Explained],
    relevance: Mapping[tuple[int, str], Tensor],
    closed: Mapping[str, float],
) -> pd.DataFrame:
    """One row for each explained token and method.

    Columns: ``plan``, ``answer``; as shares of what is explained ``conserved``, the relevance of all tokens, ``first``, that
    of the first token, and ``size``, ``Σ|relevance of a token|``; ``gradient``, the correlation with gradient × input
    over the tokens; ``gap``, what the balances leave (of the answer).
    """
    made = []
    for (place, method), values in sorted(relevance.items(), key=lambda item: item[0][0]):
        value = chosen[place].value(given.logits).item()
        own = {"plan": method, "answer": given.shown(chosen[place].answer)}
        shares = {"conserved": values.sum() / value, "first": values[0] / value, "size": values.abs().sum() / abs(value)}
        beside = np.corrcoef(values, relevance[place, GRADIENT])[0, 1]
        gap = closed.get(method, np.nan) if place == 0 else np.nan
        made.append({**own, **{name: share.item() for name, share in shares.items()}, "gradient": beside, "gap": gap})
    return pd.DataFrame(made).assign(dtype=str(given.logits.dtype).removeprefix("torch."))


def check(config: Config) -> None:
    """Raises :class:`ConfigError` where the question does not fit."""
    asked = config.asked(NextTokenConfig)
    require(isinstance(config.model, SmolLM2Config), "model", "smollm2", type(config.model).__name__)
    require(bool(asked.text.strip()), "question.text", "a prompt", repr(asked.text))
    require(asked.others >= 0, "question.others", "at least 0", asked.others)
    for key in ("answer", "against"):
        word = getattr(asked, key)
        require(word is None or bool(word.strip()), f"question.{key}", "null or a word", repr(word))


def problems(tables: Tables) -> list[str]:
    """Balances that do not close."""
    found = tables["rows"].dropna(subset="gap")
    return [
        f"{r.plan}: what blocks keep back and what arrives leave {r.gap:.2g} of what is explained; allowed are "
        f"{CLOSED[r.dtype]:g} in {r.dtype}"
        for r in found.itertuples()
        if not abs(r.gap) <= CLOSED[r.dtype]
    ]


SUMMARIES = {
    "rows": Summary(
        within=("answer",),
        compared=("plan",),
        measures={
            "conserved": Measure("conservation", 1.0),
            "first": Measure("relevance of the first token"),
            "size": Measure("Σ|R| over what is explained"),
            "gradient": Measure("correlation with gradient × input"),
        },
    ),
    "blocks": Summary(within=("block", "part"), compared=("plan",), measures={"kept": Measure("kept back")}),
}
QUESTION = Question(check, tables, show_next_token, next_token_figures, problems, summaries=SUMMARIES)
