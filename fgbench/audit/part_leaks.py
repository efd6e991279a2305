"""Leaks between two parts of a data set: what one part shares with another.

Compared are clips, subjects, sources, files and pictures, and near duplicates of faces
(`fgbench.audit.duplicates`). Reads and writes nothing. Not in the paper.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence

from fgbench.audit.duplicates import near_duplicates
from fgbench.audit.leak import KINDS, AuditedClip, Kind, Leak, Side

PARTNERS = 50
"""Number of clips listed as equal to one."""


def compare(
    first: Side,
    second: Side,
    *,
    apart: str,
    comparable_names: bool = True,
    jobs: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> list[Leak]:
    """Find the leaks between two parts.

    Two clips with equal files are not reported again as equal pictures or near duplicates, and so on.

    Args:
        first: The part that learns.
        second: The part that is tested on.
        apart: ``clip_id``, ``source_id`` or ``subject_id``: the column by which the recipe keeps parts apart.
        comparable_names: Whether ids of clips, subjects and sources mean the same on both sides.
        jobs: Threads; no result depends on their number.
        progress: Called with the pictures of ``second`` compared so far and their total.
    """
    leaks = _same_names(first, second, apart) if comparable_names else []
    reported = _Reported(first, second, comparable_names=comparable_names)
    leaks += _same_files(first, second)
    leaks += _same_pictures(first, second, reported)
    return leaks + _near_duplicates(first, second, reported, jobs=jobs, progress=progress)


class _Looks:
    """Digests of the pictures of each clip of a side, and groups of clips with equal ones."""

    def __init__(self, side: Side) -> None:
        digests: dict[str, Counter[bytes]] = defaultdict(Counter)
        self.rows: dict[tuple[str, bytes], int] = {}
        pictures = side.pictures
        for row, (clip_id, digest) in enumerate(zip(pictures.clip_ids, pictures.digests, strict=True)):
            if not pictures.flat[row]:  # pictures that show nothing do not count
                digests[clip_id][digest] += 1
                self.rows.setdefault((clip_id, digest), row)
        self.of_clip: Mapping[str, Counter[bytes]] = digests
        self.files = {clip.clip_id: clip.sha256 for clip in side.clips}
        self.with_digest: dict[bytes, list[str]] = defaultdict(list)
        for clip_id in sorted(digests):
            for digest in digests[clip_id]:
                self.with_digest[digest].append(clip_id)

    def groups(self) -> dict[str, list[str]]:
        """Groups of clips that show exactly the same pictures, by the first clip of each."""
        groups: dict[frozenset[tuple[bytes, int]], list[str]] = defaultdict(list)
        for clip_id in sorted(self.of_clip):
            groups[frozenset(self.of_clip[clip_id].items())].append(clip_id)
        return {members[0]: members for members in groups.values()}


class _Reported:
    """Pairs of clips reported by a stronger kind already; computed on demand, as there may be millions."""

    def __init__(self, first: Side, second: Side, *, comparable_names: bool) -> None:
        self.first, self.second = _Looks(first), _Looks(second)
        self._comparable_names = comparable_names

    def in_both(self, clip_id: str) -> bool:
        """Whether a clip of the first side is in the second too."""
        return self._comparable_names and clip_id in self.second.files

    def before_faces(self, one: str, other: str) -> bool:
        """Whether two clips are the same, have equal files, or have an equal picture."""
        if (one == other and self.in_both(one)) or self.first.files[one] == self.second.files[other]:
            return True
        return bool(self.first.of_clip[one].keys() & self.second.of_clip[other].keys())


def _leak(
    kind: Kind,
    sides: tuple[Side, Side],
    clips: tuple[str, str],
    detail: str,
    pictures: tuple[str | None, str | None],
    correlation: float | None = None,
    partners: Sequence[str] = (),
) -> Leak:
    """Leak of one clip into another, or into all of its partners."""
    one, other = pictures
    return Leak(
        kind=kind,
        first_part=sides[0].name,
        second_part=sides[1].name,
        first=clips[0],
        second=clips[1],
        allowed=False,
        detail=detail,
        first_clips=(clips[0],),
        correlation=correlation,
        pictures=None if one is None or other is None else (one, other),
        partners=tuple(partners[:PARTNERS]),
        n_partners=len(partners),
    )


def _first_pictures(side: Side) -> dict[str, str]:
    """Clip to the id of its first picture."""
    pairs = zip(reversed(side.pictures.clip_ids), reversed(side.pictures.image_ids), strict=True)
    return dict(pairs)


def _same_names(first: Side, second: Side, apart: str) -> list[Leak]:
    shared = {clip.clip_id for clip in first.clips} & {clip.clip_id for clip in second.clips}
    images, other_images = _first_pictures(first), _first_pictures(second)
    leaks = [
        _leak(
            "same_clip",
            (first, second),
            (clip_id, clip_id),
            "the clip is in both parts",
            (images.get(clip_id), other_images.get(clip_id)),
        )
        for clip_id in sorted(shared)
    ]
    for kind, column, name_of in _NAMES:
        groups, others = _by(first.clips, name_of), _by(second.clips, name_of)
        for name in sorted(groups.keys() & others.keys()):
            leaks.append(
                Leak(
                    kind=kind,
                    first_part=first.name,
                    second_part=second.name,
                    first=name,
                    second=name,
                    allowed=apart != column,
                    detail=f"{len(groups[name])} and {len(others[name])} clips",
                    first_clips=tuple(groups[name]),
                )
            )
    return leaks


_Name = Callable[[AuditedClip], str | None]
_NAMES: tuple[tuple[Kind, str, _Name], ...] = (
    ("same_subject", "subject_id", lambda clip: clip.subject_id),
    ("same_source", "source_id", lambda clip: clip.source_id),
)
"""Kind, the recipe's name of the column, and its getter."""


