"""Scores of action-unit detection: F1 per unit, from labels that may be missing.

Layout of a run, beside those of :mod:`fgbench.runs.results`::

    runs/<experiment>/<fold>/<seed>/config.yaml          settings
    runs/<experiment>/<fold>/<seed>/au_predictions.parquet   one row per frame, with probabilities
    runs/<experiment>/<fold>/<seed>/au_result.json       scores and provenance; written last
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from fgbench import storage
from fgbench.errors import ManifestError
from fgbench.files.hashing import digest_file, digest_json
from fgbench.provenance import provenance
from fgbench.runs.digests import Card, write_result
from fgbench.runs.ledger.entries import IN_LEDGER, UNITS, Evaluated, earlier, is_run_folder, note_reading
from fgbench.runs.result_schema import FORMAT, UnitResult, check_shape, read_result_file
from fgbench.runs.results import CONFIG, DIGEST_KIND

PREDICTIONS = "au_predictions.parquet"
RESULT = "au_result.json"

PEOPLE_TRAINED_ON = "people_trained_on"
"""Key of the details of a result: number of subjects of the test frames who were trained or selected on;
``None`` where a subject is unknown. Runs of earlier versions lack it."""

_AGAIN = "run fgbench train au again"

Labels = npt.NDArray[np.int8]
Probabilities = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitScore:
    """Scores of one action unit; undefined ones are ``None``.

    Attributes:
        name: Name, e.g. ``"au12"``.
        n_positive: Number of frames in which it is present.
        n_negative: Number of frames in which it is absent; unlabelled frames are in neither.
        precision: Share of detections that are right.
        recall: Share of presences that are detected.
        f1: Their harmonic mean; ``None`` if the unit is never present.
        f1_always: F1 of a detector that always says "present", as a yardstick.
    """

    name: str
    n_positive: int
    n_negative: int
    precision: float | None
    recall: float | None
    f1: float | None
    f1_always: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AuPredictions:
    """Labels and predictions of N frames for A action units.

    Attributes:
        units: A names.
        sample_ids: N unique ids.
        clip_ids: Clip of each frame.
        subject_ids: Subject shown; ``None`` if unknown.
        labels: (N, A) int8; 1 present, -1 absent, 0 not labelled.
        probabilities: (N, A) float32.
    """

    units: tuple[str, ...]
    sample_ids: Sequence[str]
    clip_ids: Sequence[str]
    subject_ids: Sequence[str | None]
    labels: Labels
    probabilities: Probabilities


def unit_scores(
    labels: Labels, probabilities: Probabilities, units: Sequence[str], *, threshold: float = 0.5
) -> list[UnitScore]:
    """Scores of every action unit.

    Args:
        labels: (N, A) int8; 1 present, -1 absent, 0 not labelled (ignored).
        probabilities: (N, A).
        units: A names.
        threshold: Least probability of a detection.

    Raises:
        ValueError: If shapes do not agree.
    """
    if labels.shape != probabilities.shape or labels.shape[1:] != (len(units),):
        raise ValueError(
            f"labels {labels.shape}, probabilities {probabilities.shape}, {len(units)} units; expected (N, A)"
        )
    return [
        _score(name, labels[:, column], probabilities[:, column] >= threshold)
        for column, name in enumerate(units)
    ]


def _score(name: str, truth: Labels, detected: npt.NDArray[np.bool_]) -> UnitScore:
    present, absent = truth > 0, truth < 0
    hits = int((present & detected).sum())
    n_positive, n_negative = int(present.sum()), int(absent.sum())
    n_detected = hits + int((absent & detected).sum())
    return UnitScore(
        name=name,
        n_positive=n_positive,
        n_negative=n_negative,
        precision=hits / n_detected if n_detected else None,
        recall=hits / n_positive if n_positive else None,
        f1=2 * hits / (n_detected + n_positive) if n_positive else None,
        f1_always=2 * n_positive / (2 * n_positive + n_negative) if n_positive else None,
    )


def mean_f1(scores: Sequence[UnitScore]) -> float | None:
    """Mean F1 of the units that are present somewhere; ``None`` if none is."""
    values = [score.f1 for score in scores if score.f1 is not None]
    return sum(values) / len(values) if values else None


def write_au_run(
    folder: Path,
    predictions: AuPredictions,
    *,
    config: Mapping[str, Any],
    device: str,
    details: Mapping[str, Any],
    card: Card | None = None,
) -> None:
    """Write a run; an earlier one in the same folder counts as unfinished from the first moment to the last.

    That the test part was read is put into the ledger of the work folder before the result is there; of a
    folder that lies in none, nowhere.

    Args:
        folder: Folder of the run.
        predictions: Predictions of every test frame.
        config: All settings, as plain values.
        device: Device of the computation, e.g. ``"cpu"``.
        details: Plain values to keep.
        card: Makes the model card, ``README.md``, from the content of the result.

    Raises:
        ValueError: If the details lack data set, whether it is drawn, recipe, or digest of the manifests.
        ResourceError: If the folder cannot be written.
    """
    import pyarrow as pa
    import yaml

    is_of_work = is_run_folder(folder)
    earlier_runs = earlier(folder.parents[3]) if is_of_work else 0
    with storage.explained(folder):
        (folder / RESULT).unlink(missing_ok=True)
    plain = json.loads(json.dumps(dict(config), allow_nan=False))
    storage.write_text(folder / CONFIG, yaml.safe_dump(plain, sort_keys=True, allow_unicode=True))
    width = len(predictions.units)
    schema = pa.schema(
        [
            ("sample_id", pa.string()),
            ("clip_id", pa.string()),
            ("subject_id", pa.string()),
            ("labels", pa.list_(pa.int8(), width)),
            ("probabilities", pa.list_(pa.float32(), width)),
        ],
        metadata={"units": json.dumps(list(predictions.units))},
    )
    columns = {
        "sample_id": list(predictions.sample_ids),
        "clip_id": list(predictions.clip_ids),
        "subject_id": list(predictions.subject_ids),
        "labels": list(predictions.labels),
        "probabilities": list(predictions.probabilities),
    }
    storage.write_table(folder / PREDICTIONS, pa.table(columns, schema=schema))
    scores = unit_scores(predictions.labels, predictions.probabilities, predictions.units)
    origin = provenance()
    result = {
        "format": FORMAT,
        "units": [asdict(score) for score in scores],
        "mean_f1": mean_f1(scores),
        "n": len(predictions.sample_ids),
        "digest_kind": DIGEST_KIND,
        "config_digest": digest_json(plain),
        "predictions_sha256": digest_file(folder / PREDICTIONS),
        **({IN_LEDGER: True} if is_of_work else {}),
        "device": device,
        "details": dict(details),
        **{key: value for key, value in origin.items() if key != "packages"},
        "versions": origin["packages"],
    }
    check_shape(result, UnitResult)
    if is_of_work:
        read = Evaluated(
            folder=folder,
            kind=UNITS,
            config=plain,
            details=details,
            samples=zip(predictions.sample_ids, predictions.labels.tolist(), strict=True),
            predictions=str(result["predictions_sha256"]),
        )
        note_reading(read, earlier_runs=earlier_runs)
    write_result(folder / RESULT, result, card=card)


def read_au_result(folder: Path) -> dict[str, Any]:
    """Read the ``au_result.json`` of a run.

    Raises:
        ManifestError: If the run is not finished, damaged, or of another format.
        ResourceError: If it may not be read.
    """
    try:
        return read_result_file(folder / RESULT, UnitResult, hint=_AGAIN)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise ManifestError(f"{folder} has no {RESULT}: the run is not finished", _AGAIN) from error


def read_au_predictions(folder: Path) -> AuPredictions:
    """Read the predictions of a run.

    Raises:
        ManifestError: If they are missing or damaged.
    """
    path = folder / PREDICTIONS
    with storage.parquet_explained(path, _AGAIN):
        table = storage.read_table(path, hint=_AGAIN)
        units = tuple(json.loads(table.schema.metadata[b"units"]))
        columns = {name: table.column(name).to_pylist() for name in ("sample_id", "clip_id", "subject_id")}
        labels = np.array(table.column("labels").to_pylist(), np.int8).reshape(-1, len(units))
        probabilities = np.array(table.column("probabilities").to_pylist(), np.float32)
        probabilities = probabilities.reshape(-1, len(units))
    return AuPredictions(
        units=units,
        sample_ids=columns["sample_id"],
        clip_ids=columns["clip_id"],
        subject_ids=columns["subject_id"],
        labels=labels,
        probabilities=probabilities,
    )
