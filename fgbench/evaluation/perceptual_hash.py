"""Perceptual hashes of aligned faces: bits that stay when a picture is encoded anew, brightened or resized.

A picture becomes a grey thumbnail whose brightness and contrast are evened out in every neighbourhood. A hash
is made of the signs of its lowest frequencies (a cosine transform), not of the whole thumbnail only but also
of :data:`WINDOWS` in it, so that a copy that was cropped, or aligned a little differently, agrees with one of
them. The hash of a mirrored window is the same hash with the bits of the odd horizontal frequencies turned.

Reads and writes nothing. Not in the paper; thresholds that belong to it stand in
`fgbench.evaluation.duplicate_search`.
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
"""Sides of the windows as shares of the thumbnail's. Each but the whole stands at 3 x 3 places."""

N_BITS = 256
"""Bits of a hash, in four words of 64."""

FLAT_LEVELS = 2.0
"""Least standard deviation in grey levels; flatter pictures show nothing that could be compared."""

_GRID = 32  # side that a window is reduced to before its transform
_FREQUENCIES = 16  # lowest frequencies in each direction
_SPREAD_PX = 7.0  # standard deviation of the neighbourhood, of 56 px
_FILL_LEVEL = 5  # grey levels; JPEG keeps black within them
_NOISE_LEVELS = 4.0  # contrast in grey levels below which differences are not enlarged much further


def _windows() -> tuple[tuple[float, float, float], ...]:
    found = []
    for side in SCALES:
        places = (0.0, (1.0 - side) / 2.0, 1.0 - side) if side < 1.0 else (0.0,)
        found += [(left, top, side) for top in places for left in places]
    return tuple(found)


WINDOWS = _windows()
"""(left, top, side) of every window as shares of the thumbnail; the first is the whole."""


def _transform() -> npt.NDArray[np.float32]:
    places = np.arange(_GRID) + 0.5
    waves = np.cos(np.pi * places * np.arange(_FREQUENCIES)[:, None] / _GRID)
    return waves.astype(np.float32)


def _mirror_mask() -> Hashes:
    """Bits that turn when the window is mirrored: those of odd horizontal frequencies."""
    odd = np.zeros((_FREQUENCIES, _FREQUENCIES), bool)
    odd[:, 1::2] = True
    words: Hashes = _packed(odd.reshape(1, -1))[0]
    return words


def _packed(bits: npt.NDArray[np.bool_]) -> Hashes:
    """(N, 256) bits as (N, 4) words."""
    words: Hashes = np.packbits(bits, axis=-1, bitorder="little").view("<u8").astype(np.uint64)
    return words


_TRANSFORM = _transform()
MIRROR = _mirror_mask()
"""(4,) words; a hash XOR this is the hash of the mirrored window."""


def thumbnail(image: npt.NDArray[np.uint8]) -> Thumbnail:
    """Grey thumbnail of a picture.

    Args:
        image: (H, W, 3) uint8 RGB; another shape than a square is squeezed into one.

    Returns:
        (56, 56) uint8.
    """
    import cv2

    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    small: Thumbnail = cv2.resize(grey, (SIDE_PX, SIDE_PX), interpolation=cv2.INTER_AREA)
    return small


def is_flat(thumb: Thumbnail) -> bool:
    """Whether a thumbnail shows nothing that could be compared (e.g. a black frame)."""
    return float(thumb.std()) < FLAT_LEVELS


def filled(thumb: Thumbnail) -> Mask:
    """Black areas at the edge of a picture, which alignment fills in where the face leaves the frame.

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
    found = np.isin(areas, rim[rim > 0]).astype(np.uint8)
    wide: Mask = cv2.dilate(found, np.ones((5, 5), np.uint8)) > 0
    return wide


def evened(thumb: Thumbnail, fill: Mask) -> Evened:
    """Thumbnail without the brightness and the contrast of every neighbourhood.

    Args:
        thumb: (56, 56) uint8.
        fill: (56, 56) bool of :func:`filled`: what is no picture. It counts for no neighbourhood.

    Returns:
        (56, 56) float32, about 0 with a standard deviation of about 1; 0 where filled.
    """
    import cv2

    shown = (~fill).astype(np.float32)
    weight = cv2.GaussianBlur(shown, (0, 0), _SPREAD_PX) + np.float32(1e-3)
    grey = thumb.astype(np.float32) * shown
    rest = (grey - cv2.GaussianBlur(grey, (0, 0), _SPREAD_PX) / weight) * shown
    contrast = np.sqrt(cv2.GaussianBlur(rest * rest, (0, 0), _SPREAD_PX) / weight)
    found: Evened = rest / (contrast + np.float32(_NOISE_LEVELS))
    return found


def hashes(evened_thumb: Evened) -> Hashes:
    """Hashes of all windows of a picture.

    Args:
        evened_thumb: (56, 56) float32 of :func:`evened`.

    Returns:
        (W, 4) uint64, a row per window of :data:`WINDOWS`.
    """
    import cv2

    grids = np.empty((len(WINDOWS), _GRID, _GRID), np.float32)
    for number, (left, top, side) in enumerate(WINDOWS):
        rows, columns = (
            slice(round(start * SIDE_PX), round((start + side) * SIDE_PX)) for start in (top, left)
        )
        grids[number] = cv2.resize(
            evened_thumb[rows, columns], (_GRID, _GRID), interpolation=cv2.INTER_LINEAR
        )
    grids -= grids.mean(axis=(1, 2), keepdims=True)
    waves = _TRANSFORM @ grids @ _TRANSFORM.T
    bits = (waves > 0.0).reshape(len(WINDOWS), -1)
    bits[:, 0] = False  # the mean says nothing
    return _packed(bits)