def _by(clips: Iterable[AuditedClip], name_of: _Name) -> dict[str, list[str]]:
    """Name to the sorted ids of its clips; clips without a name are left out."""
    ids_by_name: dict[str, list[str]] = defaultdict(list)
    for clip in clips:
        name = name_of(clip)
        if name is not None:
            ids_by_name[name].append(clip.clip_id)
    return {name: sorted(ids) for name, ids in ids_by_name.items()}


def _same_files(first: Side, second: Side) -> list[Leak]:
    others = _by(second.clips, lambda clip: clip.sha256)
    images, other_images = _first_pictures(first), _first_pictures(second)
    leaks = []
    for digest, clip_ids in sorted(_by(first.clips, lambda clip: clip.sha256).items()):
        matches = others.get(digest, [])
        for clip_id in clip_ids if matches else []:
            detail = "the files are equal" + _and_more(len(matches))
            pictures = (images.get(clip_id), other_images.get(matches[0]))
            leaks.append(
                _leak("same_file", (first, second), (clip_id, matches[0]), detail, pictures, None, matches)
            )
    return leaks


def _same_pictures(first: Side, second: Side, reported: _Reported) -> list[Leak]:
    """Clips with equal pixels, one leak for each of the first part."""
    looks, others = reported.first, reported.second
    partners: dict[tuple[frozenset[bytes], str], list[str]] = {}  # of the last clip; equal ones follow it
    leaks = []
    for clip_id in sorted(looks.of_clip):
        mine = looks.of_clip[clip_id]
        shared = frozenset(digest for digest in mine if digest in others.with_digest)
        if not shared:
            continue
        key = (shared, looks.files[clip_id])
        if key not in partners:
            matches = {other for digest in shared for other in others.with_digest[digest]}
            partners = {key: sorted(other for other in matches if others.files[other] != key[1])}
        left = partners[key]
        if reported.in_both(clip_id):
            left = [other for other in left if other != clip_id]
        if not left:
            continue
        theirs = others.of_clip[left[0]]
        n_pairs = sum(count * theirs[digest] for digest, count in mine.items())
        digest = min(mine.keys() & theirs.keys(), key=lambda digest: looks.rows[clip_id, digest])
        detail = f"{n_pairs} pairs of pictures have equal pixels" + _and_more(len(left))
        row, other_row = looks.rows[clip_id, digest], others.rows[left[0], digest]
        pictures = (first.pictures.image_ids[row], second.pictures.image_ids[other_row])
        leaks.append(_leak("same_picture", (first, second), (clip_id, left[0]), detail, pictures, None, left))
    return leaks


def _and_more(n_clips: int) -> str:
    return f"; likewise {n_clips - 1} more clips there" if n_clips > 1 else ""


def _near_duplicates(
    first: Side,
    second: Side,
    reported: _Reported,
    *,
    jobs: int,
    progress: Callable[[int, int], None] | None,
) -> list[Leak]:
    """Clips with nearly equal faces; of clips that show exactly the same, one is compared for all."""
    groups, others = reported.first.groups(), reported.second.groups()
    pictures, other_pictures = first.pictures.of_clips(groups), second.pictures.of_clips(others)
    leaks = []
    for near in near_duplicates(pictures, other_pictures, jobs=jobs, progress=progress):
        one, other = pictures.clip_ids[near.first], other_pictures.clip_ids[near.second]
        if reported.before_faces(one, other):
            continue
        mirrored = ", one mirrored" if near.mirrored else ""
        detail = (
            f"correlation {near.correlation:.3f}{mirrored}; {near.agreeing} of {near.aligned} aligned pairs "
            f"of pictures agree; {near.bits} bits differ"
        )
        shown = (pictures.image_ids[near.first], other_pictures.image_ids[near.second])
        value = round(near.correlation, 4)
        for clip_id in groups[one]:
            text = detail + _and_more(len(others[other]))
            pair = (clip_id, other)
            leaks.append(_leak("near_duplicate", (first, second), pair, text, shown, value, others[other]))
    return leaks


def dropped_clips(leaks: Iterable[Leak]) -> dict[str, tuple[str, str]]:
    """Clips to drop so that no leak remains, each with reason and detail.

    They are of the part that learns or is chosen on, not of the test part; allowed leaks stay.
    """
    order = list(KINDS)
    dropped: dict[str, tuple[str, str]] = {}
    for leak in sorted(leaks, key=lambda leak: order.index(leak.kind)):
        if not leak.allowed:
            where = f"{leak.second} in {leak.second_part}: {leak.detail}"
            for clip_id in leak.first_clips:
                dropped.setdefault(clip_id, (leak.kind, where))
    return dict(sorted(dropped.items()))
