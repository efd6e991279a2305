"""Predictions of all test samples, from the classes of another program. Pure functions.

Of one row the label that it states is scored, else the likeliest class. Of a clip with a row per frame it is
the class of the largest mean probability; without probabilities that of most frames, of equals the first in
the order of the classes. A sample without a row, or whose rows are empty, has no prediction and counts as
wrong. Classes that a user leaves out take no part: the others' probabilities are brought to a sum of 1.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fgbench.errors import DatasetError
from fgbench.inference.other_programs.matching import Matched, without_notes
from fgbench.inference.other_programs.prediction_table import PredictionRow, PredictionTable
from fgbench.inference.other_programs.probabilities import PERCENT, as_probabilities
from fgbench.inference.other_programs.samples import Samples
from fgbench.naming import counted, first_few
from fgbench.runs.class_names import ClassNames
from fgbench.runs.predictions import Predictions

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassScores:
    """Predictions to score, and how they came about.

    Attributes:
        predictions: Of all test samples that have a counterpart at the level.
        without: Ids of samples without a prediction.
        dropped: Class of the data set to number of samples without a counterpart, which are left out.
        notes: Sentences on how they are scored.
    """

    predictions: Predictions
    without: Sequence[str]
    dropped: dict[str, int]
    notes: Sequence[str]


def stated_classes(table: PredictionTable) -> list[str]:
    """Return all classes of a program: those with scores, then further ones that labels name."""
    labels = (row.label for row in table.rows if row.label is not None)
    return list(dict.fromkeys([*table.classes, *labels]))


def score_classes(
    table: PredictionTable, names: ClassNames, samples: Samples, matched: Matched
) -> ClassScores:
    """Return the predictions of all test samples.

    Args:
        table: Predictions of the program.
        names: Counterparts of its classes in the data set.
        samples: The test samples.
        matched: The rows of each.

    Raises:
        DatasetError: If scores are no probabilities, or no sample has a prediction or a counterpart.
    """
    left_out = [index for index, name in enumerate(table.classes) if names.meant[name] is None]
    probabilities, were_percent = as_probabilities(table.rows, left_out)
    reader = _Reader(table.rows, probabilities, table.classes, names)
    classes = names.level.classes
    rows: list[tuple[str | None, Floats | None]] = [(None, None)] * len(samples.test)
    for key, indices in matched.rows.items():
        rows[samples.keys[key]] = reader.one(indices[0]) if len(indices) == 1 else reader.mean(indices)
    kept = [row for row, sample in enumerate(samples.test) if sample.label in names.level.truth]
    dropped = Counter(s.label for s in samples.test if s.label not in names.level.truth)
    if not any(rows[row][0] is not None for row in kept):
        raise DatasetError(
            f"no row predicts a class of any of the {len(kept)} test samples",
            "check the columns of the file: label, or one column per class",
        )
    full = np.full((len(kept), len(classes)), np.nan, np.float32)
    for number, row in enumerate(kept):
        values = rows[row][1]
        if values is not None:
            full[number] = values
    test = [samples.test[row] for row in kept]
    predictions = Predictions(
        classes=classes,
        sample_ids=[sample.sample_id for sample in test],
        clip_ids=[sample.clip_id for sample in test],
        subject_ids=[sample.subject_id for sample in test],
        source_ids=[sample.source_id for sample in test],
        labels=[names.level.truth[sample.label] for sample in test],
        predicted=[rows[row][0] for row in kept],
        probabilities=full,
    )
    without = [samples.test[row].sample_id for row in kept if rows[row][0] is None]
    n_frames = sum(len(indices) > 1 for indices in matched.rows.values())
    return ClassScores(
        predictions=predictions,
        without=without,
        dropped=dict(sorted(dropped.items())),
        notes=[
            *([PERCENT] if were_percent else []),
            *_level_notes(names, dropped),
            *_frame_notes(n_frames, reader),
            *_class_notes(names),
            *reader.notes(),
            *without_notes(without, f"{len(kept):,} test samples", "count as wrong"),
        ],
    )


class _Reader:
    """Reads rows as a class and the probabilities of the level's classes."""

    def __init__(
        self,
        rows: Sequence[PredictionRow],
        probabilities: Sequence[tuple[float, ...] | None],
        columns: Sequence[str],
        names: ClassNames,
    ) -> None:
        self._rows, self._probabilities, self._names = rows, probabilities, names
        self._number = {label: index for index, label in enumerate(names.level.classes)}
        self._matrix = np.zeros((len(columns), len(self._number)))
        for index, name in enumerate(columns):
            label = names.meant[name]
            if label is not None:
                self._matrix[index, self._number[label]] = 1.0
        self._n_other = self._n_bare = self._n_tied = 0
        self.has_scores = False

    def one(self, index: int) -> tuple[str | None, Floats | None]:
        """Return class and probabilities of a row; ``None`` for what it lacks."""
        scores, stated = self._scores(index), self._label(index)
        if self._rows[index].label is not None and stated is None:
            return None, None  # its class is left out
        if scores is None:
            if stated is None:
                return None, None
            self._n_bare += 1
            return stated, self._alone(stated)
        likeliest = self._names.level.classes[int(np.argmax(scores))]
        if stated is not None and scores[self._number[stated]] < scores.max():
            self._n_other += 1
        return stated or likeliest, scores

    def mean(self, indices: Sequence[int]) -> tuple[str | None, Floats | None]:
        """Return class and mean probabilities of the rows of a clip's frames."""
        scored = [one for one in map(self._scores, indices) if one is not None]
        if scored:
            mean = np.mean(scored, axis=0)
            return self._names.level.classes[int(np.argmax(mean))], mean
        labels = [label for label in map(self._label, indices) if label is not None]
        if not labels:
            return None, None
        self._n_bare += 1
        shares = np.sum([self._alone(label) for label in labels], axis=0) / len(labels)
        self._n_tied += int((shares == shares.max()).sum()) > 1
        return self._names.level.classes[int(np.argmax(shares))], shares

    def notes(self) -> list[str]:
        """Return sentences on labels."""
        notes = []
        if self._n_bare:
            notes.append(
                "labels alone: probabilities are 1 for the class that is named and 0 for the others (of "
                "frames, the shares of the classes), and say nothing of calibration"
            )
        if self._n_tied:
            notes.append(
                f"as many frames of two classes in {counted(self._n_tied, 'clip')}: the first class is taken"
            )
        if self._n_other:
            notes.append(
                f"the label of {counted(self._n_other, 'row')} is not the likeliest class, and is scored"
            )
        return notes

    def _scores(self, index: int) -> Floats | None:
        values = self._probabilities[index]
        if values is None:
            return None
        self.has_scores = True
        sums = np.array(values) @ self._matrix
        total = sums.sum()
        return sums / total if total > 0.0 else None

    def _label(self, index: int) -> str | None:
        label = self._rows[index].label
        return None if label is None else self._names.meant[label]

    def _alone(self, label: str) -> Floats:
        shares = np.zeros(len(self._number))
        shares[self._number[label]] = 1.0
        return shares


def _level_notes(names: ClassNames, dropped: Counter[str]) -> list[str]:
    if not names.level.is_upper:
        return []
    left = ", ".join(f"{count:,} of {label}" for label, count in sorted(dropped.items()))
    return [
        f"scored at the level of the upper classes ({names.level.name}: {', '.join(names.level.classes)}), "
        "since the program does not tell the classes of the data set"
        + (f"; test samples without one of them are left out: {left}" if left else "")
    ]


def _frame_notes(n_frames: int, reader: _Reader) -> list[str]:
    if not n_frames:
        return []
    how = "the mean of the probabilities of its frames" if reader.has_scores else "the class of most frames"
    return [f"rows are of frames: a clip has {how}"]


def _class_notes(names: ClassNames) -> list[str]:
    notes = []
    if names.left_out:
        notes.append(f"classes of the program that are left out: {first_few(names.left_out)}")
    if names.never_predicted:
        notes.append(f"classes that the program does not have: {first_few(names.never_predicted)}")
    return notes
