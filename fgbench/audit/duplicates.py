"""Near-duplicate clips: candidates by perceptual hashes, settled by correlation after alignment.

The pictures of two sets of clips are compared with each other (:mod:`fgbench.audit.hash_comparison`). A
pair of clips is a candidate if two of their hashes differ in at most :data:`MAX_BITS` bits. For each such
pair the nearest few pairs of pictures are aligned; the clips are near duplicates if two of them (or the only
one) agree by at least :data:`MIN_CORRELATION`.

Of a clip's candidates the nearest :data:`NEAREST` are kept. Where they are few, all are settled; a clip with
more than :data:`FEW` is settled with the nearest that agrees, so that many clips of one look give a chain of
pairs and not all pairs: time and memory grow linearly with the number of clips.

Candidates follow from integers alone, so the result depends neither on blocks nor on threads. Memory is
bounded by the size of a block. Reads and writes nothing. Not in the paper.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from fgbench.audit.alignment import Match, aligned_correlation
from fgbench.audit.hash_comparison import compared, match_of
from fgbench.audit.pictures import Pictures

MAX_BITS = 58
"""Largest number of bits, of 255, in which the hashes of candidates differ."""

MIN_CORRELATION = 0.95
"""Least correlation of near duplicates after alignment, from within the range in which the benchmark
``audit`` (tests/performance) finds the planted copies and no false pair. Measured on drawn faces."""

PAIRS_PER_CLIP = 3
"""Pairs of pictures that are aligned per pair of clips."""

MISSES = 12
"""A clip's candidates are settled from the nearest on, until so many in a row are no near duplicates."""

NEAREST = 64
"""Number of candidates kept per clip, the nearest."""

FEW = 8
"""Number of candidates per clip up to which all are settled."""


_BLOCK = 1 << 20  # pairs of pictures held at a time by a thread


@dataclass(frozen=True, slots=True, kw_only=True)
class NearDuplicate:
    """Two clips that show the same.

    Attributes:
        first: Row of a picture of the first clip in the first set: of the pair that agrees best.
        second: Row of a picture of the second clip in the second set.
        correlation: Correlation of that pair after alignment, 0 to 1.
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
    """First and last rows of the pictures of each clip of a set."""

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
        progress: Called with the steps done and their total.

    Returns:
        At most one per pair of clips, ordered by the rows of their pictures. Every clip that has near
        duplicates in the other set is in one of them, or linked with one through others.
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
        for settled_here in mapped(of_first, range(len(clips))):
            settled |= settled_here
            step(1)
        met = {other for (_, other), near in settled.items() if near is not None}

        def of_second(other: int) -> _Settled:
            if other in met and len(to_second[other]) > FEW:
                return {}
            return settle.walk([(clip, other) for clip in to_second[other]], settled)

        later: _Settled = {}
        for settled_here in mapped(of_second, range(len(others))):
            later |= settled_here
            step(1)
    pairs = [near for near in (settled | later).values() if near is not None]
    return sorted(pairs, key=lambda near: (near.second, near.first))


T = TypeVar("T")
R = TypeVar("R")
_Settled = dict[tuple[int, int], "NearDuplicate | None"]
"""Indices of a clip of each set to their near duplicate, ``None`` if they have none."""


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
    """Candidates of each clip of either set in the other, the nearest first, at most :data:`NEAREST`."""
    blocks = _blocks(others, max(1, _BLOCK // len(first)))

    def work(block: range) -> npt.NDArray[np.int64]:
        return _distances(first, second, clips, others, block)

    nearest = np.full((len(clips), NEAREST), _FAR)
    of_second: list[list[int]] = []
    for block, bits in zip(blocks, mapped(work, blocks), strict=True):
        # Distance and index in one: no two keys are equal, so the order is unique.
        of_second += _lists(_least((bits << 32) + np.arange(len(clips))))
        keys = (bits.T << 32) + np.arange(block.start, block.stop)
        nearest = _least(np.concatenate([nearest, keys], axis=1))
        step(int(others.ends[block.stop - 1] - others.begins[block.start]))
    return _lists(nearest), of_second


_FAR = np.int64(1 << 48)
_NUMBER = np.int64((1 << 32) - 1)


def _least(keys: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """The :data:`NEAREST` smallest keys of every row, in order."""
    if keys.shape[1] > NEAREST:
        keys = np.partition(keys, NEAREST - 1, axis=1)[:, :NEAREST]
    return np.sort(keys, axis=1)


def _lists(keys: npt.NDArray[np.int64]) -> list[list[int]]:
    """Indices of the clips that are candidates."""
    return [(row[(row >> 32) <= MAX_BITS] & _NUMBER).tolist() for row in keys]


def _distances(
    first: Pictures, second: Pictures, clips: _Clips, others: _Clips, block: range
) -> npt.NDArray[np.int64]:
    """(B, A) least bits in which clips of a block of the second set and clips of the first differ."""
    rows = slice(int(others.begins[block.start]), int(others.ends[block.stop - 1]))
    bits, _ = compared(first, second, slice(0, len(first)), rows)
    bits = np.minimum.reduceat(bits, clips.begins, axis=1)
    begins = others.begins[block.start : block.stop] - rows.start
    least: npt.NDArray[np.int64] = np.minimum.reduceat(bits, begins, axis=0).astype(np.int64)
    return least


def _blocks(clips: _Clips, size: int) -> list[range]:
    """Ranges of clips with about ``size`` pictures each (at least one clip)."""
    blocks, begin = [], 0
    for clip in range(1, len(clips) + 1):
        if clip == len(clips) or clips.ends[clip] - clips.begins[begin] > size:
            blocks.append(range(begin, clip))
            begin = clip
    return blocks


class _Settling:
    """Alignment of the pictures of pairs of clips."""

    def __init__(self, first: Pictures, second: Pictures, clips: _Clips, others: _Clips) -> None:
        self._first, self._second, self._clips, self._others = first, second, clips, others

    def walk(self, pairs: Sequence[tuple[int, int]], done: Mapping[tuple[int, int], Any]) -> _Settled:
        """Settle a clip's candidates, the nearest first."""
        settled: _Settled = {}
        misses = 0
        for pair in pairs:
            near = done[pair] if pair in done else self._settled(*pair)
            settled[pair] = near
            misses = 0 if near is not None else misses + 1
            if misses == MISSES or (near is not None and len(pairs) > FEW):
                break
        return settled

    def _settled(self, clip: int, other: int) -> NearDuplicate | None:
        rows, columns = self._others.rows(other), self._clips.rows(clip)
        pairs = sorted(_candidates(self._first, self._second, columns, rows), key=_rank)[:PAIRS_PER_CLIP]
        return _settled(self._first, self._second, pairs)


def _rank(candidate: _Candidate) -> tuple[int, int, int]:
    return candidate.bits, candidate.second, candidate.first


def _settled(first: Pictures, second: Pictures, pairs: Sequence[_Candidate]) -> NearDuplicate | None:
    """Near duplicate from the aligned pairs of pictures of two clips; ``None`` if too few agree."""
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


def _candidates(first: Pictures, second: Pictures, columns: slice, rows: slice) -> Iterator[_Candidate]:
    bits, passes = compared(first, second, columns, rows)
    for row, column in np.argwhere(bits <= MAX_BITS):
        match = match_of(int(passes[row, column]))
        yield _Candidate(int(bits[row, column]), columns.start + int(column), rows.start + int(row), match)
