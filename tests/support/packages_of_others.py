"""Packages of others: installed into a folder from a wheel, and the command run with them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

COMMAND = Path(sys.executable).parent / "fgbench"


def install(folder: Path, wheel: Path) -> None:
    """Install a wheel into a folder of packages, without network."""
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps"),
            *("--no-compile", "--disable-pip-version-check", "--target", str(folder), str(wheel)),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def fgbench(*arguments: object, site: Path | str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run the command in a folder, with a folder of packages beside it.

    Args:
        arguments: Words of the command.
        site: The folder of packages, as ``PYTHONPATH`` has it.
        cwd: Folder to run in.
    """
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONSAFEPATH"}
    return subprocess.run(
        [str(COMMAND), *map(str, arguments)],
        env={**environment, "PYTHONPATH": str(site)},
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
    )
