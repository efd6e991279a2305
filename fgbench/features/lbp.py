"""Uniform local binary patterns (LBP) of grey images, and their histograms on a grid of cells.

Each pixel is compared with ``points`` neighbours on a circle, sampled bilinearly. The signs make a binary
word; words with at most two changes around the circle have a label each, all others share one: with eight
points 59 labels (Ojala et al., 2002; Ahonen et al., 2006). A face is described by the histograms of its
cells, one after the other (Shan, Gong and McOwan, 2009: 7 rows of 6 cells, radius 2, 2478 numbers).

Codes are those of scikit-image's ``local_binary_pattern(image, points, radius, "nri_uniform")``: pixels
outside the image count as 0, positions are rounded to five digits, and sums are made in float64 in the same
order, because a comparison of equal numbers must not depend on rounding. Neighbours that lie on pixels are
compared as the bytes that they are, which is the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Any

import numba
import numpy as np
import numpy.typing as npt

from fgbench.config import LbpConfig
from fgbench.errors import ConfigError

Floats = npt.NDArray[np.float64]
Offsets = npt.NDArray[np.intp]
Words = npt.NDArray[np.unsignedinteger[Any]]

Area = tuple[int, int, int, int]
"""Columns and rows of an image: left, top, right, bottom; the last two are not included."""

RADIUS_PX = 2.0
"""Radius of the circle of Shan et al."""

_MAX_RADIUS_PX = 64.0


def n_labels(points: int) -> int:
    """Return the number of labels for ``points`` neighbours: uniform words, and one for all others."""
    return points * (points - 1) + 3


def length(config: LbpConfig) -> int:
    """Return the number of values that describe an image."""
    return config.rows * config.columns * n_labels(config.points)


@dataclass(frozen=True, slots=True)
class _Samples:
    """Positions of neighbours: K distinct horizontal offsets, P points, in an image of H rows and W columns.

    Attributes:
        margin_px: Zeros around the image that hold all neighbours.
        left: (K,) column to the left of the offset, relative to the pixel.
        right: (K,) column to the right.
        weight_across: (K, W) weight of the right one, for every column of the image.
        plane: (P,) horizontal offset of a point.
        upper: (P,) row above the point, relative to the pixel.
        lower: (P,) row below.
        weight_down: (P, H) weight of the lower one, for every row of the image.
        is_pixel: (P,) whether the point lies on a pixel in both directions.
    """

    margin_px: int
    left: Offsets
    right: Offsets
    weight_across: Floats
    plane: Offsets
    upper: Offsets
    lower: Offsets
    weight_down: Floats
    is_pixel: npt.NDArray[np.bool_]


@cache
def label_table(points: int) -> npt.NDArray[np.uint8]:
    """Return the label of every word, in scikit-image's numbering.

    Args:
        points: Length of a word; bit i belongs to neighbour i.

    Returns:
        (2**points,) uint8, not writable. 0: no bit set; ``points * (points - 1) + 1``: all set; one more: not
        uniform.
    """
    table = np.empty(1 << points, np.uint8)
    for word in range(1 << points):
        bits = [word >> bit & 1 for bit in range(points)]
        n_ones = sum(bits)
        n_changes = sum(one != other for one, other in pairwise(bits))
        if n_changes > 2:
            table[word] = points * (points - 1) + 2
        elif n_ones in (0, points):
            table[word] = 0 if n_ones == 0 else points * (points - 1) + 1
        else:
            turned = n_ones - bits.index(0) if bits[0] else points - bits.index(1)
            table[word] = 1 + (n_ones - 1) * points + turned
    table.setflags(write=False)
    return table


def lbp_codes(
    image: npt.NDArray[np.uint8], points: int = 8, radius_px: float = RADIUS_PX
) -> npt.NDArray[np.uint8]:
    """Compute the label of every pixel.

    Args:
        image: (H, W) uint8 grey.
        points: Neighbours on the circle, 2 to 16.
        radius_px: Radius of the circle, above 0 and below 64.

    Returns:
        (H, W) uint8, below ``n_labels(points)``.

    Raises:
        ConfigError: If the radius is out of range.
        ValueError: If the image is not a uint8 array of two dimensions with at least one pixel.
    """
    images = _checked(np.asarray(image)[None])
    samples = _samples(points, radius_px, images.shape[1], images.shape[2])
    words = np.empty(images.shape[1:], _word_type(points))
    _fill(words, images[0], samples)
    return label_table(points)[words]


def lbp_histograms(
    images: npt.NDArray[np.uint8],
    config: LbpConfig | None = None,
    *,
    radius_px: float = RADIUS_PX,
    area: Area | None = None,
) -> npt.NDArray[np.float32]:
    """Compute the histograms of labels of the cells of images.

    A cell covers the rows ``i * H // rows`` to ``(i + 1) * H // rows`` (not included) of an area H px high,
    and columns likewise. Neighbours of its pixels may lie outside the area.

    Args:
        images: (N, H, W) uint8 grey.
        config: Section of a recipe: points, rows and columns; ``None`` has the defaults.
        radius_px: Radius of the circle in px of the images, above 0 and below 64; the section names it as a
            share of a face.
        area: Part of each image that the grid divides; ``None`` is all.

    Returns:
        (N, rows * columns * n_labels) float32; cells row by row; the histogram of a cell adds up to 1.

    Raises:
        ConfigError: If the radius is out of range.
        ValueError: If images are not a uint8 array of three dimensions, or the area is not within them, or
            smaller than the grid.
    """
    config = config or LbpConfig()
    images = _checked(images)
    n, height, width = images.shape
    left, top, right, bottom = area or (0, 0, width, height)
    if not (0 <= left < right <= width and 0 <= top < bottom <= height):
        raise ValueError(f"area {area} of images of {width} x {height} px, expected one within them")
    if bottom - top < config.rows or right - left < config.columns:
        raise ValueError(
            f"{right - left} x {bottom - top} px for a grid of {config.columns} x {config.rows} cells, "
            "expected at least one pixel per cell"
        )
    row_edges = top + np.arange(config.rows + 1) * (bottom - top) // config.rows
    column_edges = left + np.arange(config.columns + 1) * (right - left) // config.columns
    pixels = np.outer(np.diff(row_edges), np.diff(column_edges)).astype(np.float32)
    samples = _samples(config.points, radius_px, height, width)
    labels = label_table(config.points)
    words = np.empty((height, width), _word_type(config.points))
    counts = np.empty((config.rows, config.columns, n_labels(config.points)), np.uint32)
    result = np.empty((n, config.rows, config.columns, n_labels(config.points)), np.float32)
    for index in range(n):
        _fill(words, images[index], samples)
        _count(words, labels, row_edges, column_edges, counts)
        np.divide(counts, pixels[:, :, None], out=result[index], casting="unsafe")
    return result.reshape(n, length(config))


def _checked(images: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    if images.ndim != 3 or images.dtype != np.uint8 or 0 in images.shape[1:]:
        raise ValueError(
            f"images of shape {images.shape} and type {images.dtype}, expected grey uint8 images (N, H, W)"
        )
    return images


def _samples(points: int, radius_px: float, height: int, width: int) -> _Samples:
    """Return the neighbours' positions, in the arithmetic of scikit-image (whose radius is a float32)."""
    if not 0.0 < radius_px < _MAX_RADIUS_PX:
        raise ConfigError(
            f"LBP with radius {radius_px} px, expected above 0 and below {_MAX_RADIUS_PX:g}", "2 is usual"
        )
    radius = float(np.float32(radius_px))
    angles = 2 * np.pi * np.arange(points, dtype=np.float64) / points
    down_P = np.round(-radius * np.sin(angles), 5)
    across_P = np.round(radius * np.cos(angles), 5)
    across_K, plane_P = np.unique(across_P, return_inverse=True)
    columns_KW = np.arange(width) + across_K[:, None]
    rows_PH = np.arange(height) + down_P[:, None]
    upper_P, lower_P = np.floor(down_P).astype(np.intp), np.ceil(down_P).astype(np.intp)
    left_K, right_K = np.floor(across_K).astype(np.intp), np.ceil(across_K).astype(np.intp)
    return _Samples(
        margin_px=int(np.ceil(radius)) + 1,
        left=left_K,
        right=right_K,
        weight_across=columns_KW - np.floor(columns_KW),
        plane=plane_P.astype(np.intp),
        upper=upper_P,
        lower=lower_P,
        weight_down=rows_PH - np.floor(rows_PH),
        is_pixel=(upper_P == lower_P) & (left_K == right_K)[plane_P],
    )


