"""Readings that write no result: a finished run tested anew, and readings that are entered afterwards."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from fgbench.runs.ledger.entries import CLASSES, UNITS, Evaluated, Kind, earlier, is_run_folder, note_reading
from fgbench.runs.predictions import Predictions, read_predictions
from fgbench.runs.results import read_result
from fgbench.runs.settings import read_settings
from fgbench.runs.unit_results import RESULT as UNIT_RESULT
from fgbench.runs.unit_results import AuPredictions, read_au_predictions, read_au_result


def note_again(run: Path, result: Mapping[str, Any], predictions: Predictions | AuPredictions) -> None:
    """Enter that the test samples of a finished run were predicted anew.

    Args:
        run: Its folder.
        result: Content of its result.
        predictions: Predictions of the samples that were read; ids and labels count.

    Raises:
        ManifestError: If its settings are missing or damaged.
    """
    _note(run, result, predictions, is_late=False)


def enter_afterwards(run: Path) -> bool:
    """Enter the reading of a finished run that the ledger lacks.

    Args:
        run: Its folder.

    Returns:
        Whether it stands there now.

    Raises:
        ManifestError: If the run is damaged.
        ResourceError: If it may not be read.
    """
    if (run / UNIT_RESULT).is_file():
        return _note(run, read_au_result(run), read_au_predictions(run), is_late=True)
    return _note(run, read_result(run), read_predictions(run), is_late=True)


def _note(
    run: Path, result: Mapping[str, Any], predictions: Predictions | AuPredictions, *, is_late: bool
) -> bool:
    folder = run.absolute()
    kind: Kind = CLASSES
    labels: Iterable[Any] = predictions.labels
    if isinstance(predictions, AuPredictions):
        kind, labels = UNITS, predictions.labels.tolist()
    read = Evaluated(
        folder=folder,
        kind=kind,
        config=read_settings(run, result),
        details=result["details"],
        samples=zip(predictions.sample_ids, labels, strict=True),
        predictions=str(result["predictions_sha256"]) if is_late else None,
    )
    if not is_run_folder(folder):
        return False
    return note_reading(read, earlier_runs=earlier(folder.parents[3]), is_late=is_late)
