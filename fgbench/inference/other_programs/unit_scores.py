"""Predictions of the labelled test frames of a work folder, from the action units of another program.

Reads manifests and the data set's labels. The frames are those that detectors of fgbench are tested on: with
a usable face and labels. Only units that both sides have are scored. A frame without a row, or whose row is
empty, has no unit that is found: each that is present there is missed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from fgbench.errors import DatasetError
from fgbench.inference.other_programs.matching import Matched, match_rows, without_notes
from fgbench.inference.other_programs.prediction_table import PredictionTable
from fgbench.inference.other_programs.samples import Clips
from fgbench.methods.action_units.frames import UnitData
from fgbench.methods.action_units.pseudo_labels import pseudo_data, pseudo_tested
from fgbench.methods.steps.units import unit_data
from fgbench.naming import first_few
from fgbench.records import image_id
from fgbench.runs.context import RunContext
from fgbench.runs.frames import labels_by_frame, usable_frames
from fgbench.runs.pseudo_labels import PSEUDO
from fgbench.runs.samples import clip_samples
from fgbench.runs.unit_results import AuPredictions
from fgbench.training.context import TrainingContext


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitScores:
    """Predictions to score, and how they came about.

    Attributes:
        predictions: Of the labelled test frames.
        matched: Rows of the file by frames.
        without: Ids of frames without a prediction.
        details: Plain values to keep with the result.
        notes: Sentences on how they are scored.
    """

    predictions: AuPredictions
    matched: Matched
    without: Sequence[str]
    details: Mapping[str, Any]
    notes: Sequence[str]


def labelled(context: RunContext) -> UnitData | None:
    """Return the labels of action units of a work folder's data set; ``None`` if it has none.

    Raises:
        FgbenchError: If the data set or its table cannot be read.
    """
    return unit_data(TrainingContext.on(torch.device("cpu"), context))


def score_units(table: PredictionTable, data: UnitData, clips: Clips) -> UnitScores:
    """Return the predictions of all labelled test frames.

    Args:
        table: Predictions of the program.
        data: Labels of the data set.
        clips: The clips of the work folder.

    Raises:
        DatasetError: If no test frame is labelled for a unit that the program has, or rows match none or are
            empty.
        ManifestError: If manifests are missing or damaged.
    """
    context = data.context
    tested = {clip.clip_id: clip for clip in context.division.tested(clip_samples(context.manifests))}
    wanted = [key for key in usable_frames(context.manifests) if key[0] in tested]
    labels_of = labels_by_frame(data.rows, wanted)
    there = sorted({unit for labels in labels_of.values() for unit, label in labels.items() if label})
    units = [unit for unit in there if unit in table.units]
    if not labels_of or not units:
        raise DatasetError(
            f"none of the {len(wanted)} test frames of {context.workdir} is labelled for a unit that the "
            f"predictions have ({first_few(table.units)}); labelled: {first_few(there) or 'none'}",
            "check the split of the recipe of fgbench prepare, and which units the data set annotates",
        )
    keys = [key for key, labels in labels_of.items() if any(labels.get(unit) for unit in units)]
    matched = match_rows(
        table.rows, clips, set(keys), by_clip=False, example=lambda: f"{keys[0][0]} frame {keys[0][1]}"
    )
    column = [table.units.index(unit) for unit in units]
    probabilities = np.zeros((len(keys), len(units)), np.float32)
    without = []
    for row, key in enumerate(keys):
        values = table.rows[matched.rows[key][0]].units if key in matched.rows else None
        if values is None:
            without.append(image_id(*key))
            continue
        probabilities[row] = [values[index] or 0.0 for index in column]
    if len(without) == len(keys):
        raise DatasetError(
            f"no row says anything of any of the {len(keys)} labelled test frames",
            "check the columns of the file; rows of frames without a face say nothing",
        )
    labels = [[labels_of[key].get(unit, 0) for unit in units] for key in keys]
    pseudo = pseudo_data([data])
    not_predicted = [unit for unit in there if unit not in units]
    unlabelled = [unit for unit in table.units if unit not in units]
    return UnitScores(
        predictions=AuPredictions(
            units=tuple(units),
            sample_ids=[image_id(*key) for key in keys],
            clip_ids=[clip for clip, _ in keys],
            subject_ids=[tested[clip].subject_id for clip, _ in keys],
            labels=np.array(labels, np.int8),
            probabilities=probabilities,
        ),
        matched=matched,
        without=without,
        details={PSEUDO: pseudo} if pseudo else {},
        notes=[
            *pseudo_tested(pseudo),
            *(
                [f"labelled here, and not among the predictions: {first_few(not_predicted)}"]
                if not_predicted
                else []
            ),
            *([f"not labelled here, so not scored: {first_few(unlabelled)}"] if unlabelled else []),
            *without_notes(without, f"{len(keys):,} frames", "count as if no unit was found in them"),
        ],
    )