def _word_type(points: int) -> type[np.unsignedinteger[Any]]:
    """Return the smallest type that holds a bit for every neighbour."""
    return np.uint8 if points <= 8 else np.uint16


def _fill(words: Words, image: npt.NDArray[np.uint8], samples: _Samples) -> None:
    """Write the words of one image."""
    height, width = image.shape
    margin = samples.margin_px
    padded = np.zeros((height + 2 * margin, width + 2 * margin), np.uint8)
    padded[margin : margin + height, margin : margin + width] = image
    _words(
        padded,
        margin,
        samples.left,
        samples.right,
        samples.weight_across,
        samples.plane,
        samples.upper,
        samples.lower,
        samples.weight_down,
        samples.is_pixel,
        words,
    )


@numba.njit(cache=True, nogil=True, error_model="numpy")  # type: ignore[untyped-decorator]
def _words(  # K horizontal offsets, P points, H rows, W columns
    padded: npt.NDArray[np.uint8],
    margin: int,
    left_K: Offsets,
    right_K: Offsets,
    weight_KW: Floats,
    plane_P: Offsets,
    upper_P: Offsets,
    lower_P: Offsets,
    weight_PH: Floats,
    is_pixel_P: npt.NDArray[np.bool_],
    words: Words,
) -> None:
    height, width = words.shape
    between = np.flatnonzero(~is_pixel_P)
    is_between_K = np.zeros(left_K.size, np.bool_)
    is_between_K[plane_P[between]] = True
    planes = np.empty((left_K.size, padded.shape[0], width))
    for k in range(left_K.size):
        if is_between_K[k]:
            for row in range(padded.shape[0]):
                left = padded[row, margin + left_K[k] : margin + left_K[k] + width]
                right = padded[row, margin + right_K[k] : margin + right_K[k] + width]
                for c in range(width):
                    weight = weight_KW[k, c]
                    planes[k, row, c] = (1.0 - weight) * left[c] + weight * right[c]
    grey = np.empty(width)
    wide = np.empty(width, np.int64)
    for r in range(height):
        centre = padded[margin + r, margin : margin + width]
        word = words[r]
        word[:] = 0
        wide[:] = 0
        for c in range(width):
            grey[c] = centre[c]
        for p in range(plane_P.size):
            if is_pixel_P[p]:
                bit, none = words.dtype.type(1 << p), words.dtype.type(0)
                start = margin + left_K[plane_P[p]]
                neighbour = padded[margin + r + upper_P[p], start : start + width]
                for c in range(width):
                    word[c] |= bit if neighbour[c] >= centre[c] else none
        for i in range(0, between.size, 2):  # two at a time, which read the centre and the word once
            p, q = between[i], between[min(i + 1, between.size - 1)]
            upper_p = planes[plane_P[p], margin + r + upper_P[p]]
            lower_p = planes[plane_P[p], margin + r + lower_P[p]]
            upper_q = planes[plane_P[q], margin + r + upper_P[q]]
            lower_q = planes[plane_P[q], margin + r + lower_P[q]]
            weight_p, weight_q = weight_PH[p, r], weight_PH[q, r]
            rest_p, rest_q = 1.0 - weight_p, 1.0 - weight_q
            flag_p, flag_q, zero = np.int64(1 << p), np.int64(1 << q), np.int64(0)
            for c in range(width):
                bit_p = flag_p if rest_p * upper_p[c] + weight_p * lower_p[c] >= grey[c] else zero
                bit_q = flag_q if rest_q * upper_q[c] + weight_q * lower_q[c] >= grey[c] else zero
                wide[c] |= bit_p | bit_q
        for c in range(width):
            word[c] |= words.dtype.type(wide[c])


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _count(
    words: Words,
    labels: npt.NDArray[np.uint8],
    row_edges: Offsets,
    column_edges: Offsets,
    counts: npt.NDArray[np.uint32],
) -> None:
    counts[:] = 0
    other = np.empty(counts.shape[2], np.uint32)  # of every second pixel, so that equal ones do not wait
    for i in range(row_edges.size - 1):
        for j in range(column_edges.size - 1):
            first, end = column_edges[j], column_edges[j + 1]
            count = counts[i, j]
            other[:] = 0
            for r in range(row_edges[i], row_edges[i + 1]):
                word = words[r]
                for c in range(first, end - 1, 2):
                    count[labels[word[c]]] += 1
                    other[labels[word[c + 1]]] += 1
                if (end - first) % 2:
                    count[labels[word[end - 1]]] += 1
            count += other
