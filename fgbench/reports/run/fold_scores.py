"""Scores of an experiment over its folds: each fold, all predictions pooled, and the mean of the folds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from fgbench.evaluation import metrics
from fgbench.reports.accuracies import pooled
from fgbench.reports.protocols import expected_folds, fairness_notes, protocol_notes
from fgbench.reports.rendering.table import Cell, Spread, Table, centre
from fgbench.reports.run.scores import class_rows, result_title, score_notes
from fgbench.runs.predictions import Predictions, read_predictions
from fgbench.runs.results import read_result

MEASURES = ("uar", "war", "macro_f1")

POOLED = (
    "Pooled: scores of the predictions of all folds together. Mean of the folds: ± standard deviation over "
    "folds; a class without samples in a fold is left out of that fold's UAR."
)
"""Note of every table of folds on its last rows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FoldScores:
    """Scores over folds.

    Attributes:
        each: Fold to its scores.
        pooled: Scores of all predictions together.
        predictions: All predictions together.
    """

    each: Mapping[str, metrics.Scores]
    pooled: metrics.Scores
    predictions: Predictions

    def mean(self, measure: str) -> Cell:
        """Mean and standard deviation over the folds (n - 1); ``None`` if one is undefined."""
        values = [getattr(scores, measure) for scores in self.each.values()]
        if any(value is None for value in values):
            return None
        if len(values) == 1:
            return float(values[0])
        return Spread(float(np.mean(values)), float(np.std(values, ddof=1)))


def score_folds(parts: Mapping[str, Predictions]) -> FoldScores:
    """Scores of the folds of one seed.

    Args:
        parts: Fold to its predictions.

    Raises:
        ValueError: If classes differ.
    """
    together = pooled(list(parts.values()))
    return FoldScores(
        each={fold: _scores(predictions) for fold, predictions in parts.items()},
        pooled=_scores(together),
        predictions=together,
    )


def fold_tables(folders: Sequence[Path]) -> list[Table]:
    """Tables of the folds, and of the classes with predictions pooled.

    Args:
        folders: Runs of one experiment and seed, one per fold.

    Raises:
        ManifestError: If a run is not finished or damaged.
    """
    results = [read_result(folder) for folder in folders]
    scores_ = score_folds(
        {
            str(result["fold"]): read_predictions(folder)
            for result, folder in zip(results, folders, strict=True)
        }
    )
    name, details = results[0]["experiment"], results[0]["details"]
    rows: list[list[Cell]] = [[fold, *_cells(scores)] for fold, scores in scores_.each.items()]
    rows.append(["all, pooled", *_cells(scores_.pooled)])
    rows.append(["mean of the folds", None, None, *(scores_.mean(measure) for measure in MEASURES)])
    absent = [fold for fold in expected_folds(details) if fold not in scores_.each]
    folds = Table(
        name=f"{name}-folds",
        title=result_title(results[0], "test, fold by fold"),
        columns=["Fold", "Samples", "Without prediction", "UAR", "WAR", "Macro F1"],
        rows=rows,
        notes=[
            POOLED,
            *([f"Not run: folds {', '.join(absent)}. No results of the protocol."] if absent else []),
            *protocol_notes(details),
            *fairness_notes((name, result) for result in results),
        ],
    )
    classes = Table(
        name=f"{name}-scores",
        title=result_title(results[0], "test, folds pooled"),
        columns=["Class", "Samples", "Accuracy", "Precision", "F1"],
        rows=class_rows(scores_.pooled),
        notes=[*score_notes(scores_.predictions, scores_.pooled), *protocol_notes(details)],
    )
    return [folds, classes]


def folds_json(folders: Sequence[Path]) -> dict[str, Any]:
    """Scores of the folds as plain values.

    Raises:
        ManifestError: If a run is not finished or damaged.
    """
    results = [read_result(folder) for folder in folders]
    parts = {
        str(result["fold"]): read_predictions(folder) for result, folder in zip(results, folders, strict=True)
    }
    fold_scores = score_folds(parts)
    means = {measure: fold_scores.mean(measure) for measure in MEASURES}
    return {
        "experiment": results[0]["experiment"],
        "pooled": fold_scores.pooled.to_json(),
        "folds": {fold: scores.to_json() for fold, scores in fold_scores.each.items()},
        "mean": {measure: centre(value) for measure, value in means.items()},
        "sd": {measure: value.sd if isinstance(value, Spread) else None for measure, value in means.items()},
    }


def _scores(predictions: Predictions) -> metrics.Scores:
    return metrics.scores(predictions.confusion(), predictions.classes)


def _cells(scores: metrics.Scores) -> list[Cell]:
    return [scores.n, scores.n_missing, *(getattr(scores, measure) for measure in MEASURES)]
