"""Clips that show the same: candidates by perceptual hashes, settled by correlation after alignment.

The pictures of two sets of clips are compared with each other, every window of one with the whole of the
other, straight and mirrored; the wholes also turned by quarters, the middles turned by up to 15°, and windows
at an edge with those at the opposite one, as of shifted pictures (:data:`FURTHER`). A pair of clips is a
candidate if two of these hashes differ in at most :data:`MAX_BITS` bits. For each such pair the nearest few
pairs of pictures are aligned; the clips are near duplicates if two of them (or the only one) agree by at
least :data:`MIN_CORRELATION`.

Of a clip's candidates the nearest :data:`NEAREST` are kept. Where they are few, all are settled; a clip that
has more than :data:`FEW` is settled with the nearest that agrees, so that many clips of one look give a chain
of pairs and not all pairs: time for alignment and memory grow as the number of clips does.

Whole numbers alone decide who is a candidate, so the result depends neither on blocks nor on threads. Memory
is bounded by the size of a block. Reads and writes nothing. Not in the paper.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import numba
import numpy as np
import numpy.typing as npt

from fgbench.evaluation.audited_pictures import Pictures
from fgbench.evaluation.duplicate_alignment import Match, aligned_correlation
from fgbench.evaluation.perceptual_hash import (
    ANGLES_DEG,
    IN_MIDDLE,
    N_SCALED,
    TRANSPOSED,
    WINDOWS,
    Hashes,
)

MAX_BITS = 58
"""Largest number of bits, of 255, in which the hashes of candidates differ."""

MIN_CORRELATION = 0.95
"""Least correlation of near duplicates after alignment, from inside the range in which the benchmark
``audit`` (tests/performance) finds the planted copies and no false pair. It is measured on drawn faces."""

PAIRS_PER_CLIP = 3
"""Pairs of pictures that are aligned for a pair of clips."""

MISSES = 12
"""A clip's candidates are looked at from the nearest on, until so many in a row are no near duplicates."""

NEAREST = 64
"""Candidates of a clip that are kept, the nearest."""

FEW = 8
"""Candidates of a clip up to which all of them are settled."""


def _pairs() -> list[tuple[int, int, Match]]:
    """Numbers of a hash of the second and of one of the first picture, and what it means if they agree."""
    found = [
        (IN_MIDDLE, IN_MIDDLE + 1 + place, Match(0, 0, False, 0, angle))
        for place, angle in enumerate(ANGLES_DEG)
    ]
    for number, (left, top, side) in enumerate(WINDOWS[1:], start=1):
        place = (1.0 - side - left, 1.0 - side - top, side)
        opposite = next(other for other, window in enumerate(WINDOWS) if np.allclose(window, place))
        if opposite != number:
            found.append((opposite, number, Match(number, opposite, False)))
    return found


_QUARTERS = tuple(Match(0, 0, mirrored, turns) for mirrored in (False, True) for turns in (1, 2, 3))
_PAIRS = _pairs()
FURTHER = (*_QUARTERS, *(match for *_, match in _PAIRS))
"""What is compared beside windows with the whole: pictures that are turned by quarters, turned a little, and
shifted."""

_MORE = np.array([numbers for *numbers, _ in _PAIRS], np.int64)
_CODES = 4 * N_SCALED  # what tells a window, a side and mirroring; FURTHER follows
_N_QUARTERS = len(_QUARTERS)
assert _CODES + len(FURTHER) < 256

_BLOCK = 1 << 20  # pairs of pictures held at a time by a thread
_NONE = np.uint8(255)


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


