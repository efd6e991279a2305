"""Samples of the page, once for all runs that share them, and their pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from fgbench.records import image_id
from fgbench.reports.page.finished_runs import ClassRun
from fgbench.reports.page.sheets import Sheets
from fgbench.runs.predictions import Predictions
from fgbench.storage import read_rows

LARGE_PX, SMALL_PX = 96, 64
"""Sides of the pictures of samples, for few and for many samples."""

FEW = 3_000
MOST = 8_000
"""Number of samples with a picture; of more, those first that some run has wrong."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Original:
    """An original picture of the image set.

    Attributes:
        name: Its id.
        clip_id: Its clip.
        label: Class.
        part: Part of the data set.
        away: Frames between it and the key frame of its clip.
    """

    name: str
    clip_id: str
    label: str
    part: str
    away: int


def read_originals(manifests: Path) -> list[Original]:
    """The original pictures of the image set, by id; their bytes are not read.

    Raises:
        ManifestError: If a table is damaged.
    """
    columns = ["image_id", "clip_id", "label", "split", "offset", "parent_id"]
    originals = [
        Original(
            name=row["image_id"],
            clip_id=row["clip_id"],
            label=row["label"],
            part=row["split"],
            away=abs(row["offset"] or 0),
        )
        for path in sorted((manifests / "images").glob("*.parquet"))
        for row in read_rows(path, columns)
        if row["parent_id"] is None
    ]
    return sorted(originals, key=lambda original: original.name)


def clip_pictures(manifests: Path, originals: Sequence[Original]) -> dict[str, str]:
    """Clip to the id of its picture: the one nearest to its key frame.

    Raises:
        ManifestError: If the table of clips is damaged.
    """
    key_pictures = {
        row["clip_id"]: image_id(row["clip_id"], row["key_frame"] or 0)
        for row in read_rows(manifests / "clips.parquet", ["clip_id", "key_frame"])
    }
    nearest = sorted(originals, key=lambda original: (original.away, original.name))
    return key_pictures | {original.clip_id: original.name for original in reversed(nearest)}


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleSet:
    """A set of samples that some runs share.

    Attributes:
        classes: Names of the classes.
        predictions: Predictions of one of the runs, for ids and truth.
        pictures: Sample to the id of its picture, for samples with one.
        sheets: Indices of the sheets of these pictures.
    """

    classes: tuple[str, ...]
    predictions: Predictions
    pictures: Mapping[str, str]
    sheets: Sequence[int]


def share_samples(
    runs: Sequence[ClassRun], sheets: Sheets, clips: Mapping[str, str]
) -> tuple[list[SampleSet], list[int]]:
    """Sets of samples, and the index of each run's set. Their pictures are requested from ``sheets``.

    Args:
        runs: The runs.
        sheets: Sheets to request pictures from.
        clips: Clip to the id of its picture.
    """
    groups: dict[tuple[Any, ...], list[int]] = {}
    for index, run in enumerate(runs):
        read = run.predictions
        groups.setdefault((read.classes, tuple(read.sample_ids), tuple(read.labels)), []).append(index)
    sets, numbers = [], [0] * len(runs)
    n_all = sum(len(key[1]) for key in groups)
    for number, members in enumerate(groups.values()):
        for member in members:
            numbers[member] = number
        read = runs[members[0]].predictions
        wrong = np.zeros(len(read.sample_ids), bool)
        for member in members:
            wrong |= np.array(runs[member].predictions.predicted, object) != np.array(read.labels, object)
        quota = max(1, MOST * len(read.sample_ids) // max(1, n_all)) if n_all > MOST else n_all
        order = [int(row) for row in np.argsort(~wrong, kind="stable")[:quota]]
        chosen = sorted(order, key=lambda row: (read.classes.index(read.labels[row]), row))
        pictures = {read.sample_ids[row]: _picture(read, row, clips) for row in chosen}
        names = list(dict.fromkeys(pictures.values()))
        side_px = LARGE_PX if n_all <= FEW else SMALL_PX
        sets.append(
            SampleSet(
                classes=read.classes,
                predictions=read,
                pictures=pictures,
                sheets=sheets.want(names, side_px=side_px),
            )
        )
    return sets, numbers


def samples_json(shared: SampleSet, sheets: Sheets) -> dict[str, Any]:
    """Columns of a set of samples for the page; a picture is ``sheet, cell``, -1 where there is none."""
    read = shared.predictions
    index_of = {name: number for number, name in enumerate(shared.classes)}
    cells: dict[str, tuple[int, int]] = {}
    for sheet in shared.sheets:
        for name in shared.pictures.values():
            cell = sheets.cell_of(sheet, name)
            if cell >= 0:
                cells[name] = (sheet, cell)
    where = [cells.get(shared.pictures.get(name, ""), (-1, -1)) for name in read.sample_ids]
    return {
        "classes": list(shared.classes),
        "ids": list(read.sample_ids),
        "clips": list(read.clip_ids),
        "subjects": list(read.subject_ids),
        "labels": [index_of[label] for label in read.labels],
        "sheets": [sheet for sheet, _ in where],
        "cells": [cell for _, cell in where],
    }


def _picture(read: Predictions, row: int, clips: Mapping[str, str]) -> str:
    """Id of the picture of a sample: an image itself, or the picture of a clip."""
    name = read.sample_ids[row]
    return clips.get(name, name) if name == read.clip_ids[row] else name
