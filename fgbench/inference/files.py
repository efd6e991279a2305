"""Predictions of users' files, as values and as rows of tables."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from fgbench.faces.status import USABLE
from fgbench.methods.protocol import Floats

if TYPE_CHECKING:
    import pyarrow as pa


NO_PREDICTION = "no_prediction"
"""Status of a usable face without prediction: the network's numbers are not finite, or it needs movement and
has a picture."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassProbabilities:
    """Probabilities of one face, or their mean over the faces of a video.

    Attributes:
        fine: (K,) of the classes.
        basic_sum: (M,) of the upper classes: sums over their classes; M is 0 where there are none.
        basic_head: (M,) by the network's own outputs for the upper classes, if it has any.
    """

    fine: Floats
    basic_sum: Floats
    basic_head: Floats | None

    @property
    def basic(self) -> Floats:
        """(M,) of the upper classes: the network's own, else the sums."""
        return self.basic_sum if self.basic_head is None else self.basic_head

    @property
    def is_finite(self) -> bool:
        """Whether all probabilities are finite."""
        return bool(np.isfinite(self.fine).all() and np.isfinite(self.basic).all())


@dataclass(frozen=True, slots=True, kw_only=True)
class Portrait:
    """A face in its picture, to be drawn; coordinates in px of the picture, pixel centres at whole numbers.

    Attributes:
        picture: (H, W, 3) uint8 RGB.
        frame_index: Number of the frame; ``None`` for a picture.
        time_s: Its time; ``None`` for a picture.
        box_xyxy: (4,) about the face; ``None`` where whole frames are taken as faces.
        landmarks: (68, 2) or (5, 2); ``None`` likewise.
        outline: (4, 2) corners of the aligned face.
        regions: (n, 4, 2) corners of the regions that the network zoomed into, strongest first.
        probabilities: Probabilities of the face.
    """

    picture: npt.NDArray[np.uint8]
    frame_index: int | None
    time_s: float | None
    box_xyxy: Floats | None
    landmarks: Floats | None
    outline: npt.NDArray[np.float64]
    regions: npt.NDArray[np.float64]
    probabilities: ClassProbabilities


@dataclass(frozen=True, slots=True, kw_only=True)
class FilePrediction:
    """Prediction of a file.

    Attributes:
        path: The file.
        kind: ``"image"``, ``"video"``, or ``"unreadable"``.
        status: ``"ok"`` if there is a usable face; else the reason why not: the most frequent
            status of its frames (`fgbench.faces.status`, :data:`NO_PREDICTION`), or that of a
            :class:`MediaError`.
        message: Description of what is wrong, if anything.
        n_frames: Frames read; 1 for a picture.
        statuses: Frames of each status.
        n_tracks: Different faces that were followed.
        n_people: Faces in a picture; in a video the most in a frame. 0 where none was found.
        face: Number of the face in its picture, from 1 at the left, if all faces are predicted.
        box_xyxy: (4,) px, of a face of a picture, if all faces are predicted.
        probabilities: Probabilities of the face, or the mean over the usable frames.
        portrait: The face, or that of the frame with the surest class.
        streams: Streams of the clip network that classified a video; empty for the mean over frames.
    """

    path: Path
    kind: str
    status: str
    message: str = ""
    n_frames: int = 0
    statuses: Mapping[str, int] = field(default_factory=dict)
    n_tracks: int = 0
    n_people: int = 0
    face: int | None = None
    box_xyxy: Floats | None = None
    probabilities: ClassProbabilities | None = None
    portrait: Portrait | None = None
    streams: tuple[str, ...] = ()

    @property
    def n_faces(self) -> int:
        """Frames with a usable face."""
        return sum(count for status, count in self.statuses.items() if status in USABLE)


def frames_schema(classes: Iterable[str], upper: Iterable[str]) -> pa.Schema:
    """Return the Arrow schema of the frames of a video; names of the classes are in its metadata, as JSON.

    ``box`` is in px of the upright frame; probabilities are null where the status is not ``ok``; ``basic``
    are those of :attr:`ClassProbabilities.basic`.
    """
    import pyarrow as pa

    fine, above = list(classes), list(upper)
    listed = pa.list_(pa.float32(), len(above) or -1)  # Parquet has no lists of the fixed length 0
    return pa.schema(
        [
            ("frame_index", pa.int32()),
            ("time_s", pa.float64()),
            ("status", pa.string()),
            ("track_id", pa.int32()),
            ("box", pa.list_(pa.float32(), 4)),
            ("probabilities", pa.list_(pa.float32(), len(fine))),
            ("basic", listed),
        ],
        metadata={"classes": json.dumps(fine), "basic": json.dumps(above)},
    )


def files_schema(classes: Iterable[str], upper: Iterable[str]) -> pa.Schema:
    """Return the Arrow schema of the table of all files: a row per file, also of those without a face.

    ``label`` and ``basic`` are the likeliest classes; ``basic_head`` is null where the network has no outputs
    for the upper classes. ``align`` is ``similarity`` of faces that were aligned, ``none`` of files that were
    taken as they are. ``face`` numbers the faces of a picture from the left if all are predicted, a row each.
    ``box`` is in px of the picture, or of frame ``box_frame`` of a video. The names of the classes are in the
    metadata, as JSON.
    """
    import pyarrow as pa

    fine, above = list(classes), list(upper)
    listed = pa.list_(pa.float32(), len(above) or -1)  # Parquet has no lists of the fixed length 0
    return pa.schema(
        [
            *((name, pa.string()) for name in ("path", "kind", "status", "message")),
            *((name, pa.int32()) for name in ("n_frames", "n_faces", "n_tracks", "n_people", "face")),
            ("align", pa.string()),
            ("label", pa.string()),
            ("basic", pa.string()),
            ("probabilities", pa.list_(pa.float32(), len(fine))),
            ("basic_sum", listed),
            ("basic_head", listed),
            ("box", pa.list_(pa.float32(), 4)),
            ("box_frame", pa.int32()),
            ("picture", pa.string()),
            ("frames", pa.string()),
        ],
        metadata={"classes": json.dumps(fine), "basic": json.dumps(above)},
    )