class _Clips:
    """Where the pictures of each clip of a set stand."""

    def __init__(self, pictures: Pictures) -> None:
        ids = np.array(pictures.clip_ids)
        self.begins = np.flatnonzero(np.concatenate([[True], ids[1:] != ids[:-1]]))
        self.ends = np.concatenate([self.begins[1:], [len(ids)]])

    def __len__(self) -> int:
        return len(self.begins)

    def rows(self, clip: int) -> slice:
        return slice(int(self.begins[clip]), int(self.ends[clip]))


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
        progress: Told the steps that are done, and their number.

    Returns:
        At most one per pair of clips, ordered by the places of their pictures. Every clip that has near
        duplicates in the other set is in one of them, or linked with one by the others.
    """
    if not len(first) or not len(second):
        return []
    clips, others = _Clips(first), _Clips(second)
    total = len(second) + len(clips) + len(others)
    done = 0

    def step(size: int) -> None:
        nonlocal done
        done += size
        if progress is not None:
            progress(done, total)

    with ThreadPoolExecutor(max(1, jobs)) as pool:

        def mapped(work: Callable[[T], R], items: Sequence[T]) -> Iterator[R]:
            return map(work, items) if jobs <= 1 else pool.map(work, items)

        to_first, to_second = _nearest(first, second, clips, others, mapped=mapped, step=step)
        settle = _Settling(first, second, clips, others)

        def of_first(clip: int) -> _Settled:
            return settle.walk([(clip, other) for other in to_first[clip]], {})

        settled: _Settled = {}
        for found in mapped(of_first, range(len(clips))):
            settled |= found
            step(1)
        met = {other for (_, other), near in settled.items() if near is not None}

        def of_second(other: int) -> _Settled:
            if other in met and len(to_second[other]) > FEW:
                return {}
            return settle.walk([(clip, other) for clip in to_second[other]], settled)

        later: _Settled = {}
        for found in mapped(of_second, range(len(others))):
            later |= found
            step(1)
    pairs = [near for near in (settled | later).values() if near is not None]
    return sorted(pairs, key=lambda near: (near.second, near.first))


T = TypeVar("T")
R = TypeVar("R")
_Settled = dict[tuple[int, int], "NearDuplicate | None"]
"""Numbers of a clip of each set to what they have in common, ``None`` if nothing."""


class _Mapped(Protocol):
    def __call__(self, work: Callable[[T], R], items: Sequence[T]) -> Iterator[R]: ...


def _nearest(
    first: Pictures,
    second: Pictures,
    clips: _Clips,
    others: _Clips,
    *,
    mapped: _Mapped,
    step: Callable[[int], None],
) -> tuple[list[list[int]], list[list[int]]]:
    """Of each clip of either set the candidates in the other, the nearest first, at most :data:`NEAREST`."""
    blocks = _blocks(others, max(1, _BLOCK // len(first)))

    def work(block: range) -> npt.NDArray[np.int64]:
        return _distances(first, second, clips, others, block)

    nearest = np.full((len(clips), NEAREST), _FAR)
    of_second: list[list[int]] = []
    for block, bits in zip(blocks, mapped(work, blocks), strict=True):
        # Distance and number in one: no two keys are equal, so no order is left to chance.
        of_second += _lists(_least((bits << 32) + np.arange(len(clips))))
        keys = (bits.T << 32) + np.arange(block.start, block.stop)
        nearest = _least(np.concatenate([nearest, keys], axis=1))
        step(int(others.ends[block.stop - 1] - others.begins[block.start]))
    return _lists(nearest), of_second


_FAR = np.int64(1 << 48)
_NUMBER = np.int64((1 << 32) - 1)


def _least(keys: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """The least :data:`NEAREST` keys of every row, in order."""
    if keys.shape[1] > NEAREST:
        keys = np.partition(keys, NEAREST - 1, axis=1)[:, :NEAREST]
    return np.sort(keys, axis=1)


def _lists(keys: npt.NDArray[np.int64]) -> list[list[int]]:
    """Numbers of those that are candidates."""
    return [(row[(row >> 32) <= MAX_BITS] & _NUMBER).tolist() for row in keys]


def _distances(
    first: Pictures, second: Pictures, clips: _Clips, others: _Clips, block: range
) -> npt.NDArray[np.int64]:
    """(B, A) least bits in which clips of a block of the second set and clips of the first differ."""
    rows = slice(int(others.begins[block.start]), int(others.ends[block.stop - 1]))
    bits, _ = _compared(first, second, slice(0, len(first)), rows)
    bits = np.minimum.reduceat(bits, clips.begins, axis=1)
    begins = others.begins[block.start : block.stop] - rows.start
    least: npt.NDArray[np.int64] = np.minimum.reduceat(bits, begins, axis=0).astype(np.int64)
    return least


def _blocks(clips: _Clips, size: int) -> list[range]:
    """Numbers of clips, of about ``size`` pictures at a time (at least one clip)."""
    blocks, begin = [], 0
    for clip in range(1, len(clips) + 1):
        if clip == len(clips) or clips.ends[clip] - clips.begins[begin] > size:
            blocks.append(range(begin, clip))
            begin = clip
    return blocks


class _Settling:
    """Aligns pictures of pairs of clips."""

    def __init__(self, first: Pictures, second: Pictures, clips: _Clips, others: _Clips) -> None:
        self._first, self._second, self._clips, self._others = first, second, clips, others

    def walk(self, pairs: Sequence[tuple[int, int]], known: Mapping[tuple[int, int], Any]) -> _Settled:
        """Settle a clip's candidates from the nearest on."""
        found: _Settled = {}
        misses = 0
        for pair in pairs:
            near = known[pair] if pair in known else self._settled(*pair)
            found[pair] = near
            misses = 0 if near is not None else misses + 1
            if misses == MISSES or (near is not None and len(pairs) > FEW):
                break
        return found

    def _settled(self, clip: int, other: int) -> NearDuplicate | None:
        rows, columns = self._others.rows(other), self._clips.rows(clip)
        pairs = sorted(_candidates(self._first, self._second, columns, rows), key=_rank)[:PAIRS_PER_CLIP]
        return _settled(self._first, self._second, pairs)


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


