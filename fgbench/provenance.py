"""Origin of a result: versions, commit, command. The first two are, on one machine, the same in
every run."""

from __future__ import annotations

import functools
import platform
import shlex
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from fgbench import __version__
from fgbench.naming import shown

PACKAGES = (
    "av",
    "decord2",
    "dlib-bin",
    "face-recognition-models",
    "numba",
    "numpy",
    "opencv-python-headless",
    "pyarrow",
    "scikit-learn",
    "threadpoolctl",
    "torch",
)
"""Packages whose versions can change results."""


MOST_CHARACTERS = 1000
"""Longest command that is told; longer ones are cut."""

_typed: ContextVar[tuple[str, ...]] = ContextVar("typed_arguments", default=())


@contextmanager
def no_command() -> Iterator[None]:
    """Forget at the end which command was typed."""
    token = _typed.set(())
    try:
        yield
    finally:
        _typed.reset(token)


def remember_command(arguments: Sequence[str]) -> None:
    """Store the arguments of the command that the user has typed, without ``fgbench``."""
    _typed.set(tuple(arguments))


def command() -> str:
    """The command that the user has typed, as a shell takes it; from Python the name of the script."""
    typed = _typed.get()
    script = f"Python: {Path(sys.argv[0]).name or 'interactive'}" if sys.argv else "Python"
    text = shown(shlex.join(["fgbench", *typed]) if typed else script)
    return text if len(text) <= MOST_CHARACTERS else f"{text[:MOST_CHARACTERS]}..."


def package_versions() -> dict[str, str]:
    """Installed version of each of :data:`PACKAGES`; absent ones are left out."""
    versions = {name: installed_version(name) for name in PACKAGES}
    return {name: found for name, found in versions.items() if found is not None}


@functools.cache
def installed_version(name: str) -> str | None:
    """Version of a package; ``None`` if it is not installed."""
    try:
        return version(name)
    except PackageNotFoundError:
        return None


@functools.cache
def commit() -> str | None:
    """Commit of the running source checkout, with ``+`` if it has changes; ``None`` elsewhere.

    It is asked once: a process goes on with the source that it began with.
    """
    root = Path(__file__).resolve().parent.parent
    if not (root / ".git").exists():
        return None
    try:
        done = subprocess.run(
            ["git", "-C", str(root), "describe", "--always", "--abbrev=40", "--exclude=*", "--dirty=+"],
            capture_output=True,
            text=True,
            timeout=10,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip() or None


def provenance() -> dict[str, object]:
    """Versions and commit, for manifests and results."""
    return {
        "fgbench": __version__,
        "commit": commit(),
        "python": platform.python_version(),
        "machine": platform.machine(),
        "packages": package_versions(),
    }
