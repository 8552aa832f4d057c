"""The command line from what is typed: texts with any character, swept groups, words in place of tracebacks."""

import logging
import re

import numpy as np
import pandas as pd
import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import CompactHydraException
from omegaconf import OmegaConf
from PIL import Image

from experiments import __main__ as entry
from experiments.configs.base import ConfigError
from experiments.configs.extras import bringing, install
from experiments.data import load
from experiments.data.imdb import imdb
from experiments.machine import console as screen
from experiments.models import subjects
from experiments.questions import sanity
from experiments.questions.base import Question, growing
from experiments.runs.identity import check_sweep_name
from experiments.runs.job import DONE, FAILED, REFUSED, run
from experiments.runs.refusal import refusal
from experiments.runs.shorthand import written_out

ODD = ["a ${seed} film", "${oc.env:HOME}", "\\${seed}", "\\\\${x} \\", "ü (x, y) = [z] {w}", 'it\'s "so" ${', "null"]


def value(argument: str) -> object:
    """What a run's config holds after one override of Hydra's grammar, references resolved."""
    (override,) = OverridesParser.create().parse_overrides([argument])
    assert not override.is_sweep_override()
    return OmegaConf.create({"seed": 7, "text": override.value()}).text


@pytest.mark.parametrize("text", ODD)
def test_a_text_is_what_was_typed(text):
    (argument,) = written_out([f"text={text}"])
    assert value(argument) == text


@pytest.mark.parametrize("name", ["ü (1),2=3.npz", "d${seed}.npz", "it's {a}.npz", "a b.npz"])
def test_a_path_of_a_file_is_what_was_typed(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / name).touch()
    (argument,) = written_out([f"+data.path={name}"])
    assert argument.startswith("+data.path=") and value(argument) == name


def test_a_path_that_is_no_file_is_in_hydras_grammar():
    assert value(written_out(["data.path=d${seed}.npz"])[0]) == "d7.npz"
    assert written_out(["data.path=a.npz,b.npz", "question.text=null"]) == ["data.path=a.npz,b.npz", "question.text=null"]


def test_keys_of_a_swept_group_are_set_in_each_job():
    made = written_out(["-m", "model=mlp,cnn", "model.epochs=2", "seed=0,1", "data.seed=3", "+model.hidden=[1,2]"])
    assert made == [
        "-m",
        "model=mlp,cnn",
        "model.epochs=choice(2)",
        "seed=0,1",
        "data.seed=3",
        "+model.hidden=choice([1,2])",
    ]
    assert written_out(["model=mlp", "model.epochs=2"]) == ["model=mlp", "model.epochs=2"]
    made = written_out(["--multirun", "question=a,b", "plan.bias=neuron", "model.epochs=1,2", "threads=2"])
    assert made == ["--multirun", "question=a,b", "plan.bias=choice(neuron)", "model.epochs=1,2", "threads=2"]


@pytest.mark.parametrize("argument", ["plan=null", "model=", "data=3"])
def test_a_group_needs_an_option(argument):
    group, _, given = argument.partition("=")
    with pytest.raises(ConfigError, match=f"'{group}' must be the name of an option .*; found {given}"):
        written_out([argument])


@pytest.mark.parametrize("name", ["../../x", "/tmp/x", "a/../../b", "", "."])
def test_a_sweep_stays_below_its_folder(name):
    with pytest.raises(ConfigError, match="'sweep' must be a name below runs/sweeps"):
        check_sweep_name(name)
    check_sweep_name("paper/fig 1ü")


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("plan.parameters.gama=1", r"did you mean gamma\? the keys there are gamma\. .* added with '\+': \+plan.*gama=1\."),
        ("model.epochs=2", r"model=NAME, or set model\.parts\.mlp\.epochs and model\.parts\.cnn\.epochs\."),
        ("question.rules=[a,(b]", r"'question\.rules=\[a,\(b\]' cannot be read: write key=value"),
        ("plan=gamma,zplus", r"'plan=gamma,zplus' has several values: add -m"),
    ],
)
def test_a_refusal_says_what_to_write(composed, override, message):
    with pytest.raises(CompactHydraException) as raised:
        composed(override)
    assert re.search(message, refusal(raised.value))


def test_what_a_refusal_advises_works(composed):
    assert composed("+plan.parameters.gama=1").plan.parameters.gama == 1
    assert composed("model.parts.mlp.epochs=2", "model.parts.cnn.epochs=2").model.parts.cnn.epochs == 2


def test_ctrl_c_ends_in_one_line(monkeypatch, capsys):
    monkeypatch.setattr(entry, "main", lambda: (_ for _ in ()).throw(KeyboardInterrupt))
    monkeypatch.setattr("sys.argv", ["experiments"])
    assert entry.command() == entry.STOPPED
    assert capsys.readouterr().out.startswith("Stopped by Ctrl-C.")


