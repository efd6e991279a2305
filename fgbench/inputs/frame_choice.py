"""Choice of the frames of each clip that a network sees: pure arithmetic.

The frames of all clips form one list, clip after clip, in the order of time. A *piece* is a run of rows of
one clip (a frame, a stack of flow, a window of frames). Draws are per clip or per piece, so that they do not
depend on the batch.

Suffixes of arrays: N clips, B clips of a batch, T pieces of a clip, K rows of a piece, M pieces in all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from fgbench.training.randomness import generator

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
Jitter = npt.NDArray[np.float64]

MIDDLE = 0.5
"""Position inside its part from which a piece is taken without jitter."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Pieces:
    """All pieces of the clips of a list.

    Attributes:
        first: (M,) first row of each, clip after clip.
        last: (M,) last row that it may contain: the end of its run of frames.
        offsets: (N + 1,) start of the pieces of each clip in ``first``.
        length: Rows of a piece, K; the last row of a shorter run is repeated.
    """

    first: Ints
    last: Ints
    offsets: Ints
    length: int

    def counts(self) -> Ints:
        """Return the number of pieces of each clip, (N,)."""
        return np.diff(self.offsets)


def pieces_of(frames: Sequence[Ints], *, length: int, stride: int = 1, across_gaps: bool = False) -> Pieces:
    """Return the pieces of clips.

    Args:
        frames: Numbers of the frames of each clip, ascending.
        length: Rows of a piece.
        stride: Rows from the start of one piece of a run to that of the next.
        across_gaps: Whether a piece may reach across missing frames; otherwise it lies in frames that follow
            each other. A clip whose runs are all too short has one piece, in the first of its longest runs.
    """
    first: list[int] = []
    last: list[int] = []
    offsets = [0]
    row = 0
    for numbers in frames:
        runs = [(0, len(numbers))] if across_gaps and len(numbers) else _runs(numbers)
        starts = [(start, end) for begin, end in runs for start in range(begin, end - length + 1, stride)]
        if not starts and runs:
            starts = [max(runs, key=lambda run: (run[1] - run[0], -run[0]))]
        first += [row + start for start, _ in starts]
        last += [row + end - 1 for _, end in starts]
        offsets.append(len(first))
        row += len(numbers)
    return Pieces(
        first=np.array(first, np.int64),
        last=np.array(last, np.int64),
        offsets=np.array(offsets, np.int64),
        length=length,
    )


def _runs(numbers: Ints) -> list[tuple[int, int]]:
    """Return the bounds (begin, end) of runs of consecutive frames."""
    if not len(numbers):
        return []
    cuts = (np.flatnonzero(np.diff(numbers) != 1) + 1).tolist()
    return list(zip([0, *cuts], [*cuts, len(numbers)], strict=True))


def pick(pieces: Pieces, clips: Ints, count: int, jitter_NT: Jitter | None = None) -> tuple[Ints, Bools]:
    """Choose pieces of clips, evenly spread over each.

    The pieces of a clip are divided into ``count`` equal parts, of which each gives one; a clip with fewer
    pieces gives all of them.

    Args:
        pieces: Pieces of all clips.
        clips: (B,) indices of clips.
        count: Pieces per clip, T.
        jitter_NT: Position inside its part of every piece, in [0, 1), for all N clips (TSN's random positions
            in training); ``None`` takes the middles.

    Returns:
        Rows (B, T, K), and mask of existing pieces (B, T); rows of others are 0 or any row of the list.
    """
    available = pieces.counts()[clips]
    taken = np.minimum(available, count)
    part = np.arange(count)
    inside = MIDDLE if jitter_NT is None else jitter_NT[clips]
    position = (part + inside) * available[:, None] // np.maximum(taken, 1)[:, None]
    mask = part < taken[:, None]
    # A jitter close to 1 may be rounded up to the next part.
    chosen = np.minimum(position.astype(np.int64), np.maximum(available - 1, 0)[:, None])
    chosen = np.where(mask, pieces.offsets[clips][:, None] + chosen, 0)
    if not len(pieces.first):
        return np.zeros((*chosen.shape, pieces.length), np.int64), mask
    rows = pieces.first[chosen][..., None] + np.arange(pieces.length)
    return np.minimum(rows, pieces.last[chosen][..., None]), mask


def draw_jitter(n_clips: int, count: int, *, seed: int, name: str, epoch: int) -> Jitter:
    """Draw positions (N, T) in [0, 1) for :func:`pick`; those of a clip depend on its index in the list."""
    random = generator(seed, "pieces", name, epoch)
    drawn: Jitter = torch.rand((n_clips, count), generator=random, dtype=torch.float64).numpy()
    return drawn
