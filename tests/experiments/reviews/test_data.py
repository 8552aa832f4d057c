"""Reviews come labelled from files and packages, and none is in both parts."""

import pytest
import torch

from experiments.configs.base import ConfigError
from experiments.configs.data import ImdbConfig
from experiments.data import imdb, load
from experiments.data.text.reviews import Labelled, unique
from experiments.data.text.vocabulary import PADDING, UNKNOWN


def settings(path, vectors, **changes) -> ImdbConfig:
    given = {"test_fraction": 0.25, "seed": 0, "min_texts": 2, "max_words": 100, "path": str(path)} | changes
    return ImdbConfig(vectors=str(vectors), **given)


@pytest.fixture
def vectors(review_files):
    return review_files / "vectors.txt"


def test_a_csv_file_is_split_with_the_shares_of_its_classes(review_files, vectors):
    data = load(settings(review_files / "reviews.csv", vectors))
    assert (len(data.train_x), len(data.test_x)) == (54, 18)
    assert data.train_y.sum() == 27 and data.test_y.sum() == 9
    assert not {str(t.words) for t in data.train_texts} & {str(t.words) for t in data.test_texts}
    assert data.encoded(data.test_texts[0]).tolist() == data.test_x[0][data.test_x[0] != PADDING].tolist()
    other = load(settings(review_files / "reviews.csv", vectors, seed=1))
    assert not torch.equal(data.test_x, other.test_x)


def test_the_folder_keeps_its_own_split(tmp_path, vectors):
    texts = {"train/pos": "good", "train/neg": "bad", "test/pos": "great<br />film", "test/neg": ""}
    for side, text in texts.items():
        (tmp_path / side).mkdir(parents=True)
        (tmp_path / side / "0_1.txt").write_text(text)
    data = load(settings(tmp_path, vectors))
    assert [[w.key for w in t.words] for t in data.train_texts] == [["bad"], ["good"]]
    assert [[w.key for w in t.words] for t in data.test_texts] == [[], ["great", "film"]]
    assert data.train_y.tolist() == data.test_y.tolist() == [0, 1]


def test_what_a_text_has_beyond_the_longest_is_counted(review_files, vectors):
    data = load(settings(review_files / "reviews.csv", vectors, max_words=3))
    assert data.train_x.shape[1] == 3 and {(len(t.words), t.unread) for t in data.train_texts} == {(3, 0), (3, 2), (3, 3)}


def test_words_of_test_texts_alone_stay_unknown(tmp_path, vectors):
    for part, text in (("train", "good"), ("test", "quux quux")):
        for side in ("pos", "neg"):
            (tmp_path / part / side).mkdir(parents=True)
            for i in range(3):
                (tmp_path / part / side / f"{i}.txt").write_text(f"{text} {side} {i}")
    data = load(settings(tmp_path, vectors))
    assert "pos" in data.vocabulary.words and "quux" not in data.vocabulary.words
    assert (data.test_x[:, :2] == UNKNOWN).all()


def test_a_review_that_is_there_twice_counts_once():
    reviews = [Labelled("A film!", 1), Labelled("Other", 0), Labelled("a  film", 0)]
    assert unique(reviews) == reviews[:2]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("text,sentiment\ngood,1\n", "must have the columns review and sentiment; found text, sentiment"),
        ("review,sentiment\ngood,5\n", "must hold neg, pos, negative, positive, 0, 1; found '5' in row 1"),
        ("review,sentiment\n", "which holds no review"),
    ],
)
def test_another_csv_file_is_refused(tmp_path, content, message):
    path = tmp_path / "reviews.csv"
    path.write_text(content)
    with pytest.raises(ConfigError, match=message):
        imdb.imdb(str(path))


def test_a_path_without_reviews_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="'data.path' must be the folder aclImdb .*none, which is not there"):
        imdb.imdb(str(tmp_path / "none"))
    with pytest.raises(ConfigError, match="which holds no review"):
        imdb.imdb(str(tmp_path))


@pytest.mark.parametrize(("name", "value"), [("test_fraction", 1.0), ("max_words", 0), ("min_texts", 0)])
def test_settings_that_no_data_set_can_have_are_refused(review_files, vectors, name, value):
    with pytest.raises(ConfigError, match=f"'data.{name}' must be"):
        load(settings(review_files / "reviews.csv", vectors, **{name: value}))
