"""Records that pass between stages, and the Arrow schema of every table that fgbench writes.

This module alone owns column names. Images are stored as ``struct<bytes, path>`` with the metadata that
makes ``datasets.load_dataset("parquet", ...)`` show them as pictures.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa

SPLITS = ("train", "val", "test")
"""Names of the parts of a data set, in the order of tables."""

IMAGE_ROLES = ("image", "both")
"""Roles of frames that belong to the image set."""

N_LANDMARKS = 68
"""Points per face in the ``faces`` table (iBUG order); the 5-point predictor fills the first five."""


TRAJECTORY_NUMBERS = ("mean_x", "mean_y", "var_x", "var_y", "length", "scale", "x_norm", "y_norm", "t_norm")
"""Columns of a trajectory beside its last frame and its descriptors."""

TRAJECTORY_CHANNELS = {"traj": 30, "hog": 96, "hof": 108, "mbhx": 96, "mbhy": 96}
"""Descriptor channels of a trajectory and their lengths."""


@dataclass(slots=True, kw_only=True, unsafe_hash=True)  # never changed; frozen ones take twice the time
class Vote:
    """One annotator's judgement of one clip in one round.

    Attributes:
        annotator: Name or number of the annotator.
        label: Leaf of the class tree, or a reserved answer (:mod:`fgbench.taxonomy`).
        confidence: 0 to 1; ``None`` if not given.
        key_frame: Frame of the climax, from 0; ``None`` if not given.
        round: 1 for the first vote, 2 for the vote after a failed first one.
        time_s: Time of the key frame in seconds since the clip's first frame, from its file; ``None``
            before the file is read, and where the clip's frame rate gives it as well.
        outside: Key frame of the vote that the clip does not have; ``key_frame`` is then ``None``.
        spent_s: Seconds that the annotator spent on it, 0 or more; ``None`` if not given.
        cast_at: Time at which it was cast, UTC, e.g. ``2026-01-31T12:00:00Z``; ``None`` if not given.
    """

    annotator: str
    label: str
    confidence: float | None
    key_frame: int | None
    round: int
    time_s: float | None = None
    outside: int | None = None
    spent_s: float | None = None
    cast_at: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipEntry:
    """One clip as an adapter lists it, before the video is read.

    A still picture is a clip of one frame, a folder of pictures one whose frames are its pictures in natural
    order of their names (``img2`` before ``img10``).

    Attributes:
        clip_id: Unique name of the clip.
        path: POSIX path of the video, the picture, the folder of pictures, or the row of a table of pixels
            (``fer2013.csv/17``), relative to the root of the data set.
        label: Name of the class; ``None`` when votes decide, or the data have no classes.
        key_frame: Frame of the climax, from 0; ``None`` when unknown or when votes decide.
        confidence: Annotators' confidence, 0 to 1.
        subject_id: Subject that is shown.
        source_id: Film, session or recording that the clip was cut from.
        split: Official part, one of :data:`SPLITS`.
        votes: Annotators' votes; empty when the data set has final labels.
        selected_frames: Frames for the image set, selected by experts or the data set's protocol; ``None``
            when there is no selection.
        stills_only: Whether the entry stands for its selected frames alone and not for the whole clip, as the
            neutral first frame of a sequence that ends in another expression.
        fold: Number of the official fold that tests the clip, from 1; ``None`` when there are none.
        problem: ``(reason, detail)`` if the adapter knows that the clip cannot be used.
        last_unit_frame: Last frame in a user's own table of action units, from 0.
        gold_label: Known answer of a clip that is mixed among the others to test annotators.
        fps: Frames per second of a folder of pictures, which tells none itself; ``None`` if unknown. Of
            videos the rate of the file counts.
    """

    clip_id: str
    path: str
    label: str | None = None
    key_frame: int | None = None
    confidence: float | None = None
    subject_id: str | None = None
    source_id: str | None = None
    split: str | None = None
    votes: tuple[Vote, ...] = ()
    selected_frames: tuple[int, ...] | None = None
    stills_only: bool = False
    fold: int | None = None
    problem: tuple[str, str] | None = None
    last_unit_frame: int | None = None
    gold_label: str | None = None
    fps: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AuRow:
    """Labels of the action units of one frame, from an adapter.

    Attributes:
        clip_id: Clip, as in :class:`ClipEntry`.
        frame_index: Number of the decoded frame, from 0; ``None`` for all frames of the clip that have no
            labels of their own.
        labels: Name, e.g. ``"au12"``, to 1 (present) or -1 (absent); 0, or no entry, if not labelled.
    """

    clip_id: str
    frame_index: int | None
    labels: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitSource:
    """Origin of labels of action units.

    Attributes:
        pseudo: The detector that made them, e.g. ``"OpenFace"``; empty if people did.
        lines: Messages on them, one line each.
    """

    pseudo: str = ""
    lines: tuple[str, ...] = ()


PEOPLE = UnitSource()
"""Source of labels made by people, without messages."""


@dataclass(frozen=True, slots=True)
class Rejected:
    """An item that a stage could not use.

    Attributes:
        item_id: Id of the item (a clip id).
        reason: Short stable word, e.g. ``"empty_file"``.
        detail: Explanation for the user.
    """

    item_id: str
    reason: str
    detail: str


def image_id(clip_id: str, frame_index: int) -> str:
    """Id of an original picture of the image set."""
    return f"{clip_id}-f{frame_index:05d}"


def image_type() -> pa.DataType:
    """Arrow type of a stored picture: encoded bytes and a file name."""
    import pyarrow as pa

    return pa.struct([("bytes", pa.binary()), ("path", pa.string())])


def _schema(fields: list[tuple[str, pa.DataType]], *, has_image: bool = False) -> pa.Schema:
    import pyarrow as pa

    schema = pa.schema(fields)
    if not has_image:
        return schema
    shown = {"info": {"features": {"image": {"_type": "Image"}}}}
    return schema.with_metadata({"huggingface": json.dumps(shown)})


def _probe_fields() -> list[tuple[str, Any]]:
    import pyarrow as pa

    return [
        ("clip_id", pa.string()),
        ("dataset", pa.string()),
        ("path", pa.string()),
        ("sha256", pa.string()),
        ("decoder", pa.string()),
        ("container", pa.string()),
        ("codec", pa.string()),
        ("pixel_format", pa.string()),
        ("width", pa.int32()),
        ("height", pa.int32()),
        ("rotation_deg", pa.int16()),
        ("mirrored", pa.bool_()),
        ("pixel_aspect", pa.float64()),
        ("tone_mapped", pa.bool_()),
        ("fps", pa.float64()),
        ("n_frames", pa.int32()),
        ("truncated", pa.bool_()),
        ("n_announced", pa.int32()),
        ("duration_s", pa.float64()),
        ("source_id", pa.string()),
        ("subject_id", pa.string()),
    ]


def _label_fields() -> list[tuple[str, Any]]:
    import pyarrow as pa

    return [
        ("label", pa.string()),
        ("basic", pa.string()),
        ("valence", pa.string()),
        ("scheme", pa.string()),
        ("confidence", pa.float32()),
        ("agreement", pa.float32()),
        ("key_frame", pa.int32()),
    ]


def schema(table: str, width: int = 0) -> pa.Schema:
    """Arrow schema of a table.

    Args:
        table: ``"ingest"``, ``"consensus"``, ``"split"``, ``"sample"``, ``"faces"``, ``"audit"``,
            ``"images"``, ``"clips"``, ``"votes"``, ``"rejects"`` (of a stage), ``"published_rejects"`` (of
            the manifests), or one of features: ``"lbp"``, ``"dense_trajectories"``, ``"optical_flow"``,
            ``"wide_faces"``.
        width: Length of the vectors of a table of features whose length is a choice.
    """
    import pyarrow as pa

    def box(length: int) -> pa.DataType:
        return pa.list_(pa.float32(), length)

    vote = pa.struct(
        [
            ("annotator", pa.string()),
            ("label", pa.string()),
            ("confidence", pa.float64()),
            ("key_frame", pa.int32()),
            ("round", pa.int16()),
            ("time_s", pa.float64()),
            ("outside", pa.int32()),
            ("spent_s", pa.float64()),
            ("cast_at", pa.string()),
        ]
    )
    soft_label = pa.list_(pa.struct([("label", pa.string()), ("share", pa.float64())]))
    augmentation = pa.struct(
        [
            ("rotation_deg", pa.float32()),
            ("scale", pa.float32()),
            ("noise_sigma", pa.float32()),
            ("noise_seed", pa.uint64()),
        ]
    )
    rejects = [
        ("id", pa.string()),
        ("stage", pa.string()),
        ("reason", pa.string()),
        ("detail", pa.string()),
    ]
    tables: dict[str, list[tuple[str, Any]]] = {
        "ingest": [
            *_probe_fields(),
            ("label", pa.string()),
            ("confidence", pa.float64()),
            ("key_frame", pa.int32()),
            ("scheme", pa.string()),
            ("official_split", pa.string()),
            ("fold", pa.int16()),
            ("votes", pa.list_(vote)),
            ("stills_only", pa.bool_()),
            ("max_frame_px", pa.int64()),
            ("gold_label", pa.string()),
        ],
        "consensus": [
            ("clip_id", pa.string()),
            *_label_fields(),
            ("soft_label", soft_label),
            ("round", pa.int16()),
        ],
        "split": [("clip_id", pa.string()), ("split", pa.string())],
        "sample": [
            ("clip_id", pa.string()),
            ("frame_index", pa.int32()),
            ("offset", pa.int32()),
            ("role", pa.string()),
        ],
        "faces": [
            ("clip_id", pa.string()),
            ("frame_index", pa.int32()),
            ("time_s", pa.float64()),
            ("offset", pa.int32()),
            ("role", pa.string()),
            ("resized_from", pa.list_(pa.int32(), 2)),
            ("status", pa.string()),
            ("track_id", pa.int32()),
            ("n_faces", pa.int16()),
            ("box_xyxy", box(4)),
            ("score", pa.float32()),
            ("quality", pa.float32()),
            ("landmarks", box(2 * N_LANDMARKS)),
            ("transform", box(6)),
            ("yaw_deg", pa.float32()),
            ("pitch_deg", pa.float32()),
            ("roll_deg", pa.float32()),
            ("sharpness", pa.float32()),
            ("image", image_type()),
        ],
        "audit": [("clip_id", pa.string())],
        "images": [
            ("image_id", pa.string()),
            ("clip_id", pa.string()),
            ("frame_index", pa.int32()),
            ("offset", pa.int32()),
            ("parent_id", pa.string()),
            ("augmentation", augmentation),
            ("label", pa.string()),
            ("basic", pa.string()),
            ("valence", pa.string()),
            ("split", pa.string()),
            ("subject_id", pa.string()),
            ("soft_label", soft_label),
            ("image", image_type()),
        ],
        "clips": [
            *_probe_fields(),
            *_label_fields(),
            ("soft_label", soft_label),
            ("stills_only", pa.bool_()),
            ("align", pa.string()),
            ("split", pa.string()),
            ("n_images", pa.int32()),
            ("n_faces_ok", pa.int32()),
            ("n_unsure", pa.int32()),
            ("n_passing", pa.int32()),
            ("n_tracks", pa.int32()),
            ("n_persons", pa.int32()),
            ("size_changes", pa.int32()),
        ],
        "votes": [
            ("clip_id", pa.string()),
            ("annotator", pa.string()),
            ("round", pa.int16()),
            ("answer", pa.string()),
            ("label", pa.string()),
            ("basic", pa.string()),
            ("confidence", pa.float64()),
            ("key_frame", pa.int32()),
            ("key_time_s", pa.float64()),
            ("outside", pa.int32()),
            ("spent_s", pa.float64()),
            ("cast_at", pa.string()),
            ("gold_label", pa.string()),
            ("settled", pa.string()),
            ("subject_id", pa.string()),
            ("source_id", pa.string()),
        ],
        "lbp": [
            ("image_id", pa.string()),
            ("clip_id", pa.string()),
            ("lbp", box(width)),
        ],
        "optical_flow": [
            ("clip_id", pa.string()),
            ("frame_index", pa.int32()),
            ("bound_px", pa.float32()),
            ("u", pa.binary()),
            ("v", pa.binary()),
        ],
        "wide_faces": [
            ("clip_id", pa.string()),
            ("frame_index", pa.int32()),
            ("transform", box(6)),
            ("image", image_type()),
        ],
        "dense_trajectories": [
            ("clip_id", pa.string()),
            ("end_frame", pa.int32()),
            *((name, pa.float32()) for name in TRAJECTORY_NUMBERS),
            *((name, pa.list_(pa.float16(), size)) for name, size in TRAJECTORY_CHANNELS.items()),
        ],
        "rejects": rejects,
        "published_rejects": [
            *rejects,
            ("label", pa.string()),
            ("split", pa.string()),
            ("subject_id", pa.string()),
            ("source_id", pa.string()),
            ("key_frame", pa.int32()),
        ],
    }
    fields = tables[table]
    return _schema(fields, has_image=any(name == "image" for name, _ in fields))
