"""Clips that show the same: candidates by perceptual hashes, settled by correlation after alignment.

The pictures of two sets of clips are compared with each other, every window of one with the whole of the
other, straight and mirrored. A pair of pictures is a candidate if two of these hashes differ in at most
:data:`MAX_BITS` bits. For each pair of clips with candidates the nearest few pairs of pictures are aligned;
the clips are near duplicates if two of them (or the only one) agree by at least :data:`MIN_CORRELATION`.

Whole numbers alone decide who is a candidate, so the result depends neither on blocks nor on threads. Memory
is bounded by the size of a block. Reads and writes nothing. Not in the paper.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numba
import numpy as np
import numpy.typing as npt

from fgbench.evaluation.audited_pictures import Pictures
from fgbench.evaluation.duplicate_alignment import Match, aligned_correlation
from fgbench.evaluation.perceptual_hash import MIRROR, WINDOWS, Hashes

MAX_BITS = 58
"""Largest number of bits, of 255, in which the hashes of candidates differ."""

MIN_CORRELATION = 0.95
"""Least correlation of near duplicates after alignment, from inside the range in which the benchmark
``audit`` (tests/performance) finds the planted copies and no false pair. It is measured on drawn faces."""

PAIRS_PER_CLIP = 3
"""Pairs of pictures that are aligned for a pair of clips."""

MISSES = 12
"""A clip's candidates are looked at from the nearest on, until so many in a row are no near duplicates."""

_BLOCK = 1 << 22  # distances held at a time by a thread
_N_WINDOWS = len(WINDOWS)
_NONE = np.uint8(255)

