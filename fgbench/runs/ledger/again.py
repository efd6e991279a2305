"""Readings that write no result: a finished run tested anew, and readings that are entered afterwards."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from fgbench.runs.ledger.entries import CLASSES, UNITS, Evaluated, earlier, is_run_folder, note_reading
from fgbench.runs.predictions import Predictions, read_predictions
from fgbench.runs.results import read_result
from fgbench.runs.settings import read_settings
from fgbench.runs.unit_results import AuPredictions, read_au_predictions, read_au_result


def note_again(run: Path, result: Mapping[str, Any], predictions: Predictions) -> None:
    """Enter that the test samples of a finished run were predicted anew.

    Args:
        run: Its folder.
        result: Its ``result.json``.
        predictions: The new predictions.

    Raises:
        ManifestError: If its settings are missing or damaged.
    """
    _note(_of_classes(run, result, predictions), None)


def note_units_again(run: Path, result: Mapping[str, Any], predictions: AuPredictions) -> None:
    """Enter that the test frames of a finished run of action units were predicted anew.

    Args:
        run: Its folder.
        result: Its ``au_result.json``.
        predictions: Predictions with its labels.

    Raises:
        ManifestError: If its settings are missing or damaged.
    """
    _note(_of_units(run, result, predictions), None)


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
    if (run / "au_result.json").is_file():
        result = read_au_result(run)
        read = _of_units(run, result, read_au_predictions(run))
    else:
        result = read_result(run)
        read = _of_classes(run, result, read_predictions(run))
    return _note(read, str(result["predictions_sha256"]))


def _of_classes(run: Path, result: Mapping[str, Any], predictions: Predictions) -> Evaluated:
    return Evaluated(
        folder=run.absolute(),
        kind=CLASSES,
        config=read_settings(run, result),
        details=result["details"],
        samples=zip(predictions.sample_ids, predictions.labels, strict=True),
    )


def _of_units(run: Path, result: Mapping[str, Any], predictions: AuPredictions) -> Evaluated:
    return Evaluated(
        folder=run.absolute(),
        kind=UNITS,
        config=read_settings(run, result),
        details=result["details"],
        samples=zip(predictions.sample_ids, predictions.labels.tolist(), strict=True),
    )


def _note(read: Evaluated, predictions: str | None) -> bool:
    if not is_run_folder(read.folder):
        return False
    whole = replace(read, predictions=predictions)
    is_late = predictions is not None
    return note_reading(whole, earlier_runs=earlier(read.folder.parents[3]), is_late=is_late)
