"""Accuracy by the annotators' certainty. Reads ``clips.parquet`` of the manifests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from fgbench.evaluation import metrics
from fgbench.runs.predictions import Predictions
from fgbench.storage import read_rows

N_STEPS = 5
"""Steps of annotators' confidence, each 0.2 wide; not stated in the paper."""

Judgement = Literal["agreement", "confidence"]
"""Column of ``clips.parquet``: share of the votes for the label, or mean confidence of its voters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Accuracy on a group of samples.

    Attributes:
        name: Common property of the samples.
        n: Number of samples.
        n_clips: Number of their clips.
        uar: Mean accuracy of the classes with samples; ``None`` without samples.
        war: Share of samples that are right; ``None`` without samples.
    """

    name: str
    n: int
    n_clips: int
    uar: float | None
    war: float | None


def read_judgements(manifests: Path, judgement: Judgement) -> dict[str, float | None]:
    """Judgement of the annotators per clip; ``None`` without votes or confidence.

    Raises:
        ManifestError: If the manifests are missing or damaged.
    """
    rows = read_rows(manifests / "clips.parquet", ["clip_id", judgement])
    return {row["clip_id"]: row[judgement] for row in rows}


def by_agreement(predictions: Predictions, judgements: Mapping[str, float | None]) -> list[Group]:
    """Accuracy per share of votes for the label, in rising order; then clips without votes.

    Args:
        predictions: Predictions of a run.
        judgements: Clip to share.
    """
    rows: dict[float | None, list[int]] = {}
    for row, clip in enumerate(predictions.clip_ids):
        share = judgements.get(clip)
        rows.setdefault(None if share is None else round(share, 3), []).append(row)
    shares = sorted(share for share in rows if share is not None)
    groups = [score_group(f"{share:.0%}", predictions, rows[share]) for share in shares]
    return groups + ([score_group("no votes", predictions, rows[None])] if None in rows else [])


def by_confidence(predictions: Predictions, judgements: Mapping[str, float | None]) -> list[Group]:
    """Accuracy per step of the annotators' mean confidence, in rising order; then clips without.

    Args:
        predictions: Predictions of a run.
        judgements: Clip to confidence, 0 to 1.
    """
    rows: dict[int, list[int]] = {}
    for row, clip in enumerate(predictions.clip_ids):
        value = judgements.get(clip)
        # Stored as float32: 0.6 has to begin the step of 0.6.
        step = -1 if value is None else min(int(round(value, 6) * N_STEPS + 1e-9), N_STEPS - 1)
        rows.setdefault(step, []).append(row)
    steps = sorted(step for step in rows if step >= 0)
    groups = [
        score_group(f"{step / N_STEPS:.1f} to {(step + 1) / N_STEPS:.1f}", predictions, rows[step])
        for step in steps
    ]
    return groups + ([score_group("not given", predictions, rows[-1])] if -1 in rows else [])


def subset(predictions: Predictions, rows: Sequence[int]) -> Predictions:
    """Predictions of some samples of a run, in the order given."""
    return Predictions(
        classes=predictions.classes,
        sample_ids=[predictions.sample_ids[row] for row in rows],
        clip_ids=[predictions.clip_ids[row] for row in rows],
        subject_ids=[predictions.subject_ids[row] for row in rows],
        source_ids=[predictions.source_ids[row] for row in rows],
        labels=[predictions.labels[row] for row in rows],
        predicted=[predictions.predicted[row] for row in rows],
        probabilities=predictions.probabilities[np.array(rows, np.int64)],
    )


def score_group(name: str, predictions: Predictions, rows: Sequence[int]) -> Group:
    """Return the scores of some samples, by their rows."""
    part = subset(predictions, rows)
    scores = metrics.scores(part.confusion(), part.classes)
    return Group(name=name, n=scores.n, n_clips=len(set(part.clip_ids)), uar=scores.uar, war=scores.war)
