"""Frames by which an audit compares clips that have no picture in the image set, as of data of action units.

At most :data:`FRAMES_PER_CLIP` of a clip, so that memory does not grow with the length of clips. Reads and
writes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from fgbench.faces.status import USABLE

FRAMES_PER_CLIP = 16
"""Largest number of frames of a clip."""


def spread_frames(rows: Iterable[Mapping[str, Any]], clip_ids: frozenset[str]) -> set[tuple[str, int]]:
    """Choose frames with a usable face, evenly spread over those that each clip has.

    Args:
        rows: Rows of the table ``faces``, all those of a clip.
        clip_ids: The clips.

    Returns:
        Clip and number of each frame. Clips of equally many frames have the same numbers.
    """
    usable: dict[str, list[int]] = {}
    for row in rows:
        if row["clip_id"] in clip_ids and row["status"] in USABLE:
            usable.setdefault(row["clip_id"], []).append(row["frame_index"])
    return {(clip_id, n) for clip_id, numbers in usable.items() for n in _spread(sorted(numbers))}


def _spread(numbers: Sequence[int]) -> list[int]:
    if len(numbers) <= FRAMES_PER_CLIP:
        return list(numbers)
    last = len(numbers) - 1
    return [numbers[round(index * last / (FRAMES_PER_CLIP - 1))] for index in range(FRAMES_PER_CLIP)]
