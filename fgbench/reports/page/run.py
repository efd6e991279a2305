"""Data of one run on the page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from fgbench.evaluation import metrics
from fgbench.evaluation.calibration import calibration_scores, confidences_of, reliability_bins
from fgbench.evaluation.clusters import few_clusters_notes
from fgbench.evaluation.hierarchy import hierarchy_scores
from fgbench.records import image_id
from fgbench.reports.page.extra_files import read_boxes, read_history, read_opinions, read_weights
from fgbench.reports.page.finished_runs import ClassRun, UnitRun
from fgbench.reports.page.sample_counts import Counted
from fgbench.reports.page.sheets import Sheets
from fgbench.reports.paper import numbers as paper
from fgbench.reports.protocols import fairness_notes
from fgbench.runs.attention import ClipAttention

N_TOP = 5
"""Number of most probable classes shown per sample."""

N_CLIPS = 12
"""Number of clips with attention shown: as many right as wrong ones, the most confident first."""

N_FRAMES = 12
"""Number of frames in the film strip of a clip."""

FRAME_PX = 64

Attended = tuple[ClipAttention, Sequence[int], tuple[str, ...]]
"""Attention weights of a clip, the indices of the frames in its film strip, and the ids of their pictures."""


def summary(run: ClassRun, counted: Counted) -> dict[str, Any]:
    """Scores of a run for the leaderboard; undefined ones are ``None``."""
    scores = metrics.scores(run.predictions.confusion(), run.predictions.classes)
    low, high = counted.interval or (None, None)
    return {
        "key": run.key,
        "experiment": run.experiment,
        "fold": run.run.fold,
        "seed": run.run.seed,
        "method": None if run.method is None else run.method.name,
        "source": run.source,
        "dataset": run.dataset,
        "elsewhere": run.is_from_elsewhere,
        "synthetic": run.synthetic,
        "n": scores.n,
        "missing": scores.n_missing,
        "n_classes": scores.n_classes,
        "uar": scores.uar,
        "war": scores.war,
        "macro_f1": scores.macro_f1,
        "low": low,
        "high": high,
        "clusters": None if low is None else len(counted.counts.names),
        "cluster": counted.clusters_in_words,
        "few": " ".join(few_clusters_notes(len(counted.counts.names))),
        "paper": _paper_mean(run),
        "state": run.state,
        "fairness": fairness_notes([(run.key, run.run.result)]),
    }


class Strips:
    """Film strips of clips, requested before pictures are read and placed in cells after."""

    def __init__(self, sheets: Sheets) -> None:
        self._sheets = sheets
        self._asked: dict[tuple[str, ...], list[int]] = {}

    def ask(self, clip: str, frames: Sequence[int]) -> tuple[str, ...]:
        """Request some frames of a clip and return their ids."""
        names = tuple(image_id(clip, frame) for frame in frames)
        if names not in self._asked:
            self._asked[names] = self._sheets.want(names, side_px=FRAME_PX)
        return names

    def cells(self, names: tuple[str, ...]) -> list[list[int]]:
        """``[sheet, cell]`` of each frame, cell -1 where it has no picture."""
        (sheet,) = self._asked[names]
        return [[sheet, self._sheets.cell_of(sheet, name)] for name in names]


def ask_strips(run: ClassRun, strips: Strips) -> Mapping[str, Attended]:
    """Request the frames of the clips whose attention is shown.

    Returns:
        Clip to its attention.

    Raises:
        ManifestError: If the weights are damaged.
    """
    weights = read_weights(run.run.folder)
    read = run.predictions
    sure = np.nan_to_num(read.probabilities.max(axis=1), nan=-1.0)
    right = np.array(read.predicted, object) == np.array(read.labels, object)
    order = [int(row) for row in np.argsort(-sure, kind="stable") if read.sample_ids[row] in weights]
    chosen = [row for row in order if right[row]][:N_CLIPS]
    chosen += [row for row in order if not right[row]][:N_CLIPS]
    attended = {}
    for row in chosen:
        clip = read.sample_ids[row]
        n = len(weights[clip].frames)
        shown = sorted({round(step) for step in np.linspace(0, n - 1, min(n, N_FRAMES))})
        names = strips.ask(clip, [int(weights[clip].frames[number]) for number in shown])
        attended[clip] = (weights[clip], shown, names)
    return attended


def run_json(
    run: ClassRun,
    *,
    samples: int,
    attention: Mapping[str, Attended],
    strips: Strips,
) -> dict[str, Any]:
    """All data of a run on the page except its scores.

    Args:
        run: The run.
        samples: Index of its set of samples.
        attention: Attention from :func:`ask_strips`.
        strips: Film strips, packed.

    Raises:
        ManifestError: If a file of the run is damaged.
    """
    read = run.predictions
    index_of = {label: number for number, label in enumerate(read.classes)}
    scores = metrics.scores(read.confusion(), read.classes)
    values = np.nan_to_num(read.probabilities, nan=0.0)
    top = np.argsort(-values, axis=1, kind="stable")[:, :N_TOP]
    row_of = {sample: number for number, sample in enumerate(read.sample_ids)}
    folder = run.run.folder
    truth, predicted = read.numbers()
    hierarchy = hierarchy_scores(read.confusion(), read.classes)
    bins = reliability_bins(*confidences_of(truth, predicted, read.probabilities))
    return {
        "samples": samples,
        "predicted": [-1 if label is None else index_of[label] for label in read.predicted],
        "top": top.ravel().tolist(),
        "top_share": np.rint(np.take_along_axis(values, top, axis=1) * 1e4).astype(int).ravel().tolist(),
        "n_top": top.shape[1],
        "scores": [asdict(entry) for entry in scores.classes],
        "paper": _paper(run),
        "hierarchy": None if hierarchy is None else hierarchy.to_json(),
        "calibration": asdict(calibration_scores(truth, predicted, read.probabilities)),
        "bins": [asdict(entry) for entry in bins],
        "history": read_history(folder),
        "opinions": read_opinions(folder, read),
        "boxes": read_boxes(folder, read),
        "attention": [
            {
                "sample": row_of[clip],
                "frames": weights.frames.tolist(),
                "first": [round(float(value), 5) for value in weights.first],
                "second": [round(float(value), 5) for value in weights.second],
                "shown": list(shown),
                "strip": strips.cells(names),
            }
            for clip, (weights, shown, names) in attention.items()
        ],
    }


def units_json(run: UnitRun) -> dict[str, Any]:
    """Data of a run of action units on the page.

    Raises:
        ManifestError: If its curves are damaged.
    """
    return {
        "key": run.key,
        "synthetic": run.synthetic,
        "scores": [asdict(score) for score in run.scores],
        "history": read_history(run.folder),
    }


def _paper(run: ClassRun) -> list[float | None] | None:
    """The paper's accuracy of each class; ``None`` for methods outside Table II, or other classes."""
    printed = paper.table2()
    if run.method is None or set(run.predictions.classes) != set(printed.classes):
        return None
    theirs = printed.accuracies.get((run.method.source, run.method.name))
    return None if theirs is None else [theirs.get(label) for label in run.predictions.classes]


def _paper_mean(run: ClassRun) -> float | None:
    values = _paper(run)
    defined = [value for value in values or [] if value is not None]
    return sum(defined) / len(defined) if defined else None
