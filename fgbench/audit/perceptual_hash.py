"""Perceptual hashes of aligned faces: bits that survive new encoding, brightening and resizing.

A picture becomes a grey thumbnail whose brightness and contrast are evened out locally. A hash consists of
the signs of its lowest frequencies (a cosine transform), of the whole thumbnail and of :data:`WINDOWS` in it,
so that a copy that was cropped, or aligned a little differently, agrees with one of them. The hash of a
mirrored window is the same hash with the bits of the odd horizontal frequencies flipped; that of a picture
turned by quarters the transposed one, or the same, with some bits flipped. The middle of the thumbnail has
hashes as it is and turned by :data:`ANGLES_DEG`.

Reads and writes nothing. Not in the paper; its thresholds are in `fgbench.audit.duplicates`.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Thumbnail = npt.NDArray[np.uint8]
Evened = npt.NDArray[np.float32]
Hashes = npt.NDArray[np.uint64]
Mask = npt.NDArray[np.bool_]

SIDE_PX = 56
"""Side of a thumbnail: a quarter of the aligned face."""

SCALES = (1.0, 0.93, 0.84)
"""Sides of the windows as shares of the thumbnail's; each but the whole has 3 x 3 positions."""

BETWEEN = 0.885
"""Side of the windows at the eight positions at an edge, for shifted pictures alone."""

ANGLES_DEG = (-15.0, -10.0, -5.0, 5.0, 10.0, 15.0)
"""Angles by which the middle of a picture is turned for its hashes, anticlockwise."""

MIDDLE = 0.8
"""Side of the middle as a share of the thumbnail's: turned by the largest angle it stays in the picture."""

FLAT_LEVELS = 2.0
"""Least standard deviation in grey levels; flatter pictures show nothing to compare."""

_GRID = 32  # side that a window is reduced to before its transform
_FREQUENCIES = 16  # lowest frequencies in each direction
_SPREAD_PX = 7.0  # standard deviation of the neighbourhood, of 56 px
_FILL_LEVEL = 5  # grey levels; JPEG keeps black within them
_NOISE_LEVELS = 4.0  # contrast in grey levels below which differences are hardly enlarged


def _windows() -> tuple[tuple[float, float, float], ...]:
    windows = []
    for side in SCALES:
        starts = (0.0, (1.0 - side) / 2.0, 1.0 - side) if side < 1.0 else (0.0,)
        windows += [(left, top, side) for top in starts for left in starts]
    ends = (0.0, (1.0 - BETWEEN) / 2.0, 1.0 - BETWEEN)
    windows += [(left, top, BETWEEN) for top in ends for left in ends if (left, top) != (ends[1], ends[1])]
    return tuple(windows)


WINDOWS = _windows()
"""(left, top, side) of every window as shares of the thumbnail; the first is the whole."""

N_SCALED = len(WINDOWS) - 8
"""Number of windows compared with the whole: those of :data:`SCALES`, which come first."""

TRANSPOSED = len(WINDOWS)
"""Number of the hash of the whole, transposed; after those of the windows."""

IN_MIDDLE = TRANSPOSED + 1
"""Number of the hash of the middle; those of the middle turned by :data:`ANGLES_DEG` follow."""

N_HASHES = IN_MIDDLE + 1 + len(ANGLES_DEG)
"""Number of hashes of a picture."""


def _transform() -> npt.NDArray[np.float32]:
    centres = np.arange(_GRID) + 0.5
    waves = np.cos(np.pi * centres * np.arange(_FREQUENCIES)[:, None] / _GRID)
    return waves.astype(np.float32)


def _packed(bits: npt.NDArray[np.bool_]) -> Hashes:
    """(N, 16, 16) bits, vertical frequencies first, as (N, 4) words.

    Words hold even or odd frequencies: both even, odd across, odd down, both odd.
    """
    parts = [bits[:, down::2, across::2].reshape(len(bits), -1) for down in (0, 1) for across in (0, 1)]
    words: Hashes = (
        np.packbits(np.concatenate(parts, axis=-1), axis=-1, bitorder="little").view("<u8").astype(np.uint64)
    )
    return words


_TRANSFORM = _transform()
_ALL = np.uint64(0xFFFFFFFFFFFFFFFF)
MIRROR: Hashes = np.array([0, _ALL, 0, _ALL], np.uint64)
"""(4,) words; a hash XOR this is the hash of the mirrored window: odd frequencies across flip."""


def turning(angle_deg: float) -> npt.NDArray[np.float64]:
    """Matrix from px of a thumbnail that is turned anticlockwise to px of the thumbnail, (2, 3) float64.

    Args:
        angle_deg: Angle of the turn about its centre, degrees.
    """
    turn = np.deg2rad(angle_deg)
    linear = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    centre = np.full(2, (SIDE_PX - 1) / 2.0)
    return np.column_stack([linear, centre - linear @ centre])


