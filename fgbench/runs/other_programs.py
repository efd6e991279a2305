"""Runs with predictions of another program instead of a method of fgbench, in results and reports.

Reads results in the folders of runs. Such a run is scored as any other; it has no weights, and its training
data are not known.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from fgbench.errors import ConfigError, ManifestError
from fgbench.runs.digests import PREDICTIONS_OF
from fgbench.storage import read_json

OUTSIDE = "outside"
"""Key of the details of a result: the file that was scored; absent where a method of fgbench predicted."""

MARK = "OUTSIDE"
"""Word that begins every note on such a run."""


def outside_note(details: Mapping[str, Any]) -> str:
    """Return a sentence on predictions of another program; empty for fgbench's own.

    Args:
        details: Details of a result of classes or of action units.
    """
    origin = details.get(OUTSIDE)
    if not origin:
        return ""
    return (
        f"{MARK}: predicted by another program ({origin['file']}, read as {origin['format']}); what it was "
        "trained on is not known here, so that it may know test samples"
    )


def outside_notes(runs: Iterable[tuple[str, Mapping[str, Any]]]) -> list[str]:
    """Return sentences that name the runs of other programs.

    Args:
        runs: Name and details of each; folds of one run have one name.
    """
    names_by_note: dict[str, dict[str, None]] = {}
    for name, details in runs:
        if note := outside_note(details):
            names_by_note.setdefault(note, {})[name] = None
    return [f"{', '.join(names)}: {note}." for note, names in names_by_note.items()]


def outside_name(name: str, details: Mapping[str, Any]) -> str:
    """Return the name of a run for tables and titles, with "(outside)" where another program predicted.

    Args:
        name: Its name.
        details: Details of its result.
    """
    return f"{name} ({OUTSIDE})" if details.get(OUTSIDE) else name


def outside_title(details: Mapping[str, Any]) -> str:
    """Return the end of the title of a run of another program; empty for fgbench's own.

    Args:
        details: Details of a result.
    """
    return f" ({MARK}: another program)" if details.get(OUTSIDE) else ""


def refuse_outside(run: str, folders: Iterable[Path]) -> None:
    """Refuse a run of another program where weights are asked for.

    Args:
        run: What the user named.
        folders: Folders that may be meant: of a run, of a fold, or of an experiment.

    Raises:
        ConfigError: If one is such a run, or holds one.
    """
    for given in folders:
        for folder in (given, *sorted(given.glob("*")), *sorted(given.glob("*/*"))):
            if is_outside(folder):
                raise ConfigError(
                    f"{run} was predicted by another program (fgbench score) and has no weights, expected a "
                    "run of a trained network",
                    "predict, evaluate, export and train need weights; its scores: fgbench report --run, "
                    "fgbench compare",
                )


def is_outside(folder: Path) -> bool:
    """Whether a finished run in a folder was predicted by another program."""
    for name in PREDICTIONS_OF:
        try:
            result = read_json(folder / name)
        except (FileNotFoundError, NotADirectoryError, ManifestError, RecursionError):
            continue
        details = result.get("details") if isinstance(result, dict) else None
        if isinstance(details, dict) and details.get(OUTSIDE):
            return True
    return False
