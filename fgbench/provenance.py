"""Origin of a result: versions and commit. On one machine it is the same in every run."""

from __future__ import annotations

import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from fgbench import __version__

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


def package_versions() -> dict[str, str]:
    """Installed version of each of :data:`PACKAGES`; absent ones are left out."""
    versions = {}
    for name in PACKAGES:
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            continue
    return versions


def commit() -> str | None:
    """Commit of the running source checkout, with ``+`` if it has changes; ``None`` elsewhere."""
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
