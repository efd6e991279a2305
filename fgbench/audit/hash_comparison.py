"""Comparison of perceptual hashes: the pairs that are compared, and the bits in which they differ.

Compared are the whole of one picture and every window of the other, straight and mirrored; the wholes turned
by quarters, the middles turned by up to 15°, and windows at an edge with those at the opposite one, as in
shifted pictures (:data:`FURTHER`). Integers alone decide. Reads and writes nothing. Not in the paper.
"""

from __future__ import annotations

import numba
import numpy as np
import numpy.typing as npt

from fgbench.audit.alignment import Match
from fgbench.audit.perceptual_hash import ANGLES_DEG, IN_MIDDLE, N_SCALED, TRANSPOSED, WINDOWS, Hashes
from fgbench.audit.pictures import Pictures


def _pairs() -> list[tuple[int, int, Match]]:
    """Numbers of a hash of the second and of one of the first picture, and the match if they agree."""
    pairs = [
        (IN_MIDDLE, IN_MIDDLE + 1 + index, Match(0, 0, False, 0, angle))
        for index, angle in enumerate(ANGLES_DEG)
    ]
    for number, (left, top, side) in enumerate(WINDOWS[1:], start=1):
        mirrored_window = (1.0 - side - left, 1.0 - side - top, side)
        opposite = next(other for other, window in enumerate(WINDOWS) if np.allclose(window, mirrored_window))
        if opposite != number:
            pairs.append((opposite, number, Match(number, opposite, False)))
    return pairs


_QUARTERS = tuple(Match(0, 0, mirrored, turns) for mirrored in (False, True) for turns in (1, 2, 3))
_PAIRS = _pairs()
FURTHER = (*_QUARTERS, *(match for *_, match in _PAIRS))
"""Matches beside those of windows with the whole: pictures turned by quarters, turned a little, and
shifted."""

_MORE = np.array([numbers for *numbers, _ in _PAIRS], np.int64)
_CODES = 4 * N_SCALED  # codes of a window, its side and mirroring; FURTHER follows
_N_QUARTERS = len(_QUARTERS)
assert _CODES + len(FURTHER) < 256

_NONE = np.uint8(255)


def compared(
    first: Pictures, second: Pictures, columns: slice, rows: slice
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]:
    """Bits in which pictures of two sets differ, at most 255, and codes of the matches that gave them.

    Pictures that show nothing differ from all.

    Args:
        first: Pictures of the first set.
        second: Pictures of the second set.
        columns: Slice of the first, A pictures.
        rows: Slice of the second, B pictures.

    Returns:
        (B, A) uint8 bits, and (B, A) uint8 codes as :func:`match_of` takes them.
    """
    by_picture = np.ascontiguousarray(second.hashes[rows].transpose(1, 2, 0))
    least = np.empty((columns.stop - columns.start, rows.stop - rows.start), np.uint64)
    _compare(by_picture, first.hashes[columns], _MORE, least)
    bits = np.minimum(least >> np.uint64(8), _NONE).astype(np.uint8).T
    passes = (least & np.uint64(255)).astype(np.uint8).T
    bits[second.flat[rows]] = _NONE
    bits[:, first.flat[columns]] = _NONE
    return bits, passes


def match_of(code: int) -> Match:
    """Match of a code that :func:`compared` gives beside the bits."""
    if code >= _CODES:
        return FURTHER[code - _CODES]
    window, rest = divmod(code, 4)
    in_second, mirrored = bool(rest & 2), bool(rest & 1)
    return Match(0, window, mirrored) if in_second else Match(window, 0, mirrored)


