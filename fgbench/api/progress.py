"""Progress bars and sentences of the work that the Python API has done: shown, never printed."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from fgbench.api.arguments import switch_or_none
from fgbench.callbacks import Progress, ignore
from fgbench.log import LOGGER as LOGGER

Shown = bool | Progress | None
"""Progress of long work: whether bars are drawn (``None``: in terminals and notebooks), or a function that is
called with the name of a step, how much of it is done, and of how much."""


def log(text: str) -> None:
    """Hand a sentence to the logger."""
    LOGGER.info("%s", text)


@contextmanager
def bars(show: Shown) -> Iterator[Progress]:
    """Yield a function ``(name, done, total)`` that draws one bar per name: below the cell of a notebook,
    else on the error stream.

    Args:
        show: Whether bars are drawn; ``None``: in terminals and notebooks; a function is yielded itself.
    """
    if callable(show):
        yield show
        return
    if not (_is_watched() if show is None else show):
        yield ignore
        return
    if is_notebook():
        from fgbench.api.notebook_bars import NotebookBars

        notebook = NotebookBars()
        try:
            yield notebook.update
        finally:
            notebook.close()
        return
    with _in_terminal() as update:
        yield update


@contextmanager
def _in_terminal() -> Iterator[Progress]:
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


def is_notebook() -> bool:
    """Return whether the program runs in the kernel of a notebook."""
    shell = sys.modules.get("IPython") and sys.modules["IPython"].get_ipython()
    return bool(shell) and "ipykernel" in sys.modules and hasattr(shell, "kernel")


def shown_as(value: Any) -> Shown:
    """Return what a user says of bars.

    Raises:
        ConfigError: If it is neither a truth value nor a function.
    """
    return value if callable(value) else switch_or_none("progress", value)


def _is_watched() -> bool:
    """Return whether a terminal or a notebook shows what is written to the error stream."""
    return is_notebook() or bool(sys.stderr and sys.stderr.isatty())
