"""Detection of dissolves: one picture, and with it one face, fades into the next without a cut.

In a dissolve each picture is a mixture of the one before it and the one after it, with shares that go evenly
from one to the other. Movement, turns and changes of expression are no mixtures: edges wander. A change of
the light is one, but the edges before and after it are the same. So a picture has dissolved if a picture some
frames ago and the present one have little in common once structures coarser than a face are removed, and the
pictures between contain, with shares that grow, the details that only the first and only the second has. Both
the whole picture and the part about the face are examined.

All numbers are ours. In clips of people who turn, speak, drive, hide behind a hand or are lit differently,
pictures between correlated with the details of one end alone by 0.68 at the most; in dissolves of 8 to
24 frames made from them by 0.77 to 1.0 at some time, but for one pair of the twelve. Missed are dissolves
of much more than 64 frames, between pictures that look alike, while people or camera move much, and where
frames are left out.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from fgbench.faces import scene
from fgbench.faces.geometry import Floats, box_centre, box_width
from fgbench.media.video import Image

LENGTHS = (6, 8, 10, 12, 16, 20, 24, 32, 48, 64)
"""Lengths of the dissolves that are searched for, in frames."""

LOOK_EVERY = 4
"""Frames between two searches: one takes a millisecond."""

_ACROSS_PX = 320  # longer side of the stored pictures
_SIDE = 32  # of the compared part about the face
_PART_WIDTHS = 1.4  # its side in widths of the face's box
_DETAIL_SIGMA = 6.0  # details are smaller than this, in its px
_LEAST_CONTRAST = 4.0  # grey levels: a fade from or to black is no dissolve
_LEAST_ALIKE = 0.35
_LEAST_MIXED = 0.75  # correlation of a picture between with the details that only one end has
_STEPS = (0.25, 0.5, 0.75)
_SHARES = ((0.1, 0.5), (0.25, 0.75), (0.5, 0.9))  # of the picture after, at the steps

Details = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class _Kept:
    """A frame: its number, its luma reduced, and the details of all of it."""

    index: int
    luma: Image
    details: Details


class RecentPictures:
    """The last frames of a clip, reduced; at most 65 of 61 kB each."""

    def __init__(self) -> None:
        self._kept: deque[_Kept] = deque(maxlen=LENGTHS[-1] + 1)
        self._scale = 1.0

    def add(self, index: int, luma: Image) -> None:
        """Add a frame.

        Args:
            index: Its number, greater than the last.
            luma: (H, W) uint8.
        """
        if self._kept and index != self._kept[-1].index + 1:
            self._kept.clear()
        self._scale = min(1.0, _ACROSS_PX / max(luma.shape))
        height, width = (max(1, round(side * self._scale)) for side in luma.shape)
        small: Image = cv2.resize(luma, (width, height), interpolation=cv2.INTER_AREA)
        whole = cv2.resize(small, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA)
        self._kept.append(_Kept(index, small, _without_coarse(whole)))

    def clear(self) -> None:
        """Drop all but the last frame, with which a new scene begins."""
        while len(self._kept) > 1:
            self._kept.popleft()

    def dissolved_since(self, box_xyxy: Floats) -> int | None:
        """Return the number of the frame that has dissolved into the last one, as a whole or about a face.

        Args:
            box_xyxy: (4,) box of the face in px of the frames.

        Returns:
            The latest such frame; ``None`` if there is none.
        """
        lengths = [length for length in (self._dissolve(None), self._dissolve(box_xyxy)) if length]
        return self._kept[-1].index - min(lengths) if lengths else None

    def _dissolve(self, box_xyxy: Floats | None) -> int:
        """Length in frames of the shortest dissolve into the last frame, 0 if there is none."""
        now = self._details(-1, box_xyxy)
        for length in LENGTHS:
            if length >= len(self._kept):
                break
            before = self._details(-1 - length, box_xyxy)
            if not are_unlike(before, now):
                continue
            between = [self._details(-1 - length + round(step * length), box_xyxy) for step in _STEPS]
            if is_mixed(before, between, now):
                return length
        return 0

    def _details(self, index: int, box_xyxy: Floats | None) -> Details:
        """Details of a stored picture about a box, or of all of it: (S, S) float32 grey levels."""
        kept = self._kept[index]
        if box_xyxy is None:
            return kept.details
        side = _PART_WIDTHS * box_width(box_xyxy) * self._scale
        centre = (box_centre(box_xyxy) + 0.5) * self._scale - 0.5
        scale = side / _SIDE
        to_part = np.array([[scale, 0, centre[0] - side / 2], [0, scale, centre[1] - side / 2]])
        part = cv2.warpAffine(
            kept.luma,
            to_part,
            (_SIDE, _SIDE),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REPLICATE,
        )
        return _without_coarse(part)


def _without_coarse(part: npt.NDArray[np.uint8]) -> Details:
    levels = part.astype(np.float32)
    details: Details = levels - cv2.GaussianBlur(levels, (0, 0), _DETAIL_SIGMA)
    return details


def are_unlike(before: Details, after: Details) -> bool:
    """Return whether two pictures, both with some contrast, have few details in common."""
    if min(float(before.std()), float(after.std())) < _LEAST_CONTRAST:
        return False
    return scene.correlation(before, after) < _LEAST_ALIKE


def is_mixed(before: Details, between: list[Details], after: Details) -> bool:
    """Return whether pictures are mixtures of one before and one after, the share of the latter growing
    evenly.

    Args:
        before: Details before.
        between: Details at a quarter, a half and three quarters of the time.
        after: Details after.
    """
    first, last = before.ravel(), after.ravel()
    pictures = [picture.ravel() for picture in between]
    weights = np.linalg.lstsq(np.stack([first, last], axis=1), np.stack(pictures, axis=1), rcond=None)[0]
    if weights.min() < 0:
        return False
    shares = weights[1] / weights.sum(axis=0)
    if not all(least <= share <= most for share, (least, most) in zip(shares, _SHARES, strict=True)):
        return False
    if not shares[0] < shares[1] < shares[2]:
        return False
    # A face that turns is no mixture, but may look like one while it darkens: both ends have to show.
    only_first, only_last = _without(first, last), _without(last, first)
    seen = [_alike(_without(picture, last), only_first) for picture in pictures[:2]]
    seen += [_alike(_without(picture, first), only_last) for picture in pictures[1:]]
    return min(seen) >= _LEAST_MIXED


def _without(picture: Details, other: Details) -> Details:
    """Remainder of a picture (a vector) after its projection on another is subtracted."""
    share = np.float32((picture @ other) / (other @ other))
    left: Details = picture - share * other
    return left


def _alike(first: Details, second: Details) -> float:
    return float(first @ second) / max(float(np.sqrt((first @ first) * (second @ second))), 1e-9)