def _compared(
    first: Pictures, second: Pictures, columns: slice, rows: slice
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]:
    """Bits in which pictures of each set differ, at most 255, and what gave them, see :func:`_compare`.

    Pictures that show nothing are far from all.
    """
    by_picture = np.ascontiguousarray(second.hashes[rows].transpose(1, 2, 0))
    least = np.empty((columns.stop - columns.start, rows.stop - rows.start), np.uint64)
    _compare(by_picture, first.hashes[columns], _MORE, least)
    bits = np.minimum(least >> np.uint64(8), _NONE).astype(np.uint8).T
    passes = (least & np.uint64(255)).astype(np.uint8).T
    bits[second.flat[rows]] = _NONE
    bits[:, first.flat[columns]] = _NONE
    return bits, passes


def _candidates(first: Pictures, second: Pictures, columns: slice, rows: slice) -> Iterator[_Candidate]:
    bits, passes = _compared(first, second, columns, rows)
    for row, column in np.argwhere(bits <= MAX_BITS):
        match = _match(int(passes[row, column]))
        yield _Candidate(int(bits[row, column]), columns.start + int(column), rows.start + int(row), match)


def _match(code: int) -> Match:
    """What a number among the ``passes`` of :func:`_compare` means."""
    if code >= _CODES:
        return FURTHER[code - _CODES]
    window, rest = divmod(code, 4)
    in_second, mirrored = bool(rest & 2), bool(rest & 1)
    return Match(0, window, mirrored) if in_second else Match(window, 0, mirrored)


@numba.njit(cache=True, nogil=True, inline="always")  # type: ignore[untyped-decorator]
def _ones(word: np.uint64) -> np.uint64:
    """Number of bits that are set; LLVM makes one instruction of it."""
    word = word - ((word >> np.uint64(1)) & np.uint64(0x5555555555555555))
    word = (word & np.uint64(0x3333333333333333)) + ((word >> np.uint64(2)) & np.uint64(0x3333333333333333))
    word = (word + (word >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    return (word * np.uint64(0x0101010101010101)) >> np.uint64(56)


@numba.njit(cache=True, nogil=True, error_model="numpy")  # type: ignore[untyped-decorator]
def _compare(rows: Hashes, columns: Hashes, pairs: npt.NDArray[np.int64], least: Hashes) -> None:
    """Least number of different bits of each pair of pictures, and what gave it.

    The inner loops are over pictures, so that several are compared by one instruction.

    Args:
        rows: (H, 4, R) hashes.
        columns: (C, H, 4) hashes.
        pairs: (M, 2) numbers of the hashes of rows and columns that are compared beside those of windows with
            the whole, and of quarters.
        least: (C, R), written: 256 times the bits, plus what gave them: 4 x the number of the window, + 2 if
            it is the row's (the other is whole), + 1 if mirrored; from :data:`_CODES` on the place in
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
                found = min(((even + odd) << eight) + straight, ((even + half - odd) << eight) + turned)
                least[j, i] = min(least[j, i], found)
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
                    found = min(turned + code + np.uint64(1), upside + code + np.uint64(4))
                else:
                    mirrored = (even + down + half - across - both) << eight
                    straight = (even + across + down + both) << eight
                    found = min(upside + code, mirrored + code + np.uint64(2))
                    found = min(found, straight + code + np.uint64(3))
                    found = min(found, turned + code + np.uint64(5))
                least[j, i] = min(least[j, i], found)
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
                found = _ones(rows[one, 0, i] ^ c0) + _ones(rows[one, 1, i] ^ c1)
                found += _ones(rows[one, 2, i] ^ c2) + _ones(rows[one, 3, i] ^ c3)
                least[j, i] = min(least[j, i], (found << eight) + code)
