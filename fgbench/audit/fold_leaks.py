"""Which clips have to go so that no two folds show the same, whatever folds a data set is divided into.

Folds never divide a group (the clips of a person, of a source, or a clip by itself), so that it suffices that
no two groups show the same. Of clips of several groups that do, those of one group stay: the group with the
first clip by id. Reads and writes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

from fgbench.audit.findings import AuditedClip, Side, compare, dropped_clips
from fgbench.audit.pictures import Pictures

_LATER, _EARLIER = "a group", "another group"


def dropped_between_groups(
    clips: Sequence[AuditedClip], pictures: Pictures, *, apart: str, jobs: int = 1
) -> dict[str, tuple[str, str]]:
    """Clips that have to go, each with the kind of its leak and a detail.

    Groups are compared half with half, by the bits of their numbers from the highest: two of them are in
    different halves at the highest bit in which their numbers differ, where the clips of the later one go.
    A clip goes too if what it equals goes itself, for a clip of a third group.

    Args:
        clips: All clips.
        pictures: What they show.
        apart: ``clip_id``, ``source_id`` or ``subject_id``: by what folds keep clips together. One that does
            not tell it is a group by itself.
        jobs: Threads; no result depends on their number.

    Returns:
        By id, in the order of the ids.
    """
    number_of: dict[str, int] = {}
    numbers: dict[tuple[str, str], int] = {}
    for clip in sorted(clips, key=lambda clip: clip.clip_id):
        name = getattr(clip, apart)
        group = (apart, name) if name is not None else ("clip_id", clip.clip_id)
        number_of[clip.clip_id] = numbers.setdefault(group, len(numbers))
    found: dict[str, tuple[str, str]] = {}
    for bit in reversed(range((len(numbers) - 1).bit_length())):
        more: dict[str, tuple[str, str]] | None = None
        while more is None or more:  # of near duplicates not every pair is told at once
            left = [clip for clip in clips if clip.clip_id not in found]
            later, earlier = (
                _side(name, [one for one in left if number_of[one.clip_id] >> bit & 1 == is_set], pictures)
                for name, is_set in ((_LATER, 1), (_EARLIER, 0))
            )
            more = dropped_clips(compare(later, earlier, apart=apart, jobs=jobs))
            found.update(more)
    return dict(sorted(found.items()))


def _side(name: str, clips: Sequence[AuditedClip], pictures: Pictures) -> Side:
    return Side(name, clips, pictures.of_clips({clip.clip_id for clip in clips}))
