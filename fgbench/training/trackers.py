"""Experiment trackers (MLflow, Weights & Biases, Trackio) through the interface of accelerate.

A tracker gets a run of its own for every training: the settings at its beginning, the values of every epoch,
the scores on the test part at its end. It gets numbers, names of settings, experiment, fold and data set; of
a path among the settings the last part alone. What else it sends, e.g. the name of the user and of the
machine, is its own affair, and so is where it writes or sends to (``MLFLOW_TRACKING_URI``, ``WANDB_MODE``).

Trackers fail for many reasons (no network, no login, full disks), none of which ends a training: the tracker
is then left out, and a sentence says so. What they print goes to the error stream: the output is of results.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout
from pathlib import PurePosixPath, PureWindowsPath
from typing import Any

from fgbench.callbacks import Note
from fgbench.training.history import Epoch

PROJECT = "fgbench"
"""Project, or experiment, that trackers file all runs under."""

_CURVES = "tensorboard"  # written by the loop itself, with every step


class Tracked:
    """A training in its trackers; without any, all methods do nothing.

    Args:
        trackers: Started trackers by their names.
        note: Called with a sentence when one fails.
    """

    def __init__(self, trackers: Mapping[str, Any], note: Note) -> None:
        self._trackers = dict(trackers)
        self._note = note

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the trackers that still take values."""
        return tuple(self._trackers)

    def epoch(self, ended: Epoch) -> None:
        """Report a finished epoch: losses, scores on validation, learning rate and speed.

        Steps are epochs, from 1. Values that are not finite are left out.
        """
        values: dict[str, float | None] = {f"train/{name}": value for name, value in ended.losses.items()}
        values |= {f"selection/{name}": value for name, value in ended.score.items()}
        values |= {"optimiser/learning_rate": ended.learning_rate, "train/images_per_s": ended.images_per_s}
        self._log(values, ended.epoch + 1)

    def scores(self, scores: Mapping[str, Any], *, epochs: int) -> None:
        """Report the scores on the test part.

        Args:
            scores: By name; those that are no numbers are left out.
            epochs: Epochs that were trained.
        """
        self._log({f"test/{name}": value for name, value in scores.items()}, epochs)

    def _log(self, values: Mapping[str, Any], step: int) -> None:
        numbers = {name: float(value) for name, value in values.items() if _is_finite(value)}
        if numbers:
            self._each(lambda tracker: tracker.log(numbers, step=step))

    def close(self) -> None:
        """End the runs of the trackers."""
        self._each(lambda tracker: tracker.finish())

    def _each(self, act: Callable[[Any], object]) -> None:
        for name, tracker in list(self._trackers.items()):
            try:
                with redirect_stdout(sys.stderr):
                    act(tracker)
            except Exception as error:
                del self._trackers[name]
                self._note(_left_out(name, error, "it gets no more of this training"))


@contextmanager
def tracked(
    names: Sequence[str], settings: Mapping[str, Any], *, run: str, facts: Mapping[str, Any], note: Note
) -> Iterator[Tracked]:
    """Context of a training that reports to trackers.

    Args:
        names: Of :data:`fgbench.training.tracker_names.TRACKERS`, see :func:`~.tracker_names.check_trackers`;
            none in a process that does not write.
        settings: The recipe as plain values.
        run: Name of the run.
        facts: Plain values beside the settings, e.g. the name of the data set.
        note: Called with a sentence about a tracker that fails.

    Yields:
        What takes the values.
    """
    started = {}
    for name in names:
        if name == _CURVES:
            continue
        try:
            with redirect_stdout(sys.stderr):
                started[name] = _started(name, run)
                started[name].store_init_configuration({**flat(settings), **facts})
        except Exception as error:
            started.pop(name, None)
            note(_left_out(name, error, "the training goes on without it"))
    reported = Tracked(started, note)
    try:
        yield reported
    finally:
        reported.close()


def flat(settings: Mapping[str, Any], before: str = "") -> dict[str, Any]:
    """Return settings by their whole names, e.g. ``optimiser.epochs``, with file names for paths.

    Args:
        settings: Plain values, nested.
        before: What their names begin with.
    """
    values: dict[str, Any] = {}
    for name, value in settings.items():
        if isinstance(value, Mapping):
            values |= flat(value, f"{before}{name}.")
        elif isinstance(value, list | tuple):
            values[f"{before}{name}"] = ", ".join(str(_shown(item)) for item in value)
        else:
            values[f"{before}{name}"] = _shown(value)
    return values


def _started(name: str, run: str) -> Any:
    from accelerate.tracking import LOGGER_TYPE_TO_CLASS

    named = {"run_name": run} if name == "mlflow" else {"name": run}
    tracker = LOGGER_TYPE_TO_CLASS[name](PROJECT, **named)
    if hasattr(tracker, "start"):  # accelerate before 1.9 starts it when it is made
        tracker.start()
    return tracker


def _shown(value: Any) -> Any:
    """A value for a tracker: of a path the last part, which names no user."""
    if not isinstance(value, str):
        return value
    for path in (PurePosixPath(value), PureWindowsPath(value)):
        if path.is_absolute() or value.startswith("~"):
            return path.name
    return value


def _is_finite(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _left_out(name: str, error: Exception, then: str) -> str:
    words = " ".join(str(error).split())
    return f"tracker {name}: {type(error).__name__}: {words[:200]}; {then}"
