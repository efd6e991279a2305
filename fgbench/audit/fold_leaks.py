"""Clips to drop so that no two folds show the same, whatever folds a data set is divided into.

Folds never divide a group (the clips of a subject, of a source, or a single clip), so it suffices that no two
groups show the same. Where several groups do, the clips of one stay: the group with the first clip by id.
Reads and writes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

from fgbench.audit.leak import AuditedClip, Side
from fgbench.audit.part_leaks import compare, dropped_clips
from fgbench.audit.pictures import Pictures

_LATER, _EARLIER = "a group", "another group"


def dropped_between_groups(
    clips: Sequence[AuditedClip], pictures: Pictures, *, apart: str, jobs: int = 1
) -> dict[str, tuple[str, str]]:
    """Clips to drop, each with the kind of its leak and a detail.

    Groups are compared half with half, by the bits of their numbers from the highest: two groups are in
    different halves at the highest bit in which their numbers differ, and clips of the later one are dropped
    there. A clip is also dropped if its equal is dropped itself because of a third group.

    Args:
        clips: All clips.
        pictures: Their pictures.
        apart: ``clip_id``, ``source_id`` or ``subject_id``: the column by which folds keep clips together. A
            clip without a value is a group of its own.
        jobs: Threads; no result depends on their number.

    Returns:
        Clip id to kind and detail, in the order of the ids.
    """
    number_of: dict[str, int] = {}
    numbers: dict[tuple[str, str], int] = {}
    for clip in sorted(clips, key=lambda clip: clip.clip_id):
        name = getattr(clip, apart)
        group = (apart, name) if name is not None else ("clip_id", clip.clip_id)
        number_of[clip.clip_id] = numbers.setdefault(group, len(numbers))
    dropped: dict[str, tuple[str, str]] = {}
    for bit in reversed(range((len(numbers) - 1).bit_length())):
        more: dict[str, tuple[str, str]] | None = None
        while more is None or more:  # one comparison does not report every pair of near duplicates
            left = [clip for clip in clips if clip.clip_id not in dropped]
            later, earlier = (
                _side(name, [one for one in left if number_of[one.clip_id] >> bit & 1 == is_set], pictures)
                for name, is_set in ((_LATER, 1), (_EARLIER, 0))
            )
            more = dropped_clips(compare(later, earlier, apart=apart, jobs=jobs))
            dropped.update(more)
    return dict(sorted(dropped.items()))


def _side(name: str, clips: Sequence[AuditedClip], pictures: Pictures) -> Side:
    return Side(name, clips, pictures.of_clips({clip.clip_id for clip in clips}))
