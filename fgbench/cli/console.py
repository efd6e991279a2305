"""Console output of all commands: printing, progress bars, and errors as one clear message.

All output goes through `fgbench.printable`, as names of files and classes may contain anything.
"""

from __future__ import annotations

import io
import json
import logging
import os
import sys
import traceback
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from tempfile import NamedTemporaryFile
from typing import Any, TextIO

import typer

from fgbench.api.explained import as_fgbench_error
from fgbench.api.progress import LOGGER, bars
from fgbench.callbacks import Progress, ignore
from fgbench.cli.verbosity import PRINTED, is_quiet
from fgbench.errors import ArgumentError, exit_code
from fgbench.printable import printable, printable_json

DEBUG = "FGBENCH_DEBUG"
"""Environment variable: when set, errors show their traceback."""

_WRONG_USE: Any = typer.BadParameter.__mro__[2]
"""``ClickException`` of the click inside typer or, with older ones, beside it."""

_MOST_CHARACTERS = 2000  # of a message


def say(text: str) -> None:
    """Print a line for people on standard output."""
    _print(text, sys.stdout)


def say_all(lines: Iterable[str]) -> None:
    """Print lines for people on standard output."""
    for line in lines:
        say(line)


def note(text: str) -> None:
    """Print a line for people on the error stream, unless only results are asked for, and log it."""
    PRINTED.info("%s", _encodable(text))
    if not is_quiet():
        _print(text, sys.stderr)


def _fail(text: str, *, colour: str | None = None) -> None:
    """Print a line of an error, and log it."""
    PRINTED.error("%s", _encodable(text))
    _print(text, sys.stderr, colour=colour)


def note_all(lines: Iterable[str]) -> None:
    """Print lines for people on the error stream."""
    for line in lines:
        note(line)


class _Sentences(logging.Handler):
    """Prints what the library logs; what the command line logs it has printed itself."""

    def emit(self, record: logging.LogRecord) -> None:
        if record.name != PRINTED.name:
            note(record.getMessage())


@contextmanager
def sentences_printed() -> Iterator[None]:
    """Print the sentences of the library, which go to its logger, on the error stream meanwhile."""
    printed = _Sentences(logging.INFO)
    before = LOGGER.level, LOGGER.propagate
    LOGGER.addHandler(printed)
    LOGGER.setLevel(logging.INFO)
    LOGGER.propagate = False  # handlers of other libraries would print them again
    try:
        yield
    finally:
        LOGGER.removeHandler(printed)
        LOGGER.setLevel(before[0])
        LOGGER.propagate = before[1]


def _encodable(text: str, encoding: str = "utf-8") -> str:
    """Return printable text in which characters that the encoding lacks are escaped."""
    return printable(text).encode(encoding, "backslashreplace").decode(encoding)


def _print(text: str, stream: TextIO | None, *, colour: str | None = None) -> None:
    """Print a line; nothing on a stream that was closed before the start (``2>&-``)."""
    if stream is None:
        return
    shown = _encodable(text, getattr(stream, "encoding", None) or "utf-8")
    typer.secho(shown, file=stream, fg=colour)


def print_json(value: Any) -> None:
    """Print one JSON document on standard output."""
    _print(printable_json(json.dumps(value, indent=1, ensure_ascii=False)), sys.stdout)


@contextmanager
def errors_explained() -> Iterator[None]:
    """Print errors of fgbench as message and advice, and exit with the code of the error."""
    try:
        yield
    except (BrokenPipeError, typer.Exit, typer.Abort):
        raise  # the reader has closed the pipe, or it is a regular exit
    except KeyboardInterrupt:
        _fail("\ninterrupted; run the same command again to continue")
        raise SystemExit(130) from None
    except Exception as error:
        raise SystemExit(_explain(error)) from error


@contextmanager
def wrong_use(**options: str) -> Iterator[None]:
    """Context in which an argument that the library refuses is a wrong option of the command.

    Args:
        options: Argument of the library to the option of the command, where it has another name.
    """
    try:
        yield
    except ArgumentError as error:
        named = options.get(error.argument, _option(error.argument))
        text = f"{error.message}: {error.hint}" if error.hint else error.message
        raise typer.BadParameter(text, param_hint=named) from error


def _option(argument: str) -> str:
    """Return the option that an argument of the library is on the command line."""
    return f"--{argument.replace('_', '-')}"


def _explain(error: Exception) -> int:
    """Print the message and advice of an error; returns the exit code."""
    if isinstance(error, _WRONG_USE):
        shown = io.StringIO()
        error.show(file=shown)
        _fail(shown.getvalue().rstrip())
        return int(error.exit_code)
    explained = as_fgbench_error(error)
    if os.environ.get(DEBUG):
        _fail("".join(traceback.format_exception(error)).rstrip())
    if explained is not None:
        named = explained.argument if isinstance(explained, ArgumentError) else ""
        of = f"{_option(named)}: " if named else ""
        _fail(f"error: {of}{_cut(explained.message)}", colour="red")
        if explained.hint:
            _fail(f"  {_cut(explained.hint)}")
        return exit_code(explained)
    _fail(f"unexpected failure: {type(error).__name__}: {_cut(str(error))}", colour="red")
    _fail(f"  this is a fault of fgbench; {_kept_traceback(error)}")
    return 1


def _cut(text: str) -> str:
    """A message, shortened to its beginning and end if it would fill the screen."""
    if len(text) <= _MOST_CHARACTERS:
        return text
    half = _MOST_CHARACTERS // 2
    return f"{text[:half]} ... {text[-half:]} ({len(text):,} characters, cut)"


def _kept_traceback(error: Exception) -> str:
    """Write the traceback to a file; returns a phrase that names it."""
    try:
        with NamedTemporaryFile(
            "w", encoding="utf-8", errors="backslashreplace", prefix="fgbench-", suffix=".log", delete=False
        ) as file:
            file.write("".join(traceback.format_exception(error)))
    except OSError:
        return f"set {DEBUG}=1 to see where"
    return f"its traceback is in {file.name}; set {DEBUG}=1 to see it at once"


@contextmanager
def progress_bars(*, quiet: bool = False) -> Iterator[Progress]:
    """Yield a function ``(name, done, total)`` that draws one bar per name on the error stream.

    Without a terminal it prints a line when a name is complete; when ``quiet``, nothing. A total of 0 is
    skipped. ``--quiet`` silences it, too.
    """
    if quiet or is_quiet():
        yield ignore
        return
    if sys.stderr is None or not sys.stderr.isatty():
        yield _line
        return
    with bars(True) as update:
        yield update


def _line(name: str, done: int, total: int) -> None:
    if total and done == total:
        note(f"{name}: {done} of {total}")
