"""Coverage of test samples by usable faces, and the accuracy on them.

Reads ``faces/*.parquet`` of the manifests.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from fgbench.faces.status import USABLE
from fgbench.records import image_id
from fgbench.runs.breakdown import score_group
from fgbench.runs.lost_clips import featureless_clips, rejected_clips
from fgbench.runs.predictions import Predictions
from fgbench.storage import read_rows


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """Share of samples with a prediction, and accuracy on these.

    Attributes:
        n: Number of samples.
        n_predicted: Number of samples with a prediction.
        share: Their share; ``None`` without samples.
        uar_detected: Mean accuracy of the classes over the samples with a prediction alone.
        war_detected: Share of these that are right.
    """

    n: int
    n_predicted: int
    share: float | None
    uar_detected: float | None
    war_detected: float | None


def coverage(predictions: Predictions) -> Coverage:
    """Coverage of a run; the detected subset lacks the hardest samples, so say so beside its accuracies."""
    kept = [row for row, label in enumerate(predictions.predicted) if label is not None]
    detected = score_group("detected", predictions, kept)
    n = len(predictions.sample_ids)
    return Coverage(
        n=n,
        n_predicted=len(kept),
        share=len(kept) / n if n else None,
        uar_detected=detected.uar,
        war_detected=detected.war,
    )


def missing_reasons(predictions: Predictions, manifests: Path) -> Counter[str]:
    """Number of samples without prediction per reason: status of the face, or why the clip could not be read,
    or its features are lacking.

    Samples other than sampled frames (clips, or those of other manifests) count as ``"not told"``.

    Args:
        predictions: Predictions of a run.
        manifests: Folder of the manifests.

    Raises:
        ManifestError: If the manifests are missing or damaged.
    """
    lost = {
        name
        for name, label in zip(predictions.sample_ids, predictions.predicted, strict=True)
        if label is None
    }
    reasons = dict.fromkeys(lost, "not told")
    clips = dict(zip(predictions.sample_ids, predictions.clip_ids, strict=True))
    rejected = rejected_clips(manifests) if lost else {}
    without = featureless_clips(manifests) if lost else {}
    reasons |= {name: without[clips[name]] for name in lost if clips[name] in without}
    reasons |= {name: rejected[clips[name]] for name in lost if clips[name] in rejected}
    paths = sorted((manifests / "faces").glob("*.parquet")) if lost else []
    for path in paths:
        for row in read_rows(path, ["clip_id", "frame_index", "status"]):
            name = image_id(row["clip_id"], row["frame_index"])
            if name in lost and row["status"] is not None:
                is_bare = row["status"] in USABLE and row["clip_id"] in without
                reasons[name] = without[row["clip_id"]] if is_bare else row["status"]
    return Counter(
        reasons[name]
        for name, label in zip(predictions.sample_ids, predictions.predicted, strict=True)
        if label is None
    )
