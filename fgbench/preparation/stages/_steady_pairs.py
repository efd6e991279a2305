"""Pairs of neighbouring faces, both seen through one transform, for optical flow.

Stored faces are each aligned by their own landmarks, whose noise changes from frame to frame: between two
frames it looks like a movement, as large as that of a face. So both frames of a pair are seen through one
transform, the mean of those of the frames around it. The remaining movement is that of the video, the head
included (the paper, section IV-B: flow of raw videos).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain, groupby, repeat
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from fgbench.faces.geometry import Transform, compose, invert
from fgbench.faces.status import USABLE
from fgbench.media.images import decode

REACH = 5
"""Frames before, and frames after, the middle of a pair whose transforms are averaged: together twice the
pairs of a stack. Fewer at the ends of a run. Not stated in the paper."""

Grey = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Pair:
    """Two neighbouring frames of a face.

    Attributes:
        frame_index: Number of the earlier frame.
        earlier: (S, S) uint8 grey.
        later: Likewise, seen through the same transform.
    """

    frame_index: int
    earlier: Grey
    later: Grey


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Face:
    frame_index: int
    grey: Grey
    to_frame: Transform


def steady_pairs(faces: Iterable[Mapping[str, Any]], *, size_px: int) -> Iterator[Pair]:
    """Yield pairs of neighbouring frames of one clip that show the same face, in order; a few faces are held.

    Args:
        faces: Rows of the table ``faces``, in order: ``frame_index``, ``status``, ``track_id``,
            ``transform``, ``image``.
        size_px: Side S of the pictures.
    """
    for _, run in groupby(_numbered(faces), key=lambda numbered: numbered[0]):
        yield from _of_run((face for _, face in run), size_px)


def _numbered(faces: Iterable[Mapping[str, Any]]) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """Usable faces, each with the number of its run: frames without a gap that show the same face."""
    number = 0
    before: tuple[int, int | None] | None = None
    for face in faces:
        if face["status"] not in USABLE:
            continue
        here = (int(face["frame_index"]), face["track_id"])
        if before is not None and here != (before[0] + 1, before[1]):
            number += 1
        before = here
        yield number, face


def _of_run(run: Iterable[Mapping[str, Any]], size_px: int) -> Iterator[Pair]:
    window: deque[_Face | None] = deque(maxlen=2 * REACH)
    for face in chain(map(_read, run), repeat(None, REACH - 1)):
        window.append(face)
        if len(window) <= REACH:
            continue
        earlier, later = window[-REACH - 1], window[-REACH]
        if earlier is None or later is None:
            continue
        transform = invert(np.mean([near.to_frame for near in window if near is not None], axis=0))
        yield Pair(
            frame_index=earlier.frame_index,
            earlier=_seen(earlier, transform, size_px),
            later=_seen(later, transform, size_px),
        )


def _read(face: Mapping[str, Any]) -> _Face:
    return _Face(
        frame_index=int(face["frame_index"]),
        grey=np.asarray(cv2.cvtColor(decode(face["image"]["bytes"]), cv2.COLOR_RGB2GRAY)),
        to_frame=invert(np.asarray(face["transform"], np.float64).reshape(2, 3)),
    )


def _seen(face: _Face, transform: Transform, size_px: int) -> Grey:
    """A face resampled by a transform from the frame; its border is repeated where it ends."""
    warped = cv2.warpAffine(
        face.grey,
        compose(face.to_frame, transform),
        face.grey.shape[::-1],
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return np.asarray(cv2.resize(warped, (size_px, size_px), interpolation=cv2.INTER_AREA))
