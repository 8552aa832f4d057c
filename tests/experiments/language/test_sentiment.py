"""The transformer that is trained here, what is said of its words, and their deletion."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from experiments.configs.base import ConfigError
from experiments.data.text.reviews import read
from experiments.measures.blocks import BEFORE, BEHIND, arrived, kept_back, numbered
from experiments.models.minilm import check as check_model
from experiments.models.minilm import encoder
from experiments.models.sentence_classifier import batches, classifier
from experiments.questions.sentiment.deletion import probabilities
from experiments.questions.sentiment.explaining import for_predicted, gradients, reader
from experiments.questions.sentiment.question import check

TEXTS = ("The plot is awful.", "A very good, great film!", "bad")


@pytest.fixture
def read_texts(trained):
    return [trained.encoded(read(text, 100)) for text in TEXTS]


@pytest.fixture
def asked(sentiment_config, trained, read_texts):
    return reader(sentiment_config, trained, read_texts, torch.float64)


def test_training_moves_the_last_layers_alone_and_is_read_again_from_the_cache(sentiment_config, reviews, cache):
    made, before = classifier(sentiment_config.model, reviews), encoder(sentiment_config.model).model
    again = classifier(sentiment_config.model, reviews)
    same = {}
    for name, value in before.named_parameters():
        here, there = (each.model.encoder.get_parameter(name) for each in (made, again))
        assert here.equal(there) and not here.requires_grad
        same[name] = here.equal(value)
    assert {name for name, unmoved in same.items() if not unmoved} == {n for n in same if n.startswith("encoder.layer.1.")}
    (file,) = (cache / "dtd" / "models").glob("SentenceClassifier-*.safetensors")
    assert all(name.startswith(("head.", "encoder.encoder.layer.1.")) for name in load_file(file))


def test_batches_hold_every_text_once_and_texts_of_about_one_length():
    torch.manual_seed(0)
    lengths = np.random.default_rng(0).integers(1, 100, 90).tolist()
    cut = [places.tolist() for places in batches(lengths, 8)]
    assert sorted(place for places in cut for place in places) == list(range(90)) and max(map(len, cut)) == 8
    spreads = [max(lengths[p] for p in places) - min(lengths[p] for p in places) for places in cut]
    assert np.mean(spreads) < 20


def test_relevance_of_a_padded_text_is_that_of_the_text_alone(asked, read_texts):
    sizes = [6, 7, 1]
    together = asked.spoken(read_texts, sizes)
    for text, size, found in zip(read_texts, sizes, together, strict=True):
        (alone,) = asked.spoken([text], [size])
        assert alone.log_odds == pytest.approx(found.log_odds, rel=1e-10) and alone.target == found.target
        for method, values in alone.relevance.items():
            assert values.numpy() == pytest.approx(found.relevance[method].numpy(), abs=1e-10), method


def test_words_and_special_tokens_hold_all_relevance(asked, trained, read_texts):
    (text, *_), (found, *_) = read_texts, asked.spoken(read_texts, [6, 7, 1])
    for name, plan in asked.plans.items():
        out = asked.explained(trained.batch([text.ids]), plan)
        total = found.relevance[name].sum().item() + found.special[name]
        assert total == pytest.approx(out.relevance.sum().item(), rel=1e-9, abs=1e-12)


def test_the_initial_relevance_is_the_log_odds_of_the_predicted_class():
    logits = torch.tensor([[1.0, 3.0], [-0.5, -2.0]])
    assert for_predicted(logits).tolist() == [[-1, 3], [-0.5, 2]]


def test_gradient_times_input_is_that_at_the_vectors(trained, read_texts):
    ids = trained.batch([text.ids for text in read_texts])
    model = trained.model
    table = model.encoder.get_input_embeddings().weight
    step, found = 1e-6, gradients(trained, ids)
    hook_values = []
    for factor in (1 + step, 1 - step):  # the derivative along x, at one token after the other
        table_hook = model.encoder.get_input_embeddings().register_forward_hook(
            lambda module, args, out, f=factor: torch.cat([out[:, :1], f * out[:, 1:2], out[:, 2:]], 1)
        )
        logits = model(ids)
        table_hook.remove()
        hook_values.append(logits[:, 1] - logits[:, 0])
    sign = (model(ids)[:, 1] > model(ids)[:, 0]).double() * 2 - 1
    numeric = sign * (hook_values[0] - hook_values[1]) / (2 * step)
    assert found[:, 1].numpy() == pytest.approx(numeric.numpy(), abs=1e-7) and table.grad is None


def test_a_deletion_curve_is_what_the_classifier_says_of_the_text_without_the_words(asked, trained, read_texts):
    found = asked.spoken(read_texts, [6, 7, 1])[1]
    ranked = np.array([3, 0, 6, 1, 2, 5, 4])
    curve = probabilities(trained, found, [ranked, ranked[::-1]], 7)
    assert curve.shape == (2, 8)
    for gone in range(8):
        left = trained.batch([found.tokens.without(frozenset(ranked[:gone].tolist()))])
        expected = trained.model(left).softmax(1)[0, found.target].item()
        assert curve[0, gone] == pytest.approx(expected, abs=1e-10)
    assert curve[0, 0] == pytest.approx(found.probability, abs=1e-10) and curve[0, -1] == pytest.approx(curve[1, -1])


def test_what_blocks_keep_back_and_what_arrives_add_up_to_what_is_explained(asked, trained, read_texts):
    ids = trained.batch([text.ids for text in read_texts])
    for plan in asked.plans.values():
        out = asked.explained(ids, plan)
        kept = kept_back(out)
        assert kept.kept.sum() + arrived(out) == pytest.approx(1, abs=1e-9)
        assert set(kept.block) == {BEFORE, "0", "1", BEHIND} and kept.kept.abs().max() > 1e-3
        norms = kept[(kept.block == "0") & (kept.part == "norms")]
        records = [r for name, r in out.layers.items() if "encoder.layer.0." in name and r.layer.kind == "layer_norm"]
        expected = sum(r.balance.bias.sum() for r in records).item() / out.initial.sum().item()
        assert len(records) == 2 and norms.bias.item() == pytest.approx(expected, rel=1e-9)


def test_blocks_are_numbered_by_their_paths():
    names = ["embed", "m.layers.0.a", "m.layers.0.b", "m.layers.11.a", "layernorm", "head"]
    assert list(numbered(names).values()) == [BEFORE, "0", "0", "11", BEHIND, BEHIND]
    assert list(numbered(["a", "b"]).values()) == [BEFORE, BEFORE]


def test_questions_refuse_what_does_not_fit(sentiment_config, reviews):
    wrong = sentiment_config.question
    with pytest.raises(ConfigError, match="question.shown"):
        check(replace(sentiment_config, question=replace(wrong, shown=[500])))
    with pytest.raises(ConfigError, match="model.tuned"):
        classifier(replace(sentiment_config.model, tuned=9), reviews)
    with pytest.raises(ConfigError, match="not there"):
        check_model(replace(sentiment_config.model, path="/nowhere"), "model")
