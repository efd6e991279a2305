"""``fgbench diff``: what differs between two data sets, and which stored runs fall with it.

Reads two work folders or publications (`fgbench.publication.sides`); writes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from fgbench.publication.faces_compared import FaceChange, compare_faces
from fgbench.publication.fallen_runs import FallenRun, fallen_runs
from fgbench.publication.proof import unlike_versions
from fgbench.publication.sides import Side, read_side

_VALUES = {"label": "label", "split": "part", "key_frame": "key frame", "n_frames": "frames"}
"""Column of clips to what it is called."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One thing that differs.

    Attributes:
        what: Kind, e.g. ``"label"``.
        where: Clip, or key of the recipe.
        before: What the first data set says; empty where it says nothing.
        after: What the second one says.
    """

    what: str
    where: str
    before: str = ""
    after: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """What differs between two data sets.

    Attributes:
        first: Folder of the one.
        second: Folder of the other.
        synthetic: Which of both have drawn faces.
        clips: Number of clips of each.
        changes: All that differs, by kind and place.
        runs: Stored runs that do not hold for the data of the other.
    """

    first: Path
    second: Path
    synthetic: tuple[bool, bool]
    clips: tuple[int, int]
    changes: Sequence[Change]
    runs: Sequence[FallenRun]

    @property
    def is_same(self) -> bool:
        """Whether nothing differs but versions."""
        return all(change.what == VERSION for change in self.changes)

    def of(self, what: str) -> list[Change]:
        """Changes of one kind."""
        return [change for change in self.changes if change.what == what]

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "first": str(self.first),
            "second": str(self.second),
            "synthetic": list(self.synthetic),
            "clips": list(self.clips),
            "same": self.is_same,
            "counts": {what: len(self.of(what)) for what in KINDS},
            "changes": [asdict(change) for change in self.changes],
            "runs": [asdict(run) for run in self.runs],
        }


VERSION = "version"
KINDS = (
    "setting",
    "classes",
    "clip added",
    "clip gone",
    "clip rejected otherwise",
    "bytes",
    *_VALUES.values(),
    "person",
    "face status",
    "landmarks",
    "geometry",
    VERSION,
)
"""Kinds of changes, in the order in which they are told."""


def difference(first: Path, second: Path) -> Difference:
    """Compare two data sets.

    Args:
        first: A work folder or a publication.
        second: Another.

    Raises:
        ManifestError: If one is neither, or is damaged.
        ResourceError: If one may not be read.
    """
    one, other = read_side(first), read_side(second)
    found = [
        *_settings(one, other),
        *_clips(one, other),
        *_faces(one, other),
        *(
            Change(what=VERSION, where=name, before=before or "absent", after=after or "absent")
            for name, (before, after) in unlike_versions(one.provenance, other.provenance).items()
        ),
    ]
    return Difference(
        first=first,
        second=second,
        synthetic=(one.synthetic, other.synthetic),
        clips=(len(one.clips), len(other.clips)),
        changes=sorted(found, key=lambda change: (KINDS.index(change.what), change.where)),
        runs=fallen_runs(one, other),
    )


def _settings(one: Side, other: Side) -> Iterator[Change]:
    before, after = (dict(_flat(side.recipe)) for side in (one, other))
    for key in sorted(before.keys() | after.keys()):
        if before.get(key) != after.get(key):
            yield Change(what="setting", where=key, before=_told(before, key), after=_told(after, key))
    if one.classes != other.classes:
        yield Change(
            what="classes", where="classes", before=", ".join(one.classes), after=", ".join(other.classes)
        )


def _flat(value: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    """Keys of a recipe as paths, e.g. ``faces.geometry``; a model file without the folder that it is in."""
    for key, item in value.items():
        path = f"{before}{key}"
        if isinstance(item, Mapping):
            yield from _flat(item, f"{path}.")
        elif path == "faces.detector_model" and isinstance(item, str):
            yield path, Path(item).name
        else:
            yield path, item


def _told(found: Mapping[str, Any], key: str) -> str:
    return "none" if found.get(key) is None else str(found[key])


def _clips(one: Side, other: Side) -> Iterator[Change]:
    for clip_id in one.clips.keys() - other.clips.keys():
        yield Change(
            what="clip gone",
            where=clip_id,
            before=one.clips[clip_id]["path"],
            after=other.rejects.get(clip_id, "not listed"),
        )
    for clip_id in other.clips.keys() - one.clips.keys():
        yield Change(
            what="clip added",
            where=clip_id,
            before=one.rejects.get(clip_id, "not listed"),
            after=other.clips[clip_id]["path"],
        )
    for clip_id in (one.rejects.keys() | other.rejects.keys()) - one.clips.keys() - other.clips.keys():
        reason, now = (side.rejects.get(clip_id, "not listed") for side in (one, other))
        if reason != now:
            yield Change(what="clip rejected otherwise", where=clip_id, before=reason, after=now)
    for clip_id in one.clips.keys() & other.clips.keys():
        before, after = one.clips[clip_id], other.clips[clip_id]
        columns = {"sha256": "bytes", **_VALUES, "subject_id": "person"}
        for column, what in columns.items():
            if before[column] != after[column]:
                yield Change(
                    what=what, where=clip_id, before=_told(before, column), after=_told(after, column)
                )


def _faces(one: Side, other: Side) -> Iterator[Change]:
    for clip_id in dict.fromkeys([*one.faces, *other.faces]):
        if clip_id in one.clips and clip_id in other.clips:
            yield from _of_clip(clip_id, compare_faces(one.faces.of(clip_id), other.faces.of(clip_id)))


def _of_clip(clip_id: str, found: FaceChange) -> Iterator[Change]:
    """Changes of the faces of a clip; how many frames, in the place of what was and is."""
    of = f"of {found.frames} frames"
    if found.statuses or found.gone or found.added:
        others = f", {found.gone} gone, {found.added} added" if found.gone or found.added else ""
        yield Change(what="face status", where=clip_id, after=f"{found.statuses} {of}{others}")
    if found.moved:
        yield Change(
            what="landmarks", where=clip_id, after=f"{found.moved} {of}, by at most {found.most_px:.2f} px"
        )
    if found.laid_out:
        yield Change(what="geometry", where=clip_id, after=f"{found.laid_out} {of}")