Numbers = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class NearDuplicate:
    """Two clips that show the same.

    Attributes:
        first: Place of a picture of the first clip in the first set: of the pair that agrees best.
        second: Place of a picture of the second clip in the second set.
        correlation: Of that pair after alignment, 0 to 1.
        bits: Bits in which its hashes differ.
        mirrored: Whether one is the other's mirror image.
        agreeing: Pairs of pictures of these clips that agree.
        aligned: Pairs that were aligned.
    """

    first: int
    second: int
    correlation: float
    bits: int
    mirrored: bool
    agreeing: int
    aligned: int


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A pair of pictures whose hashes are close."""

    bits: int
    first: int
    second: int
    match: Match


def near_duplicates(
    first: Pictures,
    second: Pictures,
    *,
    jobs: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> list[NearDuplicate]:
    """Near duplicates between two sets of clips.

    Args:
        first: Pictures of the one set.
        second: Pictures of the other.
        jobs: Threads; no result depends on their number.
        progress: Told the pictures of ``second`` that are done, and their number.

    Returns:
        One per pair of clips, ordered by the places of their pictures.
    """
    if not len(first) or not len(second):
        return []
    clips = _clip_numbers(first)
    blocks = _blocks(second, max(1, _BLOCK // len(first)))
    found: list[NearDuplicate] = []
    done = 0

    def work(rows: Numbers) -> list[NearDuplicate]:
        return _search(first, second, rows, clips)

    with ThreadPoolExecutor(max(1, jobs)) as pool:
        for rows, near in zip(blocks, _mapped(pool, work, blocks, jobs), strict=True):
            found += near
            done += len(rows)
            if progress is not None:
                progress(done, len(second))
    return sorted(found, key=lambda near: (near.second, near.first))


def _mapped(
    pool: ThreadPoolExecutor,
    work: Callable[[Numbers], list[NearDuplicate]],
    blocks: Sequence[Numbers],
    jobs: int,
) -> Iterator[list[NearDuplicate]]:
    return map(work, blocks) if jobs <= 1 else pool.map(work, blocks)


def _clip_numbers(pictures: Pictures) -> Numbers:
    """(N,) number of the clip of every picture; those of a clip stand together."""
    ids = np.array(pictures.clip_ids)
    return np.concatenate([[0], np.cumsum(ids[1:] != ids[:-1])]).astype(np.int64)


def _blocks(pictures: Pictures, size: int) -> list[Numbers]:
    """Rows of whole clips, about ``size`` at a time (at least one clip)."""
    numbers = _clip_numbers(pictures)
    edges = np.flatnonzero(np.diff(numbers, prepend=-1, append=-1))
    blocks, begin = [], 0
    for edge, following in zip(edges[1:], [*edges[2:], None], strict=True):
        if following is None or following - begin > size:
            blocks.append(np.arange(begin, edge))
            begin = edge
    return blocks


def _search(first: Pictures, second: Pictures, rows: Numbers, clips: Numbers) -> list[NearDuplicate]:
    """Near duplicates of the clips whose pictures are in ``rows`` of ``second``."""
    by_clip: dict[tuple[str, int], list[_Candidate]] = {}
    for candidate in _candidates(first, second, rows):
        key = (second.clip_ids[candidate.second], int(clips[candidate.first]))
        by_clip.setdefault(key, []).append(candidate)
    found: list[NearDuplicate] = []
    nearest: dict[str, list[list[_Candidate]]] = {}
    for (name, _), pairs in by_clip.items():
        nearest.setdefault(name, []).append(sorted(pairs, key=_rank)[:PAIRS_PER_CLIP])
    for alternatives in nearest.values():
        misses = 0
        for pairs in sorted(alternatives, key=lambda pairs: _rank(pairs[0])):
            near = _settled(first, second, pairs)
            misses = 0 if near is not None else misses + 1
            if near is not None:
                found.append(near)
            if misses == MISSES:
                break
    return found


def _rank(candidate: _Candidate) -> tuple[int, int, int]:
    return candidate.bits, candidate.second, candidate.first


def _settled(first: Pictures, second: Pictures, pairs: Sequence[_Candidate]) -> NearDuplicate | None:
    """The near duplicate that aligned pairs of pictures of two clips show, if they do."""
    agreeing: list[tuple[float, _Candidate]] = []
    wanted = min(2, len(pairs))
    for number, pair in enumerate(pairs):
        value = aligned_correlation(first.thumbs[pair.first], second.thumbs[pair.second], pair.match)
        if value >= MIN_CORRELATION:
            agreeing.append((value, pair))
        if len(agreeing) + len(pairs) - number - 1 < wanted:
            return None
    correlation, best = max(agreeing, key=lambda item: item[0])
    return NearDuplicate(
        first=best.first,
        second=best.second,
        correlation=correlation,
        bits=best.bits,
        mirrored=best.match.mirrored,
        agreeing=len(agreeing),
        aligned=len(pairs),
    )


def _candidates(first: Pictures, second: Pictures, rows: Numbers) -> Iterator[_Candidate]:
    bits = np.empty((len(rows), len(first)), np.uint8)
    passes = np.empty((len(rows), len(first)), np.uint8)
    _compare(second.hashes[rows], first.hashes, MIRROR, bits, passes)
    bits[second.flat[rows]] = _NONE
    bits[:, first.flat] = _NONE
    for row, column in np.argwhere(bits <= MAX_BITS):
        window, rest = divmod(int(passes[row, column]), 4)
        in_second, mirrored = bool(rest & 2), bool(rest & 1)
        match = Match(0, window, mirrored) if in_second else Match(window, 0, mirrored)
        yield _Candidate(int(bits[row, column]), int(column), int(rows[row]), match)


@numba.njit(cache=True, nogil=True, inline="always")  # type: ignore[untyped-decorator]
def _ones(word: np.uint64) -> np.uint64:
    """Number of bits that are set; LLVM makes one instruction of it."""
    word = word - ((word >> np.uint64(1)) & np.uint64(0x5555555555555555))
    word = (word & np.uint64(0x3333333333333333)) + ((word >> np.uint64(2)) & np.uint64(0x3333333333333333))
    word = (word + (word >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    return (word * np.uint64(0x0101010101010101)) >> np.uint64(56)


@numba.njit(cache=True, nogil=True, error_model="numpy")  # type: ignore[untyped-decorator]
def _compare(
    rows: Hashes,
    columns: Hashes,
    mirror: Hashes,
    bits: npt.NDArray[np.uint8],
    passes: npt.NDArray[np.uint8],
) -> None:
    """Least number of different bits of each pair of pictures, and what gave it.

    Args:
        rows: (R, W, 4) hashes.
        columns: (C, W, 4) hashes.
        mirror: (4,) bits that turn when a picture is mirrored.
        bits: (R, C), written: at most 255.
        passes: (R, C), written: 4 x the number of the window, + 2 if it is the row's (the other is whole),
            + 1 if mirrored.
    """
    n_windows = rows.shape[1]
    for j in range(columns.shape[0]):
        for i in range(rows.shape[0]):
            least = np.uint64(255)
            what = 0
            for window in range(n_windows):
                for side in range(2):
                    if side == 1 and window == 0:
                        continue
                    straight = np.uint64(0)
                    turned = np.uint64(0)
                    for word in range(4):
                        a = rows[i, window if side == 1 else 0, word]
                        b = columns[j, 0 if side == 1 else window, word]
                        different = a ^ b
                        straight += _ones(different)
                        turned += _ones(different ^ mirror[word])
                    if straight < least:
                        least = straight
                        what = 4 * window + 2 * side
                    if turned < least:
                        least = turned
                        what = 4 * window + 2 * side + 1
            bits[i, j] = least
            passes[i, j] = what
