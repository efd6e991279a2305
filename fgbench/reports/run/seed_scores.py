"""Scores of an experiment over its seeds: each seed with its folds pooled, their mean, and what varied."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from fgbench.evaluation import metrics
from fgbench.evaluation.clusters import cluster_summary
from fgbench.evaluation.metrics import Scores
from fgbench.reports.accuracies import accuracies, few_notes, over_seeds, pooled
from fgbench.reports.chains import varied_over
from fgbench.reports.experiment import Run
from fgbench.reports.protocols import fairness_notes, protocol_notes
from fgbench.reports.rendering.render import text
from fgbench.reports.rendering.table import Cell, Spread, Table, centre, data_title
from fgbench.reports.run.fold_scores import MEASURES
from fgbench.reports.run.scores import result_title
from fgbench.reports.run.unit_scores import pooled_units
from fgbench.runs.face_origin import face_notes
from fgbench.runs.other_programs import outside_name, outside_notes
from fgbench.runs.predictions import Predictions, read_predictions
from fgbench.runs.pseudo_labels import pseudo_notes, pseudo_title
from fgbench.runs.results import read_result
from fgbench.runs.unit_results import mean_f1, read_au_predictions, read_au_result, unit_scores


def seed_table(folders: Sequence[Path]) -> Table:
    """A row per seed, and their mean and standard deviation.

    Args:
        folders: Runs of one experiment and of at least two seeds, with the same folds.

    Raises:
        ManifestError: If a run is not finished or damaged.
    """
    runs = _runs(folders)
    scores = _scores(runs)
    details, name = runs[0].result["details"], runs[0].result["experiment"]
    rows: list[list[Cell]] = [
        [str(seed), of_seed.n, of_seed.n_missing, *(getattr(of_seed, measure) for measure in MEASURES)]
        for seed, of_seed in scores.items()
    ]
    means = [_over(scores, measure) for measure in MEASURES]
    folds = _folds(runs)
    return Table(
        name=f"{name}-seeds",
        title=result_title(runs[0].result, "test, seed by seed"),
        columns=["Seed", "Samples", "Without prediction", "UAR", "WAR", "Macro F1"],
        rows=[*rows, ["mean ± sd", None, None, *means]],
        notes=[
            f"Standard deviation over seeds (n - 1), folds pooled: {varied_over(runs)} "
            f"Chance is {1 / next(iter(scores.values())).n_classes:.3f}.",
            *_interval_notes(list(folds.values())),
            *protocol_notes(details),
            *fairness_notes([(str(name), run.result) for run in runs]),
        ],
    )


def seeds_json(folders: Sequence[Path]) -> dict[str, Any]:
    """Scores of the seeds as plain values.

    Raises:
        ManifestError: If a run is not finished or damaged.
    """
    runs = _runs(folders)
    scores = _scores(runs)
    means = {measure: _over(scores, measure) for measure in MEASURES}
    return {
        "experiment": runs[0].result["experiment"],
        "seeds": {str(seed): of_seed.to_json() for seed, of_seed in scores.items()},
        "mean": {measure: centre(value) for measure, value in means.items()},
        "sd": {measure: value.sd if isinstance(value, Spread) else None for measure, value in means.items()},
        "varied": varied_over(runs),
    }


def au_seed_table(folders: Sequence[Path]) -> Table:
    """Mean F1 of the action units per seed, with its mean and standard deviation.

    Args:
        folders: Runs of one experiment of action units and at least two seeds.

    Raises:
        ManifestError: If a run is not finished or damaged.
    """
    details = read_au_result(folders[0])["details"]
    f1_by_seed: dict[int, float | None] = {}
    ordered = sorted(folders, key=_seed)
    for seed, group in groupby(ordered, key=_seed):
        together = pooled_units([read_au_predictions(folder) for folder in group])
        f1_by_seed[seed] = mean_f1(unit_scores(together.labels, together.probabilities, together.units))
    rows: list[list[Cell]] = [[str(seed), value] for seed, value in f1_by_seed.items()]
    name = details["recipe"]
    return Table(
        name=f"{name}-seeds",
        title=data_title(
            f"{outside_name(name, details)}, action units{pseudo_title(details)}, test, seed by seed",
            details["dataset"],
            synthetic=bool(details["synthetic"]),
        ),
        columns=["Seed", "Mean F1"],
        rows=[*rows, ["mean ± sd", over_seeds(list(f1_by_seed.values()))]],
        notes=[
            "Standard deviation over seeds (n - 1), folds pooled.",
            *pseudo_notes(details),
            *face_notes(details),
            *outside_notes([(name, details)]),
        ],
    )


def _runs(folders: Sequence[Path]) -> list[Run]:
    return [
        Run(folder=folder, fold=folder.parent.name, seed=int(folder.name), result=read_result(folder))
        for folder in folders
    ]


def _scores(runs: Sequence[Run]) -> dict[int, Scores]:
    return {
        seed: metrics.scores(predictions.confusion(), predictions.classes)
        for seed, predictions in _folds(runs).items()
    }


def _folds(runs: Sequence[Run]) -> dict[int, Predictions]:
    """Predictions of each seed, folds joined."""
    return {
        seed: pooled([read_predictions(run.folder) for run in runs if run.seed == seed])
        for seed in sorted({run.seed for run in runs})
    }


def _interval_notes(seeds: Sequence[Predictions]) -> list[str]:
    """Sentences on the interval of the mean UAR, or why there is none."""
    measured = accuracies(seeds)
    clusters = cluster_summary(seeds[0].clusters())
    few = few_notes([measured])
    if measured.interval is None:
        return few or [f"No interval: {clusters}."]
    low, high = measured.interval.low, measured.interval.high
    return [
        f"UAR {text(measured.mean)}, 95 % interval {low:.3f} to {high:.3f} ({clusters} left out one at a "
        "time, and the spread of the seeds).",
        *few,
    ]


def _over(scores: dict[int, Scores], measure: str) -> Cell:
    return over_seeds([getattr(of_seed, measure) for of_seed in scores.values()])


def _seed(folder: Path) -> int:
    return int(folder.name)