GOOD = np.arange(80.0).reshape(20, 4)
LABELS = np.arange(20) % 2


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({}, "an archive with an array 'x' .* found no array in .*bad.npz"),
        ({"x": GOOD[:0]}, "numbers of shape .* found float64 of shape \\(0, 4\\) in .*bad.npz"),
        ({"x": np.where(GOOD == 13, np.nan, GOOD)}, "found nan in row 3 of .*bad.npz"),
        ({"x": np.where(GOOD == 13, 1e300, GOOD)}, "float32.* found 1e\\+300 in row 3 of .*bad.npz"),
        ({"x": GOOD, "y": LABELS - 1}, "'data.path' must be classes 0, 1, 2, .* found -1 in row 0 of"),
        ({"x": GOOD, "y": LABELS * 9}, "without a gap .* found 9 but no 1 in"),
        ({"x": GOOD, "y": LABELS * 0}, "at least two classes.* found class 0 alone in"),
        ({"x": GOOD, "y": LABELS[:5]}, "an array of 20 integers, one for each sample; found int64 of shape \\(5,\\)"),
        ({"x": GOOD[:2], "y": LABELS[:2]}, "'data.test_fraction' must be .* found 0.25 of 2 samples of 2 classes, 1 in"),
    ],
)
def test_arrays_are_refused_by_file_and_row(arrays, message, composed, tmp_path, capsys):
    np.savez(tmp_path / "bad.npz", **arrays)
    check_refused(composed, tmp_path, message, capsys)


@pytest.mark.parametrize("content", [b"", b"garbage", b"PK\x03\x04 cut off"])
def test_a_damaged_archive_is_refused_by_its_name(content, composed, tmp_path, capsys):
    (tmp_path / "bad.npz").write_bytes(content)
    check_refused(composed, tmp_path, "bad.npz cannot be read as one", capsys)


def check_refused(composed, folder, message: str, capsys) -> None:
    """A run on the array of a folder is refused in one sentence."""
    data = ("data=array", f"data.path={folder / 'bad.npz'}", "model=mlp", "model.epochs=1")
    assert run(composed(*data, "question=conservation"), folder / "out") == REFUSED
    told = capsys.readouterr()
    assert re.search(message, told.out) and "Traceback" not in told.out + told.err


def test_a_damaged_image_is_named(composed, tmp_path):
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (64, 64), dtype=np.uint8)).save(tmp_path / "a.png")
    data = composed("data=folder", f"data.path={tmp_path}", "data.size=8", "data.grey=true").data
    whole = (tmp_path / "a.png").read_bytes()
    for content in (b"no image", whole[: len(whole) // 2]):
        (tmp_path / "a.png").write_bytes(content)
        with pytest.raises(ConfigError, match="a.png cannot be read as one .*: replace or remove it"):
            load(OmegaConf.to_object(data))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "cannot be read as one"),
        (bytes(range(256)) * 4, "must be text in UTF-8; byte 0x80|cannot be read as one"),
        ("review,sentiment\nschön,pos\n".encode("latin-1"), "must be text in UTF-8; byte 0xf6 .* iconv"),
        (b"review,sentiment\nfine,pos\nbad,so so\n", "found 'so so' in row 2"),
        (b"review,sentiment\nfine,pos\ngood,pos\n", "must hold both sides; all 2 rows are of one"),
        (b"review,sentiment\n", "holds no review"),
    ],
)
def test_a_csv_file_is_refused_by_its_name(content, message, tmp_path):
    (tmp_path / "bad.csv").write_bytes(content)
    with pytest.raises(ConfigError, match=message):
        imdb(str(tmp_path / "bad.csv"))


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("threads=0", "'threads' must be at least 1, or null"),
        ("seed=-1", "'seed' must be from 0 to 4294967295; found -1"),
        ("data=iris", "'model.parts.cnn (cnn)' needs images .* found samples of shape (4,)"),
        ("data=noise", "labels, since it is trained on them"),
    ],
)
def test_what_cannot_work_is_refused_in_the_configs_terms(override, message, composed, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("experiments.models.training.train", lambda *_: pytest.fail("work was begun"))
    assert run(composed("question=conservation", override), tmp_path) == REFUSED
    assert all(part in capsys.readouterr().out for part in message.split(" .* ")[:1])


def test_a_cache_that_cannot_be_written_to_is_a_warning(composed, tmp_path, monkeypatch, caplog):
    (tmp_path / "file").touch()
    config = composed("model=mlp", "model.epochs=1", "data.seed=123")
    monkeypatch.setattr("platformdirs.user_cache_dir", lambda name: str(tmp_path / "file" / "cache"))
    subjects(OmegaConf.to_object(config.model), OmegaConf.to_object(config.data))
    assert "could not be kept in" in caplog.text and "XDG_CACHE_HOME" in caplog.text


def test_a_growing_table_is_there_before_its_end(monkeypatch):
    monkeypatch.setattr("experiments.questions.base.SAY", 0.0)
    parts = (pd.DataFrame({"row": [i]}) for i in range(3))
    assert [len(table) for _, table in growing("rows", parts)] == [1, 2, 3, 3]


def test_long_work_without_a_terminal_logs_lines(monkeypatch, caplog):
    monkeypatch.setattr(screen, "SAY", 0.0)
    with caplog.at_level(logging.INFO, screen.PROGRESS):
        assert list(screen.progress([1, 2, 3], "counting")) == [1, 2, 3]
    assert caplog.messages == ["counting: 1 of 3 done", "counting: 2 of 3 done"]


def test_rows_so_far_survive_a_failure(composed, tmp_path, monkeypatch):
    def failing(config):
        yield "rows", pd.DataFrame({"row": [1]})
        raise RuntimeError("the power went")

    monkeypatch.setattr(sanity, "QUESTION", Question(lambda config: None, failing, lambda *_: None, lambda tables: {}))
    assert run(composed("question=sanity", "quiet=true"), tmp_path) == FAILED != DONE
    assert list(pd.read_csv(tmp_path / "rows.csv").row) == [1]


def test_every_missing_extra_is_told_alike():
    assert install("data", "images") == 'pip install "dtd[data,images]"'
    assert bringing("skimage.io") == install("images") and bringing("nosuch") == "pip install nosuch"
