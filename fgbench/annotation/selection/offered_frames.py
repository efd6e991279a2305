"""Frames that experts select from: those near the key frame of each settled clip that have a usable face.

Reads manifests; writes nothing. Pictures are read clip by clip, so that memory does not grow with them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fgbench import storage
from fgbench.config import SampleConfig
from fgbench.errors import ConfigError
from fgbench.faces.status import USABLE
from fgbench.preparation.sampling import near_key_frame
from fgbench.publication.face_rows import FaceRows
from fgbench.workfolders.layout import MANIFESTS

_FACTS = ("clip_id", "frame_index", "offset", "status")
_SHOWN = (*_FACTS, "time_s", "sharpness", "quality", "image")


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferedClip:
    """A settled clip with the frames that experts select from.

    Attributes:
        clip_id: Id of the clip.
        label: Its class.
        key_frame: Frame that the others are near, from 0: the settled key frame, else the middle of the clip.
        is_settled: Whether the key frame is a settled one.
        frames: Frames near it with a usable face, in order; may be empty.
        context: Their direct neighbours in the clip that have a usable face and are not among them.
        n_without: Frames near the key frame without a usable face.
    """

    clip_id: str
    label: str
    key_frame: int
    is_settled: bool
    frames: tuple[int, ...]
    context: tuple[int, ...]
    n_without: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FramePicture:
    """Stored face of a frame.

    Attributes:
        frame_index: Number of the frame, from 0.
        time_s: Its time in seconds; ``None`` where frames have none.
        sharpness: Sharpness of the face, as the table ``faces`` has it; ``None`` if it was not computed.
        quality: Reliability of its landmarks, 0 to 1; ``None`` if it was not rated.
        data: JPEG or PNG file, 224 x 224 px.
    """

    frame_index: int
    time_s: float | None
    sharpness: float | None
    quality: float | None
    data: bytes


def offered_clips(workdir: Path, recipe: Mapping[str, Any]) -> list[OfferedClip]:
    """List the settled clips with the frames that experts select from, ordered by id.

    How many frames around the key frame those are says the recipe (``sample.before``, ``sample.after``,
    ``sample.step``); the paper takes "the frames adjacent to the key frames" (section III) and states no
    number.

    Args:
        workdir: Work folder with complete manifests.
        recipe: Recipe of the manifests, as plain values.

    Raises:
        ConfigError: If the clips have no classes.
        ManifestError: If manifests are missing or damaged.
    """
    sample = SampleConfig.model_validate(recipe.get("sample", {}))
    manifests = workdir / MANIFESTS
    columns = ["clip_id", "label", "key_frame", "n_frames"]
    rows = FaceRows(_face_tables(workdir), _FACTS)
    clips = [
        _offered(row, rows, sample)
        for row in storage.read_rows(manifests / "clips.parquet", columns)
        if row["label"] is not None
    ]
    if not clips:
        raise ConfigError(
            f"{workdir} has no clip with a class, expected settled clips with key frames",
            "prepare a data set with labels or votes",
        )
    return sorted(clips, key=lambda clip: clip.clip_id)


def _offered(row: Mapping[str, Any], rows: FaceRows, sample: SampleConfig) -> OfferedClip:
    table = rows.of(row["clip_id"])
    faces = [] if table is None else table.sort_by("frame_index").to_pylist()
    anchor = next(
        (face["frame_index"] - face["offset"] for face in faces if face["offset"] is not None), None
    )
    usable = {face["frame_index"] for face in faces if face["status"] in USABLE}
    near: list[int] = []
    if anchor is not None:
        n_frames = max(row["n_frames"] or 0, anchor + 1, *(face["frame_index"] + 1 for face in faces))
        near = near_key_frame(anchor, n_frames, before=sample.before, after=sample.after, step=sample.step)
    frames = tuple(frame for frame in near if frame in usable)
    beside = {frame + step for frame in frames for step in (-1, 1)} & usable
    return OfferedClip(
        clip_id=row["clip_id"],
        label=row["label"],
        key_frame=0 if anchor is None else anchor,
        is_settled=row["key_frame"] is not None,
        frames=frames,
        context=tuple(sorted(beside - {*frames})),
        n_without=len(near) - len(frames),
    )


def pictures_of(
    workdir: Path, clips: Sequence[OfferedClip]
) -> Iterator[tuple[OfferedClip, list[FramePicture]]]:
    """Yield clips with the stored faces of their frames and of their neighbours, in the order of files.

    Args:
        workdir: Work folder with complete manifests.
        clips: Clips of :func:`offered_clips`.

    Raises:
        ManifestError: If manifests are missing or damaged.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    rows = FaceRows(_face_tables(workdir), _SHOWN)
    wanted = {clip.clip_id: clip for clip in clips if clip.frames}
    for clip_id in rows:
        clip = wanted.get(clip_id)
        table = rows.of(clip_id)
        if clip is None or table is None:
            continue
        numbers = pa.array([*clip.frames, *clip.context], pa.int32())
        shown = table.filter(pc.is_in(table["frame_index"], value_set=numbers)).sort_by("frame_index")
        yield (
            clip,
            [
                FramePicture(
                    frame_index=row["frame_index"],
                    time_s=row["time_s"],
                    sharpness=row["sharpness"],
                    quality=row["quality"],
                    data=row["image"]["bytes"],
                )
                for row in shown.to_pylist()
            ],
        )


def _face_tables(workdir: Path) -> list[Path]:
    return sorted((workdir / MANIFESTS / "faces").glob("*.parquet"))
