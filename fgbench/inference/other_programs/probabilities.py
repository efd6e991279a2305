"""Probabilities from the class scores of other programs, checked and brought to sums of 1. Pure functions."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence

from fgbench.errors import DatasetError
from fgbench.inference.other_programs.prediction_table import PredictionRow

_TOLERANCE = 0.02
"""Largest relative distance of a sum from the whole: cells are rounded, mostly to two digits or more."""

PERCENT = "scores are percent, read as probabilities"
"""Note on a file whose rows add up to 100."""


def as_probabilities(
    rows: Sequence[PredictionRow], left_out: Collection[int] = ()
) -> tuple[list[tuple[float, ...] | None], bool]:
    """Return the probabilities of all rows; each adds up to 1, or less by what is left out.

    Args:
        rows: With or without scores; all are probabilities, or all percent.
        left_out: Indices of the scores that are left out. Where these are of classes they belong to the sum;
            where a row adds up without them they are none.

    Returns:
        Probabilities, in the order of the rows; ``None`` where there are no scores. And whether they were
        percent.

    Raises:
        DatasetError: If a score is not finite or below 0, or a row does not add up to about 1, or 100 as the
            others do; it names the row.
    """
    whole = 0.0
    probabilities: list[tuple[float, ...] | None] = []
    for row in rows:
        if row.scores is None:
            probabilities.append(None)
            continue
        kept = [score for index, score in enumerate(row.scores) if index not in left_out]
        _check(row, kept)
        total = next((one for one in (math.fsum(row.scores), math.fsum(kept)) if _whole(one)), None)
        if total is None:
            raise DatasetError(
                f"{row.where} ({row.shown}): its scores add up to {math.fsum(row.scores):.6g}, expected 1 "
                "(or 100, of percent)",
                "write the probabilities of all classes of the program; a column that is no class is left "
                "out by an empty class in map (NAME=)",
            )
        whole = whole or _whole(total)
        if _whole(total) != whole:
            raise DatasetError(
                f"{row.where} ({row.shown}): its scores add up to {total:.6g}, those of rows before to "
                f"{whole:g}",
                "write probabilities or percent in all rows",
            )
        probabilities.append(
            tuple(0.0 if index in left_out else score / total for index, score in enumerate(row.scores))
        )
    return probabilities, whole == 100.0


def _whole(total: float) -> float:
    """Return the whole that a row adds up to, 1 or 100; 0 if neither."""
    return next((one for one in (1.0, 100.0) if abs(total - one) <= _TOLERANCE * one), 0.0)


def _check(row: PredictionRow, scores: Sequence[float]) -> None:
    bad = next((score for score in scores if not math.isfinite(score) or score < 0.0), None)
    if bad is not None:
        what = "a score below 0" if math.isfinite(bad) else "a score that is not finite"
        raise DatasetError(
            f"{row.where} ({row.shown}) has {what}: {bad:g}, expected probabilities",
            "logits are made probabilities by a softmax (EmotiEffLib: logits=False); leave cells of a frame "
            "without a face empty",
        )
