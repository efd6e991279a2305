"""The clips that a network was trained and selected on: ``trained_on.parquet`` of its run.

The manifests of the work folder do not suffice: they may have been divided anew since, a run may have been
copied into another work folder, and one of action units may be of several folders, or of a fold of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fgbench.methods.action_units.frames import Frames
from fgbench.runs.roles import Roles
from fgbench.runs.trained_labels import TRAINED_ON, trained_rows, write_trained_rows
from fgbench.runs.weights import Trained
from fgbench.storage import read_rows
from fgbench.training.context import TrainingContext

_COLUMNS = ["dataset", "clip_id", "sha256"]


def write_trained_frames(folder: Path, frames: Sequence[Frames]) -> None:
    """Write the clips of frames with labels of action units.

    Raises:
        ManifestError: If manifests are missing or damaged.
        ResourceError: If the folder cannot be written.
    """
    used = {
        (number, clip) for part in frames for number, (clip, _) in zip(part.folders, part.keys, strict=True)
    }
    rows: list[dict[str, Any]] = []
    for number, one in enumerate(frames[0].data):
        clips = dict.fromkeys(clip for of, clip in used if of == number)
        rows += trained_rows(one.context.manifests, one.dataset, clips)
    write_trained_rows(folder, rows)


def write_trained_roles(folder: Path, context: TrainingContext, roles: Roles, start: Trained | None) -> None:
    """Write the clips of samples, and those that the network to start from lists.

    Args:
        folder: Folder of the run.
        context: Context of the run.
        roles: The samples.
        start: Network that it started from, or that describes its frames.

    Raises:
        ManifestError: If manifests or the table of the start are missing or damaged.
        ResourceError: If the folder cannot be written.
    """
    labels = {sample.clip_id: sample.label for sample in (*roles.train, *roles.selection)}
    before = [] if start is None else read_trained_clips(start.path.parent) or []
    own = trained_rows(context.manifests, str(context.details["dataset"]), labels)
    write_trained_rows(folder, [*own, *before])


def read_trained_clips(folder: Path) -> list[dict[str, Any]] | None:
    """Read the rows of the table; ``None`` where a run has none, as those of earlier versions.

    Raises:
        ManifestError: If it is damaged.
    """
    path = folder / TRAINED_ON
    if not path.is_file():
        return None
    return list(read_rows(path, _COLUMNS))