def _middle(angle_deg: float) -> npt.NDArray[np.float64]:
    """Matrix from px of the grid made of the middle to px of the thumbnail."""
    step = MIDDLE * SIDE_PX / _GRID
    first = (1.0 - MIDDLE) / 2.0 * SIDE_PX + step / 2.0 - 0.5
    onto = np.array([[step, 0.0, first], [0.0, step, first], [0.0, 0.0, 1.0]])
    matrix: npt.NDArray[np.float64] = turning(angle_deg) @ onto
    return matrix


_MIDDLES = tuple(_middle(angle) for angle in (0.0, *ANGLES_DEG))


def thumbnail(image: npt.NDArray[np.uint8]) -> Thumbnail:
    """Grey thumbnail of a picture.

    Args:
        image: (H, W, 3) uint8 RGB; squeezed to a square.

    Returns:
        (56, 56) uint8.
    """
    import cv2

    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    small: Thumbnail = cv2.resize(grey, (SIDE_PX, SIDE_PX), interpolation=cv2.INTER_AREA)
    return small


def is_flat(thumb: Thumbnail) -> bool:
    """Whether a thumbnail shows nothing to compare (e.g. a black frame)."""
    return float(thumb.std()) < FLAT_LEVELS


def filled(thumb: Thumbnail) -> Mask:
    """Black areas at the edge of a picture, where alignment fills in what lies outside the frame.

    Args:
        thumb: (56, 56) uint8.

    Returns:
        (56, 56) bool; a rim of two pixels, which decoding mixes with the picture, counts as filled.
    """
    import cv2

    dark = (thumb <= _FILL_LEVEL).astype(np.uint8)
    if not dark.any():
        return np.zeros(thumb.shape, bool)
    _, areas = cv2.connectedComponents(dark, connectivity=4)
    rim = np.concatenate([areas[0], areas[-1], areas[:, 0], areas[:, -1]])
    areas_at_rim = np.isin(areas, rim[rim > 0]).astype(np.uint8)
    wide: Mask = cv2.dilate(areas_at_rim, np.ones((5, 5), np.uint8)) > 0
    return wide


def evened(thumb: Thumbnail, fill: Mask) -> Evened:
    """Thumbnail with local brightness and contrast removed.

    Args:
        thumb: (56, 56) uint8.
        fill: (56, 56) bool of :func:`filled`: pixels outside the picture, which count for no neighbourhood.

    Returns:
        (56, 56) float32, about 0 with a standard deviation of about 1; 0 where filled.
    """
    import cv2

    shown = (~fill).astype(np.float32)
    weight = cv2.GaussianBlur(shown, (0, 0), _SPREAD_PX) + np.float32(1e-3)
    grey = thumb.astype(np.float32) * shown
    rest = (grey - cv2.GaussianBlur(grey, (0, 0), _SPREAD_PX) / weight) * shown
    contrast = np.sqrt(cv2.GaussianBlur(rest * rest, (0, 0), _SPREAD_PX) / weight)
    even: Evened = rest / (contrast + np.float32(_NOISE_LEVELS))
    return even


def hashes(evened_thumb: Evened) -> Hashes:
    """Hashes of a picture: of all windows, of the whole transposed, and of the middle at all angles.

    Args:
        evened_thumb: (56, 56) float32 of :func:`evened`.

    Returns:
        (:data:`N_HASHES`, 4) uint64: a row per window of :data:`WINDOWS`, then :data:`TRANSPOSED`, then from
        :data:`IN_MIDDLE` on.
    """
    import cv2

    grids = np.empty((N_HASHES, _GRID, _GRID), np.float32)
    for number, (left, top, side) in enumerate(WINDOWS):
        rows, columns = (
            slice(round(start * SIDE_PX), round((start + side) * SIDE_PX)) for start in (top, left)
        )
        grids[number] = cv2.resize(
            evened_thumb[rows, columns], (_GRID, _GRID), interpolation=cv2.INTER_LINEAR
        )
    grids[TRANSPOSED] = grids[0].T
    for number, matrix in enumerate(_MIDDLES, start=IN_MIDDLE):
        grids[number] = cv2.warpAffine(
            evened_thumb, matrix, (_GRID, _GRID), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        )
    grids -= grids.mean(axis=(1, 2), keepdims=True)
    waves = _TRANSFORM @ grids @ _TRANSFORM.T
    bits = waves > 0.0
    bits[:, 0, 0] = False  # the mean carries no information
    return _packed(bits)
