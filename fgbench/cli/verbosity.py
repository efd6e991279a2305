"""Log options: ``--quiet``, ``--verbose``, and ``--log-file``, which keeps all that commands tell.

All goes through :mod:`logging` under the name ``fgbench``. Lines that a command prints on the error stream
are records of ``fgbench.cli``; modules add their own. A file takes all of them, whatever the terminal shows.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from fgbench.api.progress import LOGGER
from fgbench.errors import ResourceError
from fgbench.printable import printable

PRINTED = LOGGER.getChild("cli")
"""Takes what commands print themselves, so that it is not printed twice."""

_LINE = "%(asctime)s %(levelname)s %(process)d %(message)s"
_SHOWN_LINE = "%(asctime)s %(name)s: %(message)s"
_FLAGS = ("--verbose", "--quiet")
_FILE = "--log-file"

_is_quiet = False


class _OneLine(logging.Formatter):
    """Records as printable text; a line of a message begins with what stands before its first."""

    def format(self, record: logging.LogRecord) -> str:
        before, _, _ = self._fmt.partition("%(message)s") if self._fmt else ("", "", "")
        text = super().format(record)
        start = text[: len(text) - len(record.getMessage())] if before else ""
        lines = text[len(start) :].splitlines() or [""]
        return "\n".join(printable(f"{start}{line}") for line in lines)


class _LogFile(logging.FileHandler):
    """A log file; after a failure (a full disk) it gets no more lines, which is told once."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802  (the name is that of logging)
        error = sys.exc_info()[1]
        if not isinstance(error, OSError):
            super().handleError(record)
            return
        LOGGER.removeHandler(self)
        with suppress(OSError):
            self.close()
        LOGGER.warning(
            "the log file %s gets no more lines: %s", self.baseFilename, error.strerror or str(error)
        )


def is_quiet() -> bool:
    """Whether the command prints results and errors alone."""
    return _is_quiet


@contextmanager
def logged(*, quiet: bool, verbose: bool, log_file: Path | None) -> Iterator[None]:
    """Context of a command that tells as much as was asked for.

    Args:
        quiet: Whether only results and errors are printed.
        verbose: Whether details are printed too, each line with its time.
        log_file: File to which all lines are added; ``None`` for none.

    Raises:
        ResourceError: If the file cannot be written.
    """
    global _is_quiet
    handlers: list[logging.Handler] = []
    if verbose and sys.stderr is not None:
        shown = logging.StreamHandler(sys.stderr)
        shown.setFormatter(_OneLine(_SHOWN_LINE, datefmt="%H:%M:%S"))
        shown.addFilter(lambda record: record.levelno < logging.INFO)  # the others are printed anyway
        handlers.append(shown)
    if log_file is not None:
        handlers.append(_file_handler(log_file))
    before = (LOGGER.level, LOGGER.propagate, _is_quiet)
    _is_quiet = quiet
    if handlers:
        LOGGER.setLevel(logging.DEBUG)
        LOGGER.propagate = False
    for handler in handlers:
        LOGGER.addHandler(handler)
    try:
        yield
    finally:
        for handler in handlers:
            LOGGER.removeHandler(handler)
            with suppress(OSError):
                handler.close()
        LOGGER.setLevel(before[0])
        LOGGER.propagate, _is_quiet = before[1], before[2]


def _file_handler(path: Path) -> logging.Handler:
    try:
        if path.exists() and not path.is_file():
            raise OSError("it is no file")
        handler = _LogFile(path, encoding="utf-8", errors="backslashreplace")
    except OSError as error:
        raise ResourceError(
            f"cannot write the log file {path}: {error.strerror or error}",
            "name a file in a folder that exists and may be written (--log-file)",
        ) from error
    handler.setFormatter(_OneLine(_LINE))
    return handler


def options_first(arguments: Sequence[str]) -> list[str]:
    """Return the words of a command line with the options of this module before all others.

    Args:
        arguments: Words after the name of the program; those after ``--`` stay where they are. Where the name
            of a file is missing, the others are left out, so that this is what is told.
    """
    ours: list[str] = []
    others: list[str] = []
    words = list(arguments)
    while words:
        word = words.pop(0)
        if word == "--":
            others += [word, *words]
            break
        if word in _FLAGS or word.startswith(f"{_FILE}="):
            ours.append(word)
        elif word == _FILE:
            if not words or words[0].startswith("--"):
                return [*ours, word]
            ours += [word, words.pop(0)]
        else:
            others.append(word)
    return [*ours, *others]
