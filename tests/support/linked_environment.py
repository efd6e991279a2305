"""Environments with what a wheel asks for and nothing else, by links to packages that the tests have."""

from __future__ import annotations

import email
import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from collections.abc import Iterable
from importlib.metadata import distribution
from importlib.util import cache_from_source
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name


class LinkedEnvironment:
    """A virtual environment with a wheel, the packages that its metadata ask for, and theirs in turn.

    Their files are hard links, with what Python compiled of them: nothing is fetched or unpacked, and what
    is not asked for is not there.
    """

    def __init__(self, folder: Path, wheel: Path) -> None:
        venv.create(folder, with_pip=False)
        self.bin = folder / ("Scripts" if sys.platform == "win32" else "bin")
        self._wheel = wheel
        self._packages = Path(
            sysconfig.get_path("purelib", "venv", {"base": str(folder), "platbase": str(folder)})
        )
        self._pip("install", "--no-index", "--no-deps", "--no-compile", str(wheel))
        self.add("")

    def add(self, extra: str) -> None:
        """Add what the wheel asks for with an extra; its ranges of versions are checked."""
        for name in sorted(_closure(_required(self._wheel), extra)):
            self._link(name)
        self._pip("check")

    def _pip(self, *words: str) -> None:
        command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--python"]
        done = subprocess.run(
            [*command, str(self.bin / "python"), *words],
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        assert done.returncode == 0, done.stdout + done.stderr

    def _link(self, name: str) -> None:
        """Link the files of a package, but for programs, which lie elsewhere."""
        for file in distribution(name).files or ():
            target = self._packages / file
            source = Path(file.locate())
            if ".." in file.parts or target.exists() or not source.exists():
                continue
            _link(source, target)
            if source.suffix == ".py":
                compiled, there = Path(cache_from_source(source)), Path(cache_from_source(target))
                if compiled.exists() and not there.exists():  # some packages list what is compiled
                    _link(compiled, there)


def _link(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(source, target)
    except OSError:  # another file system
        target.symlink_to(source)


def _required(wheel: Path) -> list[str]:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        return email.message_from_bytes(archive.read(name)).get_all("Requires-Dist", [])


def _closure(required: Iterable[str], extra: str) -> set[str]:
    """Names of the packages that are asked for with an extra, and of those that they ask for."""
    own, found = list(required), set[tuple[str, str]]()
    to_do = [("fgbench", extra), ("fgbench", "")]
    while to_do:
        name, wanted = to_do.pop()
        if (name, wanted) in found:
            continue
        found.add((name, wanted))
        texts = own if name == "fgbench" else distribution(name).requires or ()
        for one in map(Requirement, texts):
            if one.marker is None or one.marker.evaluate({"extra": wanted}):
                to_do += [(canonicalize_name(one.name), each) for each in ("", *one.extras)]
    return {name for name, _ in found} - {"fgbench"}
