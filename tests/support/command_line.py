"""The command line in this process: what a user types in a folder, without a new interpreter."""

from __future__ import annotations

import contextlib
from pathlib import Path

from click.testing import Result
from typer.testing import CliRunner

from fgbench.cli.app import app


def in_folder(folder: Path, *arguments: object) -> Result:
    """Run ``fgbench`` in a folder; what is no exit of a command is raised as it is.

    Args:
        folder: The current directory meanwhile.
        arguments: Words of the command.
    """
    with contextlib.chdir(folder):
        done = CliRunner().invoke(app, list(map(str, arguments)), prog_name="fgbench")
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done
