"""Pieces of clips that a frozen network is given: frames, or windows of frames."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from fgbench.callbacks import ignore
from fgbench.config.video_backbones import PiecesConfig
from fgbench.inputs.batching import Batch, Batches, Source
from fgbench.inputs.clip_frames import FrameRows, open_rows
from fgbench.inputs.frame_choice import Ints
from fgbench.inputs.image_set import open_source
from fgbench.inputs.manifest_pictures import FACE_PX, find_frames
from fgbench.preparation.sampling import uniform

_CPU = torch.device("cpu")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ClipPieces:
    """The pieces of clips, clip after clip.

    Attributes:
        clip_ids: The clips.
        frames: Of each clip the numbers of the frames of its pieces, (pieces, length) int64.
        length: Frames of a piece.
    """

    clip_ids: Sequence[str]
    frames: Sequence[Ints]
    length: int

    def rows(self) -> list[list[tuple[str, int]]]:
        """Return clip and number of the frames of every piece."""
        return [
            [(clip_id, number) for number in piece]
            for clip_id, of_clip in zip(self.clip_ids, self.frames, strict=True)
            for piece in of_clip.tolist()
        ]


def pieces_of_clips(frames: Mapping[str, Ints], config: PiecesConfig, *, window: int) -> ClipPieces:
    """Choose the pieces of clips.

    Args:
        frames: Clip to the numbers of its frames with a usable face, ascending, one at least.
        config: Section of the recipe.
        window: Frames that a network of videos takes; 0: a network of pictures.
    """
    chosen = [_of_clip(numbers, config, window) for numbers in frames.values()]
    return ClipPieces(clip_ids=list(frames), frames=chosen, length=max(1, window))


def _of_clip(numbers: Ints, config: PiecesConfig, window: int) -> Ints:
    """Return the frames of a clip's pieces, (pieces, length); the last frame of a short clip is repeated."""
    n = len(numbers)
    if not window:
        return numbers[uniform(n, config.most)][:, None]
    if not config.stride:
        # The middles of as many equal parts; frames of a shorter clip come more than once, in their order.
        at = (2 * np.arange(window) + 1) * n // (2 * window)
        return numbers[at][None]
    reach = window * config.stride
    starts = np.arange(0, max(n - reach, 0) + 1, reach)
    starts = starts[uniform(len(starts), config.most)]
    at = starts[:, None] + config.stride * np.arange(window)
    return numbers[np.minimum(at, n - 1)]


def piece_source(manifests: Path, pieces: ClipPieces, *, jobs: int) -> Source:
    """Return the pictures of pieces, uint8 RGB on the CPU: (B, 3, 224, 224), of windows (B, n, 3, 224, 224).

    Args:
        manifests: Folder of the manifests.
        pieces: The pieces.
        jobs: Threads that decode; results do not depend on them.

    Raises:
        ManifestError: If a frame has no picture, or the manifests are missing or damaged.
    """
    rows = pieces.rows()
    if pieces.length == 1:
        stored = find_frames(manifests, [piece[0] for piece in rows])
        return open_source(stored, device=_CPU, resident_mb=0, jobs=jobs)
    return WindowSource(manifests, rows, jobs=jobs)


class WindowSource:
    """Windows of frames, read when they are needed; see :class:`fgbench.inputs.batching.Source`, without
    shuffling.

    Args:
        manifests: Folder of the manifests.
        windows: Clip and number of the frames of each, all of one length.
        jobs: Threads that decode.
    """

    def __init__(self, manifests: Path, windows: Sequence[Sequence[tuple[str, int]]], *, jobs: int) -> None:
        distinct = sorted({frame for window in windows for frame in window})
        row_of = {frame: row for row, frame in enumerate(distinct)}
        self._rows = np.array([[row_of[frame] for frame in window] for window in windows], np.int64)
        self._frames: FrameRows = open_rows(
            manifests,
            distinct,
            "rgb",
            side_px=FACE_PX,
            device=_CPU,
            resident_mb=0,
            jobs=jobs,
            progress=ignore,
        )

    def __len__(self) -> int:
        return len(self._rows)

    def batches(
        self, *, epoch: int, seed: int, batch: int, shuffle: bool, rank: int = 0, world: int = 1
    ) -> Batches:
        """Return batches in order; all of them in every process."""
        assert not shuffle, "windows are read once, in order"
        return _Windows(self, batch)

    def taken(self, start: int, stop: int) -> Batch:
        """Return a batch of windows."""
        rows = self._rows[start:stop]
        pictures = self._frames.take(rows.ravel())
        return Batch(pictures.unflatten(0, rows.shape), torch.arange(start, start + len(rows)))


@dataclass(frozen=True, slots=True, eq=False)
class _Windows:
    source: WindowSource
    batch: int

    def __len__(self) -> int:
        return -(-len(self.source) // self.batch)

    def __iter__(self) -> Iterator[Batch]:
        for start in range(0, len(self.source), self.batch):
            yield self.source.taken(start, start + self.batch)
