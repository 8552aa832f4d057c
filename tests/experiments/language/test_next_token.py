"""The tiny LLaMA's next token: what is explained, contrasts, and several tokens from one sweep."""

from dataclasses import replace

import numpy as np
import pytest

from experiments.configs.base import ConfigError
from experiments.models.smollm2 import causal
from experiments.questions.next_token.prompt import explained, prompt
from experiments.questions.next_token.question import QUESTION, tables


def answered(config, **asked):
    return dict(tables(replace(config, question=replace(config.question, **asked))))


def relevance(found, plan: str, place: int = 0) -> np.ndarray:
    words = found["words"]
    return words[(words.plan == plan) & (words.text == place)].relevance.to_numpy()


@pytest.fixture(scope="module")
def found(prompt_config):
    return answered(prompt_config, others=2)


def test_every_table_is_there_and_balances_close(found):
    assert list(found) == ["candidates", "texts", "words", "blocks", "rows"]
    assert QUESTION.problems(found) == [] and (found["rows"].gap.dropna().abs() < 1e-2).all()
    assert found["rows"].gap.notna().sum() == 4 and found["texts"].answer.nunique() == 3
    broken = found["rows"].assign(gap=0.5)
    assert len(QUESTION.problems({"rows": broken})) == len(broken)
    best = found["candidates"].iloc[0]
    assert found["texts"].answer[0] == best.token and found["texts"].explained[0] == pytest.approx(best.logit)
    assert {"the", "plot", "is", "very", "good"} <= set(found["words"].word)


def test_a_contrast_is_the_difference_of_two_explanations(prompt_config):
    contrast = answered(prompt_config, answer="good", against="bad")
    good, bad = (answered(prompt_config, answer=word, others=0) for word in ("good", "bad"))
    assert len(contrast["texts"]) == 1 and contrast["texts"].against[0].strip() == "bad"
    for plan in ("attnlrp", "cp_lrp", "transformers_2022", "gradient_x_input"):
        wanted = relevance(good, plan) - relevance(bad, plan)
        assert relevance(contrast, plan) == pytest.approx(wanted, abs=2e-5 * np.abs(wanted).max() + 1e-6), plan
    assert not np.allclose(relevance(contrast, "attnlrp"), relevance(good, "attnlrp"))


def test_several_tokens_from_one_sweep_are_each_as_alone(found, prompt_config):
    second = found["texts"].answer[1]
    alone = answered(prompt_config, answer=second, others=0)
    for plan in ("attnlrp", "cp_lrp"):
        assert relevance(found, plan, 1) == pytest.approx(relevance(alone, plan), abs=1e-6), plan


def test_words_that_do_not_fit_are_refused(prompt_config):
    given = prompt(causal(prompt_config.model), "the plot")
    for key, asked in (
        ("question.against", {"answer": "good", "against": "good"}),
        ("question.answer", {"answer": "zebra"}),
    ):
        with pytest.raises(ConfigError, match=key):
            explained(replace(prompt_config.question, **asked), given)
    with pytest.raises(ConfigError, match="question.text"):
        prompt(causal(prompt_config.model), "the")
    with pytest.raises(ConfigError, match="question.others"):
        QUESTION.check(replace(prompt_config, question=replace(prompt_config.question, others=-1)))