@numba.njit(cache=True, nogil=True, inline="always")  # type: ignore[untyped-decorator]
def _ones(word: np.uint64) -> np.uint64:
    """Number of set bits; LLVM makes one instruction of it."""
    word = word - ((word >> np.uint64(1)) & np.uint64(0x5555555555555555))
    word = (word & np.uint64(0x3333333333333333)) + ((word >> np.uint64(2)) & np.uint64(0x3333333333333333))
    word = (word + (word >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    return (word * np.uint64(0x0101010101010101)) >> np.uint64(56)


@numba.njit(cache=True, nogil=True, error_model="numpy")  # type: ignore[untyped-decorator]
def _compare(rows: Hashes, columns: Hashes, pairs: npt.NDArray[np.int64], least: Hashes) -> None:
    """Least number of different bits of each pair of pictures, and the code of its match.

    The inner loops are over pictures, so that one instruction compares several.

    Args:
        rows: (H, 4, R) hashes.
        columns: (C, H, 4) hashes.
        pairs: (M, 2) numbers of the hashes of rows and columns that are compared beside those of windows with
            the whole, and of quarters.
        least: (C, R), written: 256 times the bits, plus the code: 4 x the number of the window, + 2 if it is
            the row's (the other is whole), + 1 if mirrored; from :data:`_CODES` on the index in
            :data:`FURTHER`.
    """
    half = np.uint64(128)
    eight = np.uint64(8)
    n_rows = rows.shape[2]
    for j in range(columns.shape[0]):
        for i in range(n_rows):
            least[j, i] = np.uint64(1 << 20)
        for step in range(2 * N_SCALED - 1):
            window = (step + 1) // 2
            one = 0 if step % 2 else window  # the row's window, or its whole
            other = window if step % 2 else 0
            straight = np.uint64(4 * window + (0 if one == 0 else 2))
            turned = straight + np.uint64(1)
            c0, c1, c2, c3 = (
                columns[j, other, 0],
                columns[j, other, 1],
                columns[j, other, 2],
                columns[j, other, 3],
            )
            for i in range(n_rows):
                even = _ones(rows[one, 0, i] ^ c0) + _ones(rows[one, 2, i] ^ c2)
                odd = _ones(rows[one, 1, i] ^ c1) + _ones(rows[one, 3, i] ^ c3)
                bits = min(((even + odd) << eight) + straight, ((even + half - odd) << eight) + turned)
                least[j, i] = min(least[j, i], bits)
        # Odd frequencies across turn when mirrored, odd ones down when upside down.
        for is_whole in range(2):
            other = 0 if is_whole else TRANSPOSED
            c0, c1, c2, c3 = (
                columns[j, other, 0],
                columns[j, other, 1],
                columns[j, other, 2],
                columns[j, other, 3],
            )
            code = np.uint64(_CODES)
            for i in range(n_rows):
                even = _ones(rows[0, 0, i] ^ c0)
                across = _ones(rows[0, 1, i] ^ c1)
                down = _ones(rows[0, 2, i] ^ c2)
                both = _ones(rows[0, 3, i] ^ c3)
                upside = (even + across + half - down - both) << eight
                turned = (even + both + half - across - down) << eight
                if is_whole:
                    bits = min(turned + code + np.uint64(1), upside + code + np.uint64(4))
                else:
                    mirrored = (even + down + half - across - both) << eight
                    straight = (even + across + down + both) << eight
                    bits = min(upside + code, mirrored + code + np.uint64(2))
                    bits = min(bits, straight + code + np.uint64(3))
                    bits = min(bits, turned + code + np.uint64(5))
                least[j, i] = min(least[j, i], bits)
        for more in range(pairs.shape[0]):
            one, other = pairs[more, 0], pairs[more, 1]
            code = np.uint64(_CODES + _N_QUARTERS + more)
            c0, c1, c2, c3 = (
                columns[j, other, 0],
                columns[j, other, 1],
                columns[j, other, 2],
                columns[j, other, 3],
            )
            for i in range(n_rows):
                bits = _ones(rows[one, 0, i] ^ c0) + _ones(rows[one, 1, i] ^ c1)
                bits += _ones(rows[one, 2, i] ^ c2) + _ones(rows[one, 3, i] ^ c3)
                least[j, i] = min(least[j, i], (bits << eight) + code)
