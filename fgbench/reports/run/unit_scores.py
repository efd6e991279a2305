"""Scores of one run of action-unit detection: F1 per unit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from fgbench.naming import counted
from fgbench.reports.rendering.table import Cell, Table, data_title
from fgbench.runs.face_origin import face_notes
from fgbench.runs.ledger.counts import reading_notes
from fgbench.runs.ledger.entries import UNITS, is_run_folder
from fgbench.runs.other_programs import outside_name, outside_notes
from fgbench.runs.pseudo_labels import pseudo_notes, pseudo_title
from fgbench.runs.unit_results import (
    PEOPLE_TRAINED_ON,
    AuPredictions,
    mean_f1,
    read_au_predictions,
    read_au_result,
    unit_scores,
)

_UNKNOWN = "of whom it is not known whether they were trained on"


def au_table(folders: Sequence[Path]) -> Table:
    """F1 of every action unit over the frames of all folds, computed from the predictions.

    Args:
        folders: Folders of the runs, one per fold.

    Raises:
        ManifestError: If a run is not finished or damaged.
    """
    parts = [read_au_predictions(folder) for folder in folders]
    details = [read_au_result(folder)["details"] for folder in folders]
    trained_on = [one.get(PEOPLE_TRAINED_ON) for one in details]
    people = None if None in trained_on else sorted({person for names in trained_on for person in names})
    table = scored_table(folders[0].parent.parent.name, parts, {**details[0], PEOPLE_TRAINED_ON: people})
    readings = reading_notes(folders[0].parents[3], UNITS) if is_run_folder(folders[0]) else []
    return replace(table, notes=[*table.notes, *readings])


def scored_table(experiment: str, parts: Sequence[AuPredictions], details: Mapping[str, Any]) -> Table:
    """F1 of every action unit.

    Args:
        experiment: Name of the experiment.
        parts: Predictions, one per fold.
        details: Details of a result of the experiment.
    """
    pooled = pooled_units(parts)
    scores = unit_scores(pooled.labels, pooled.probabilities, pooled.units)
    rows: list[list[Cell]] = [
        [
            score.name.upper().replace("AU0", "AU"),
            score.n_positive,
            score.n_negative,
            score.precision,
            score.recall,
            score.f1,
            score.f1_always,
        ]
        for score in scores
    ]
    yardstick = [score.f1_always for score in scores if score.f1_always is not None]
    rows.append(
        ["mean", None, None, None, None, mean_f1(scores), float(np.mean(yardstick)) if yardstick else None]
    )
    subjects = {subject for part in parts for subject in part.subject_ids}
    people = counted(len(subjects), "subject") if None not in subjects else "unknown subjects"
    name = f"{outside_name(details['recipe'], details)}{_origin(details)}"
    return Table(
        name=f"{experiment}-au-scores",
        title=data_title(
            f"{name}, action units{pseudo_title(details)}, test",
            details["dataset"],
            synthetic=details["synthetic"],
        ),
        columns=["Action unit", "Present", "Absent", "Precision", "Recall", "F1", "F1 of always present"],
        rows=rows,
        notes=[
            f"{len(pooled.sample_ids)} frames of {people}, {_unseen(details)}"
            + (f"; {len(parts)} folds pooled" if len(parts) > 1 else ""),
            "A detection is a probability of at least 0.5; units that are never present have no F1.",
            *pseudo_notes(details),
            *face_notes(details),
            *outside_notes([(experiment, details)]),
        ],
    )


def _origin(details: Mapping[str, Any]) -> str:
    """Training data of a detector, if they are others."""
    weights = details.get("weights")
    return f" trained on {weights['dataset']}" if isinstance(weights, Mapping) else ""


def _unseen(details: Mapping[str, Any]) -> str:
    """Clause on the overlap with the training data."""
    if "clips_trained_on" not in details:
        people = details.get(PEOPLE_TRAINED_ON)
        if people is None:
            return _UNKNOWN
        return (
            f"{len(people)} of whom trained on or selected on too"
            if people
            else "none of whom was trained on"
        )
    n_clips = details["clips_trained_on"]
    if n_clips is None:
        return _UNKNOWN
    return (
        f"{n_clips} of whose test clips were trained or selected on" if n_clips else "in no clip trained on"
    )


def pooled_units(parts: Sequence[AuPredictions]) -> AuPredictions:
    """Predictions of several folds, at least one, one after another."""
    return AuPredictions(
        units=parts[0].units,
        sample_ids=[name for part in parts for name in part.sample_ids],
        clip_ids=[name for part in parts for name in part.clip_ids],
        subject_ids=[name for part in parts for name in part.subject_ids],
        labels=np.concatenate([part.labels for part in parts]),
        probabilities=np.concatenate([part.probabilities for part in parts]),
    )
