"""Progress bars and sentences of the work that the Python API has done: shown, never printed."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from fgbench.callbacks import Progress, ignore

Shown = bool | Progress | None
"""Progress of long work: whether bars are drawn (``None``: in terminals and notebooks), or a function that is
called with the name of a step, how much of it is done, and of how much."""

LOGGER = logging.getLogger("fgbench")
"""Takes the sentences that the command line prints; silent unless the caller configures :mod:`logging`."""

LOGGER.addHandler(logging.NullHandler())


def log(text: str) -> None:
    """Hand a sentence to the logger."""
    LOGGER.info("%s", text)


@contextmanager
def bars(show: Shown) -> Iterator[Progress]:
    """Yield a function ``(name, done, total)`` that draws one bar per name on the error stream.

    Args:
        show: Whether bars are drawn; ``None``: in terminals and notebooks; a function is yielded itself.
    """
    if callable(show):
        yield show
        return
    if not (_is_watched() if show is None else show):
        yield ignore
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bars

    columns = (TextColumn("{task.description:>10}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Bars(*columns, console=Console(stderr=True)) as drawn:
        tasks: dict[str, TaskID] = {}

        def update(name: str, done: int, total: int) -> None:
            if not total:  # a stage that is turned off
                return
            if name not in tasks:
                tasks[name] = drawn.add_task(name, total=total)
            drawn.update(tasks[name], completed=done, total=total)

        yield update


def _is_watched() -> bool:
    """Return whether a terminal or a notebook shows what is written to the error stream."""
    return "ipykernel" in sys.modules or bool(sys.stderr and sys.stderr.isatty())
