"""Descriptors of trajectories from the tables of features: a sample for words, and histograms of words.

Tables are read clip by clip: memory does not grow with the size of the data set, but for the result.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from fgbench.errors import DatasetError, ManifestError
from fgbench.features.bag_of_words import Codebook, bag_of_words
from fgbench.records import TRAJECTORY_CHANNELS
from fgbench.storage import read_table

if TYPE_CHECKING:
    import pyarrow as pa

Float16 = npt.NDArray[np.float16]
Float32 = npt.NDArray[np.float32]

_AGAIN = "fgbench check --repair, on the work folder, computes the features again"


def clip_descriptors(folder: Path, channel: str) -> Iterator[tuple[str, Float16]]:
    """Iterate over the descriptors of every clip that has trajectories, one clip at a time.

    Args:
        folder: Tables of trajectories; the rows of a clip follow each other in one of them.
        channel: Key of :data:`fgbench.records.TRAJECTORY_CHANNELS`.

    Yields:
        Id of the clip, and (N, size) float16.

    Raises:
        ManifestError: If a table is damaged or has other columns.
        DatasetError: If a descriptor is not finite.
    """
    size = TRAJECTORY_CHANNELS[channel]
    for path in sorted(folder.glob("*.parquet")):
        table = _read(path, ["clip_id", channel])
        clips = table.column("clip_id").to_numpy(zero_copy_only=False)
        flat = table.column(channel).combine_chunks().flatten()
        if flat.null_count or len(flat) != len(clips) * size:
            raise ManifestError(
                f"{path} has rows without {channel} descriptors, expected all to have", _AGAIN
            )
        values = flat.to_numpy(zero_copy_only=False).reshape(len(clips), size)
        changes = np.flatnonzero(clips[1:] != clips[:-1]) + 1
        for begin, end in pairwise([0, *changes.tolist(), len(clips)] if len(clips) else []):
            descriptors = values[begin:end]
            if not np.isfinite(descriptors).all():
                raise DatasetError(
                    f"clip {clips[begin]} has {channel} descriptors that are not finite ({path})", _AGAIN
                )
            yield str(clips[begin]), descriptors


def training_sample(folder: Path, channel: str, clip_ids: Sequence[str], *, size: int, seed: int) -> Float16:
    """Draw at most ``size`` descriptors of the clips given, at random without replacement.

    Args:
        folder: Tables of trajectories.
        channel: As in :func:`clip_descriptors`.
        clip_ids: The clips to draw from; the draw depends on their order, but not on that of the tables.
        size: Most descriptors.
        seed: Seed of the draw.

    Returns:
        (n, channel's size) float16, in the order of the clips.

    Raises:
        DatasetError: If no clip has trajectories, or a descriptor is not finite.
        ManifestError: As :func:`clip_descriptors`.
    """
    counts: Counter[str] = Counter()
    for path in sorted(folder.glob("*.parquet")):
        counts.update(_read(path, ["clip_id"]).column("clip_id").to_pylist())
    edges = np.concatenate([[0], np.cumsum([counts[clip] for clip in clip_ids])])
    total = int(edges[-1])
    if not total:
        n_points = TRAJECTORY_CHANNELS["traj"] // 2 + 1
        raise DatasetError(
            f"no training clip has trajectories in {folder}",
            f"prepare it with dense_trajectories; a trajectory takes {n_points} frames, so clips that are "
            "shorter have none",
        )
    if total > size:
        drawn = np.sort(np.random.default_rng(seed).choice(total, size, replace=False))
    else:
        drawn = np.arange(total)
    row_of = {clip: number for number, clip in enumerate(clip_ids)}
    sample = np.empty((len(drawn), TRAJECTORY_CHANNELS[channel]), np.float16)
    for clip, descriptors in clip_descriptors(folder, channel):
        if clip in row_of:
            edge, next_edge = edges[row_of[clip] : row_of[clip] + 2]
            first, last = np.searchsorted(drawn, [edge, next_edge])
            sample[first:last] = descriptors[drawn[first:last] - edge]
    return sample


def clip_histograms(folder: Path, channel: str, codebook: Codebook) -> dict[str, Float32]:
    """Compute the histogram of words of every clip that has trajectories, (W,) float32.

    Raises:
        DatasetError: If a descriptor is not finite.
        ManifestError: As :func:`clip_descriptors`.
    """
    return {
        clip: bag_of_words(descriptors, codebook) for clip, descriptors in clip_descriptors(folder, channel)
    }


def _read(path: Path, columns: list[str]) -> pa.Table:
    return read_table(path, columns, hint=_AGAIN)
