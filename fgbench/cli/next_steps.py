"""The next command, printed at the end of a command that the user typed, not of one called by another."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar

from fgbench.cli.console import say
from fgbench.cli.verbosity import is_quiet

_typed: ContextVar[str | None] = ContextVar("typed", default=None)
"""Name of the typed command; ``None`` for functions that are called directly."""


@contextmanager
def nothing_typed() -> Iterator[None]:
    """Reset at the end which command was typed."""
    token = _typed.set(None)
    try:
        yield
    finally:
        _typed.reset(token)


def remember(name: str | None) -> None:
    """Store which command the user has typed."""
    _typed.set(name)


def say_next(typed: Sequence[str], commands: Callable[[], Sequence[str]]) -> None:
    """Print the next commands.

    Args:
        typed: Names of commands; where the user has typed another one, nothing is printed.
        commands: Returns them.
    """
    if _typed.get() in typed and not is_quiet():
        say(f"next: {'; '.join(commands())}")
