"""Correlation of two faces once one is aligned with the other.

A copy that was encoded anew, brightened, cropped or aligned by slightly different landmarks agrees almost
everywhere after a small affine movement; faces of two people, or of two moments, do not.

Reads and writes nothing. Not in the paper.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fgbench.audit.perceptual_hash import SIDE_PX, WINDOWS, Mask, Thumbnail, evened, filled, turning

_STEPS = 40  # of the search for the movement
_ENOUGH = 1e-4  # gain in correlation below which the search ends
_BLUR_PX = (5, 3)  # sizes of the filter in the searches, one after the other
_HOPELESS = 0.85  # correlation after the first search below which there is no second
_MIN_SHARED = 0.45  # least share of the picture on which both have to lie
_MAX_STRETCH = 1.6  # movements that enlarge or reduce more are not of a copy


@dataclass(frozen=True, slots=True)
class Match:
    """Two windows that look alike.

    Attributes:
        first: Number of the first picture's window in :data:`fgbench.audit.perceptual_hash.WINDOWS`.
        second: Number of the second picture's.
        mirrored: Whether the first picture is to be mirrored.
        quarters: Quarters by which it is to be turned anticlockwise after that.
        angle_deg: Degrees by which its middle is to be turned anticlockwise.
    """

    first: int
    second: int
    mirrored: bool
    quarters: int = 0
    angle_deg: float = 0.0

    @property
    def is_shift(self) -> bool:
        """Whether each picture shows something at an edge that the other does not."""
        return self.first > 0 and self.second > 0


class _Face:
    """A thumbnail with its contrast evened, and the mask of the pixels that show the picture."""

    __slots__ = ("evened", "shown")

    def __init__(self, thumb: Thumbnail, kept: Mask | None = None) -> None:
        """Prepare a face; pixels outside ``kept`` show nothing."""
        fill = filled(thumb)
        self.evened = evened(thumb, fill)
        shown = ~fill if kept is None else ~fill & kept
        if kept is not None:
            self.evened *= kept
        self.shown = shown.astype(np.float32)


def aligned_correlation(first: Thumbnail, second: Thumbnail, match: Match) -> float:
    """Correlation of two faces, the first moved onto the second.

    Args:
        first: (56, 56) uint8.
        second: (56, 56) uint8.
        match: Movement to start from.

    Returns:
        -1 to 1, over the pixels that both cover; -1 if no sensible movement is found.
    """
    import cv2

    turned = np.rot90(first[:, ::-1] if match.mirrored else first, match.quarters)
    moved = _Face(np.ascontiguousarray(turned), _kept(match, match.first))
    still = _Face(second, _kept(match, match.second))
    matrix = _start(match)
    limits = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, _STEPS, _ENOUGH)
    best = _correlation(moved, still, matrix)
    for blur_px in _BLUR_PX:
        try:
            _, matrix = cv2.findTransformECC(
                still.evened, moved.evened, matrix.copy(), cv2.MOTION_AFFINE, limits, None, blur_px
            )
        except cv2.error:  # the search left the picture
            break
        best = max(best, _correlation(moved, still, matrix))
        if best < _HOPELESS:
            break
    return best


def _kept(match: Match, window: int) -> Mask | None:
    """Pixels that both pictures can show: a circle if turned, the window if shifted; ``None`` for all."""
    if match.angle_deg:
        away = np.arange(SIDE_PX) - (SIDE_PX - 1) / 2.0
        circle: Mask = np.add.outer(away**2, away**2) <= (SIDE_PX / 2.0) ** 2
        return circle
    if not match.is_shift:
        return None
    left, top, side = WINDOWS[window]
    kept = np.zeros((SIDE_PX, SIDE_PX), bool)
    rows, columns = (slice(round(start * SIDE_PX), round((start + side) * SIDE_PX)) for start in (top, left))
    kept[rows, columns] = True
    return kept


def _start(match: Match) -> npt.NDArray[np.float32]:
    """Matrix from px of the second picture to px of the first, mirrored or turned by quarters as in the
    match, that maps window onto window."""
    if match.angle_deg:
        return turning(match.angle_deg).astype(np.float32)
    left, top, side = WINDOWS[match.first]
    if match.mirrored:
        left = 1.0 - left - side
    other_left, other_top, other_side = WINDOWS[match.second]
    scale = side / other_side
    # Pixel k covers k to k + 1, its centre is k + 0.5.
    shift = 0.5 * scale - 0.5
    return np.array(
        [
            [scale, 0.0, (left - scale * other_left) * SIDE_PX + shift],
            [0.0, scale, (top - scale * other_top) * SIDE_PX + shift],
        ],
        np.float32,
    )


def _correlation(moved: _Face, still: _Face, matrix: npt.NDArray[np.float32]) -> float:
    """Correlation over the pixels that both pictures cover; -1 if they are too few."""
    import cv2

    stretch = np.sqrt(abs(float(np.linalg.det(matrix[:, :2].astype(np.float64)))))
    if not 1.0 / _MAX_STRETCH <= stretch <= _MAX_STRETCH:
        return -1.0
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    size = still.evened.shape
    laid = cv2.warpAffine(moved.evened, matrix, size, flags=flags)
    inside = cv2.warpAffine(moved.shown, matrix, size, flags=flags) * still.shown > 0.999
    if inside.mean() < _MIN_SHARED:
        return -1.0
    a, b = (values[inside].astype(np.float64) for values in (laid, still.evened))
    a, b = a - a.mean(), b - b.mean()
    length = np.sqrt(np.dot(a, a) * np.dot(b, b))
    return float(np.dot(a, b) / length) if length > 0.0 else -1.0
