"""The question ``sentence_similarity`` on a tiny BERT: words and their tokens, occlusion by hand, rows that add up."""

import numpy as np
import pytest
import torch

from experiments.configs.base import ConfigError
from experiments.models.minilm import encoder
from experiments.questions import sentence_similarity
from experiments.questions.sentence_similarity.sentences import Embedding, interactions, pairs_of
from tests.experiments.language.conftest import config_of

TEXTS = '[["the film is awful.","the story is very good!"]]'


@pytest.fixture
def config(language_files):
    options = ("plan=epsilon", "dtype=float64", "threads=1", f"question.pairs={TEXTS}")
    return config_of("experiment=sentence_similarity", f"model.path={language_files}/bert", *options)


def test_words_hold_all_of_the_relevance_of_their_tokens(config):
    source = encoder(config.model)
    ((left, right),) = pairs_of(source.tokenizer, config.question.pairs, 64)
    assert [word.shown for word in left.words] == ["the", "film", "is", "awful", "."]
    assert left.ids.shape[1] > len(left.words) + 2  # "awful" is two tokens, and two are added
    relevance = torch.arange(left.ids.shape[1]).double()[None, :, None] + torch.zeros(1, 1, 2)
    pooled = left.pooled(relevance)
    assert pooled.shape == (1, 6) and pooled.sum() == relevance.sum()
    assert pooled[0, -1] == 2 * (0 + left.ids.shape[1] - 1)  # at both ends
    model = Embedding(source.model.double())
    with torch.no_grad():
        words = "the film is .".split()
        without = [source.tokenizer(" ".join(words))["input_ids"]]
        gone = model(left.ids) - model(torch.tensor(without))
        two = model(right.ids) - model(torch.tensor([right.tokens.without(frozenset([4]))]))
    torch.testing.assert_close(interactions(model, left, right, 0.5)[3, 4], 0.5 * (gone * two).sum())


def test_rows_add_up(config):
    sentence_similarity.QUESTION.check(config)
    tables = dict(sentence_similarity.QUESTION.tables(config))
    rows, links = tables["rows"], tables["links"]
    np.testing.assert_allclose(rows[["first", "left", "right", "both"]].sum(axis=1), rows.similarity, rtol=1e-8)
    np.testing.assert_allclose(links.relevance.sum() + rows.added, rows["first"], rtol=1e-8)
    assert len(links) == 5 * 6 and rows.similarity.abs().item() <= 1
    assert np.corrcoef(links.relevance, links.occlusion)[0, 1] == pytest.approx(rows.occlusion.item())


def test_what_does_not_fit_is_refused(config, language_files):
    for pairs in ("[]", '[["one"]]', '[["one"," "]]'):
        made = config_of("experiment=sentence_similarity", f"model.path={language_files}/bert", f"question.pairs={pairs}")
        with pytest.raises(ConfigError, match="'question.pairs' must be pairs of sentences"):
            sentence_similarity.QUESTION.check(made)
    with pytest.raises(ConfigError, match="'model' must be minilm"):
        sentence_similarity.QUESTION.check(config_of("experiment=sentence_similarity", "model=cnn"))
