"""Attention of a clip network over the frames of clips, and the clips that show it.

Reads ``attention.parquet`` and the predictions of runs, and clips and faces of the manifests.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from fgbench.errors import ManifestError
from fgbench.media.images import decode
from fgbench.reports.accuracies import pooled
from fgbench.reports.experiment import Experiment
from fgbench.reports.experiments import NoRunError
from fgbench.reports.paper.methods import TMSAU
from fgbench.runs.attention import ATTENTION, ClipAttention, read_attention
from fgbench.runs.predictions import Predictions
from fgbench.storage import read_rows
from fgbench.taxonomy import basics, leaf
from fgbench.workfolders.layout import MANIFESTS
from fgbench.workfolders.manifest_index import read_index

Image = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True, kw_only=True)
class Attended:
    """Predictions and attention of an experiment, of its first seed.

    Attributes:
        experiment: The experiment.
        folders: Folders of the runs.
        predictions: Predictions of all folds.
        clips: Id of a test clip with a prediction to the weights of its frames.
    """

    experiment: Experiment
    folders: Sequence[Path]
    predictions: Predictions
    clips: Mapping[str, ClipAttention]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A clip to show.

    Attributes:
        attention: Attention weights of its frames.
        label: True class.
        predicted: Predicted class.
        confidence: Probability of the predicted class, 0 to 1.
    """

    attention: ClipAttention
    label: str
    predicted: str
    confidence: float

    @property
    def is_right(self) -> bool:
        """Whether the prediction is the true class."""
        return self.label == self.predicted


def read_attended(experiments: Sequence[Experiment]) -> Attended:
    """Read predictions and attention of the first of some experiments that kept its attention.

    Raises:
        NoRunError: If none did.
        ManifestError: If a run is damaged, or has attention for test clips that it did not predict.
    """
    for experiment in experiments:
        runs = experiment.of_seed(experiment.seeds[0])
        if not experiment.is_whole or not all((run.folder / ATTENTION).is_file() for run in runs):
            continue
        predictions = pooled([run.predictions() for run in runs])
        predicted = dict(zip(predictions.sample_ids, predictions.predicted, strict=True))
        clips: dict[str, ClipAttention] = {}
        for run in runs:
            attention = read_attention(run.folder)
            test = {name: clip for name, clip in attention.items() if clip.part == "test"}
            if unknown := sorted(set(test) - set(predicted)):
                raise ManifestError(
                    f"{run.folder / ATTENTION} has {len(unknown)} test clips that the predictions do not "
                    f"have, e.g. {unknown[0]!r}",
                    "run the experiment again with --force",
                )
            clips |= {name: clip for name, clip in test.items() if predicted[name] is not None}
        return Attended(
            experiment=experiment,
            folders=[run.folder for run in runs],
            predictions=predictions,
            clips=clips,
        )
    names = ", ".join(experiment.name for experiment in experiments)
    raise NoRunError(f"no complete run of {names} has {ATTENTION}", f"run: {TMSAU.command} --force")


def choose(attended: Attended) -> list[Shown]:
    """Clips to show: one of each of the six upper classes, in their order.

    Of the test clips of an upper class, recognised ones come first, then those with the highest probability
    of the predicted class, then the lowest id.

    Raises:
        NoRunError: If no test clip has attention.
    """
    predictions = attended.predictions
    best: dict[str, tuple[tuple[bool, float, str], Shown]] = {}
    for row, name in enumerate(predictions.sample_ids):
        label, predicted = predictions.labels[row], predictions.predicted[row]
        if name not in attended.clips or predicted is None:
            continue
        shown = Shown(
            attention=attended.clips[name],
            label=label,
            predicted=predicted,
            confidence=float(predictions.probabilities[row, predictions.classes.index(predicted)]),
        )
        rank = (not shown.is_right, -shown.confidence, name)
        upper = leaf(label).basic
        if upper not in best or rank < best[upper][0]:
            best[upper] = (rank, shown)
    if not best:
        folders = ", ".join(map(str, attended.folders))
        raise NoRunError(f"no test clip with attention in {folders}", f"run: {TMSAU.command} --force")
    return [best[upper][1] for upper in basics() if upper in best]


def evenly(frames: npt.NDArray[np.int32], n: int) -> list[int]:
    """Up to n of the frames of a clip, evenly spaced from the first to the last.

    Args:
        frames: (T,) rising indices of frames.
        n: Number of frames, at least 2.
    """
    rows = np.linspace(0, len(frames) - 1, min(n, len(frames))).round().astype(int)
    return [int(frames[row]) for row in rows]


def read_key_frames(workdir: Path) -> dict[str, int]:
    """Clip to its key frame, for clips that have one.

    Raises:
        ManifestError: If the manifests are missing or damaged.
    """
    path = workdir / MANIFESTS / "clips.parquet"
    rows = read_rows(path, ["clip_id", "key_frame"])
    return {row["clip_id"]: row["key_frame"] for row in rows if row["key_frame"] is not None}


def read_faces(workdir: Path, wanted: Collection[tuple[str, int]]) -> dict[tuple[str, int], Image]:
    """Aligned faces of some frames, (H, W, 3) uint8 RGB each.

    Args:
        workdir: Work folder.
        wanted: ``(clip, frame)``.

    Raises:
        ManifestError: If a face is not in the manifests, or these are missing or damaged.
    """
    left = set(wanted)
    faces = {}
    for name in sorted(read_index(workdir)["files"]):
        if not name.startswith("faces/") or not left:
            continue
        path = workdir / MANIFESTS / name
        here = {
            key
            for row in read_rows(path, ["clip_id", "frame_index"])
            if (key := (row["clip_id"], row["frame_index"])) in left
        }
        if not here:
            continue
        for row in read_rows(path, ["clip_id", "frame_index", "image"]):
            key = (row["clip_id"], row["frame_index"])
            if key in here and row["image"] is not None:
                faces[key] = decode(row["image"]["bytes"])
        left -= set(faces)
    if left:
        clip, frame = min(left)
        raise ManifestError(
            f"{len(left)} faces of the run are not in the manifests, e.g. frame {frame} of {clip}",
            f"the manifests have changed since: {TMSAU.command} --force",
        )
    return faces


def key_frame_note(clips: Mapping[str, ClipAttention], key_frames: Mapping[str, int]) -> str | None:
    """Sentence on the distance of the frame with the largest weight from the key frame; ``None`` if no key
    frame is known.

    It also gives the mean distance of all frames, that of a frame picked by chance.
    """
    with_key = {name: clip for name, clip in clips.items() if name in key_frames}
    if not with_key:
        return None
    peaks, chance, share = [], [], []
    for name, clip in with_key.items():
        away = np.abs(clip.frames.astype(np.int64) - key_frames[name])
        peaks.append(float(away[int(np.argmax(clip.second))]))
        chance.append(float(away.mean()))
        share.append(float(clip.second[int(np.argmin(away))]) * len(clip.frames))
    return (
        f"Over {len(with_key):,} test clips with a key frame: the frame with the largest weight of the "
        f"second block lies {np.mean(peaks):.1f} frames from the key frame on average, a frame picked by "
        f"chance {np.mean(chance):.1f}; the weight of the key frame is {np.mean(share):.2f} times that of "
        "equal weights."
    )
