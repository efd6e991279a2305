"""What all commands share: printing, progress bars, and errors as one clear message."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import typer

from fgbench.errors import FgbenchError, exit_code

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

DEBUG = "FGBENCH_DEBUG"
"""Environment variable: when set, errors show their traceback."""


def say(text: str) -> None:
    """Print a line for people on standard output."""
    typer.echo(text)


def note(text: str) -> None:
    """Print a line for people on the error stream."""
    typer.echo(text, err=True)


def counts_line(part: str, counts: Mapping[str, int]) -> str:
    """Number of clips and images of a part of a data set."""
    return (
        f"{part:>10}: {counts['clips']} clips, {counts['images']} images, {counts['augmented']} with copies"
    )


def print_json(value: Any) -> None:
    """Print one JSON document on standard output."""
    typer.echo(json.dumps(value, indent=1, ensure_ascii=False))


@contextmanager
def errors_explained() -> Iterator[None]:
    """Print what fgbench raises as message and remedy, and exit with the code of the error."""
    try:
        yield
    except FgbenchError as error:
        if os.environ.get(DEBUG):
            raise
        typer.secho(f"error: {error.message}", err=True, fg="red")
        if error.hint:
            typer.echo(f"  {error.hint}", err=True)
        raise SystemExit(exit_code(error)) from error
    except KeyboardInterrupt:
        typer.echo("\ninterrupted; run the same command again to continue", err=True)
        raise SystemExit(130) from None


@contextmanager
def progress_bars(*, quiet: bool = False) -> Iterator[Callable[[str, int, int], None]]:
    """A function ``(name, done, total)`` that draws one bar per name on the error stream.

    Without a terminal it prints a line when a name is complete; when ``quiet``, nothing.
    """
    if quiet:
        yield lambda name, done, total: None
        return
    if not sys.stderr.isatty():
        yield _line
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description:>10}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as bars:
        tasks: dict[str, TaskID] = {}

        def update(name: str, done: int, total: int) -> None:
            if name not in tasks:
                tasks[name] = bars.add_task(name, total=total)
            bars.update(tasks[name], completed=done, total=total)

        yield update


def _line(name: str, done: int, total: int) -> None:
    if done == total:
        note(f"{name}: {done} of {total}")
