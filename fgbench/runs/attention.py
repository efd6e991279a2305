"""Attention of a clip network over the frames of clips, on disk.

A file beside those of a run (see :mod:`fgbench.runs.results`)::

    runs/<experiment>/<fold>/<seed>/attention.parquet   one row per clip (val, test) and frame
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from fgbench import storage
from fgbench.errors import ManifestError
from fgbench.runs.streams import AGAIN, NEAR, PARTS

if TYPE_CHECKING:
    import pyarrow as pa

ATTENTION = "attention.parquet"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipAttention:
    """Attention weights of the frames of a clip (paper equations 3 to 5).

    Attributes:
        sample_id: Id of the clip.
        part: ``"val"`` or ``"test"``.
        frames: (T,) int32, indices of the decoded frames, rising.
        first: (T,) float32, weights of the first attention block; they add up to 1.
        second: (T,) float32, weights of the second attention block; they add up to 1.
    """

    sample_id: str
    part: str
    frames: npt.NDArray[np.int32]
    first: npt.NDArray[np.float32]
    second: npt.NDArray[np.float32]


def attention_schema() -> pa.Schema:
    """Arrow schema of ``attention.parquet``."""
    import pyarrow as pa

    return pa.schema(
        [
            ("sample_id", pa.string()),
            ("part", pa.string()),
            ("frame_index", pa.int32()),
            ("first", pa.float32()),
            ("second", pa.float32()),
        ]
    )


def write_attention(folder: Path, clips: Sequence[ClipAttention]) -> None:
    """Write ``attention.parquet``.

    Args:
        folder: Folder of the run.
        clips: Each once.

    Raises:
        ValueError: If weights do not add up to 1, or a clip is inconsistent.
        ResourceError: If the folder cannot be written.
    """
    import pyarrow as pa

    if fault := _attention_fault(clips):
        raise ValueError(fault)
    columns = {
        "sample_id": [clip.sample_id for clip in clips for _ in clip.frames],
        "part": [clip.part for clip in clips for _ in clip.frames],
        "frame_index": [int(frame) for clip in clips for frame in clip.frames],
        "first": [float(weight) for clip in clips for weight in clip.first],
        "second": [float(weight) for clip in clips for weight in clip.second],
    }
    storage.write_table(folder / ATTENTION, pa.table(columns, schema=attention_schema()))


def read_attention(folder: Path) -> dict[str, ClipAttention]:
    """Read the attention weights of a run, by id of the clip.

    Raises:
        ManifestError: If they are not there or damaged.
    """
    path = folder / ATTENTION
    table = storage.read_table(path, hint=AGAIN)
    if not table.schema.equals(attention_schema()):
        raise ManifestError(f"{path} has columns {table.column_names}, not those of attention", AGAIN)
    rows: dict[tuple[str, str], list[tuple[int, float, float]]] = {}
    for row in table.to_pylist():
        if any(value is None for value in row.values()):
            raise ManifestError(f"{path} is damaged: a row with missing values, expected none", AGAIN)
        weights = (row["frame_index"], row["first"], row["second"])
        rows.setdefault((row["sample_id"], row["part"]), []).append(weights)
    clips = []
    for (sample_id, part), weights_of_frames in rows.items():
        frames, first, second = zip(*sorted(weights_of_frames), strict=True)
        clips.append(
            ClipAttention(
                sample_id=sample_id,
                part=part,
                frames=np.array(frames, np.int32),
                first=np.array(first, np.float32),
                second=np.array(second, np.float32),
            )
        )
    if fault := _attention_fault(clips):
        raise ManifestError(f"{path} is damaged: {fault}", AGAIN)
    return {clip.sample_id: clip for clip in clips}


def _attention_fault(clips: Sequence[ClipAttention]) -> str | None:
    """First inconsistency of the attention of some clips; ``None`` if there is none."""
    if len({clip.sample_id for clip in clips}) != len(clips):
        return "a clip that occurs twice or in two parts, expected each once"
    for clip in clips:
        if clip.part not in PARTS:
            return f"clip {clip.sample_id!r} is of part {clip.part!r}, expected {' or '.join(PARTS)}"
        shapes = {clip.frames.shape, clip.first.shape, clip.second.shape}
        if len(shapes) != 1 or clip.frames.ndim != 1 or not clip.frames.size:
            return f"clip {clip.sample_id!r} has columns of shapes {sorted(shapes)}, expected one (T,)"
        if not (np.diff(clip.frames) > 0).all() or clip.frames[0] < 0:
            return f"frames of clip {clip.sample_id!r} do not rise from 0 or more"
        for weights in (clip.first, clip.second):
            total = float(weights.sum(dtype=np.float64))
            if not (np.isfinite(weights).all() and weights.min() >= 0 and abs(total - 1) < NEAR):
                return (
                    f"weights of clip {clip.sample_id!r} add up to {total:.6g}, expected 1 and none below 0"
                )
    return None
