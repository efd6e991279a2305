"""The TensorBoard log of a training. Writes ``events.out.tfevents.*`` into one folder."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Protocol

from fgbench.files.text_paths import text_path
from fgbench.storage import explained


class Log(Protocol):
    """Log of curves."""

    def add(self, group: str, values: Mapping[str, float], step: int) -> None:
        """Add a point to the curve of each name, except for values that are not finite."""

    def flush(self) -> None:
        """Write all points to the disk."""


class _NoLog:
    def add(self, group: str, values: Mapping[str, float], step: int) -> None:
        pass

    def flush(self) -> None:
        pass


class _TensorBoard:
    def __init__(self, folder: str, steps_done: int) -> None:
        from torch.utils.tensorboard import SummaryWriter

        # Hides points of a killed training after its last checkpoint: their steps are repeated.
        self._writer = SummaryWriter(folder, purge_step=steps_done + 1 if steps_done else None)

    def add(self, group: str, values: Mapping[str, float], step: int) -> None:
        for name, value in values.items():
            if math.isfinite(value):
                self._writer.add_scalar(f"{group}/{name}", value, step)

    def flush(self) -> None:
        self._writer.flush()

    def close(self) -> None:
        self._writer.close()


@contextmanager
def open_log(folder: Path, *, steps_done: int, write: bool) -> Iterator[Log]:
    """Open the log of a training after ``steps_done`` steps; with 0, a new one instead of an old.

    Args:
        folder: Folder of the event files.
        steps_done: Steps before the next one.
        write: Whether this process writes; else no file is changed.

    Raises:
        ResourceError: If the folder cannot be written.
    """
    if not write:
        yield _NoLog()
        return
    with explained(folder):
        folder.mkdir(parents=True, exist_ok=True)
        if not steps_done:
            for old in sorted(folder.glob("events.out.tfevents.*")):
                old.unlink()
        with ExitStack() as named:
            log = _TensorBoard(named.enter_context(text_path(folder)), steps_done)
            named.callback(log.close)
            opened = named.pop_all()
    with opened:
        yield log
