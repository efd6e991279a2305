"""``fgbench diff``: differences between two data sets, and the stored runs that become invalid by them.

Reads two work folders or publications (`fgbench.publication.difference_sides`); writes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from fgbench.notebook_lines import NotebookLines
from fgbench.publication.difference_sides import Side, read_side
from fgbench.publication.face_comparison import FaceChange, compare_faces
from fgbench.publication.invalid_runs import InvalidRun, invalid_runs
from fgbench.publication.proof import VALUES, unlike_versions


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One difference.

    Attributes:
        what: Kind, e.g. ``"label"``.
        where: Clip, key of the recipe, or package.
        before: Value in the first data set; empty where there is none.
        after: Value in the second one.
    """

    what: str
    where: str
    before: str = ""
    after: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference(NotebookLines):
    """Differences between two data sets.

    Attributes:
        first: Folder of the first one.
        second: Folder of the second one.
        synthetic: Whether each has drawn faces.
        clips: Number of clips of each.
        changes: All differences, sorted by kind and ``where``.
        runs: Stored runs that do not hold for the data of the other.
    """

    first: Path
    second: Path
    synthetic: tuple[bool, bool]
    clips: tuple[int, int]
    changes: Sequence[Change]
    runs: Sequence[InvalidRun]

    @property
    def is_same(self) -> bool:
        """Whether nothing but versions differs."""
        return all(change.what == VERSION for change in self.changes)

    def of(self, what: str) -> list[Change]:
        """Changes of one kind."""
        return [change for change in self.changes if change.what == what]

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
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

    def lines(self, *, full: bool = False) -> list[str]:
        """Return lines of text: counts and the first examples of each kind; in full all."""
        from fgbench.publication.difference_tables import difference_lines

        return difference_lines(self, full=full)


VERSION = "version"
KINDS = (
    "setting",
    "classes",
    "clip added",
    "clip gone",
    "clip rejected otherwise",
    "bytes",
    "label",
    "part",
    "key frame",
    "frames",
    "votes",
    "person",
    "face status",
    "landmarks",
    "geometry",
    VERSION,
)
"""Kinds of changes, in the order of the output."""


def difference(first: Path, second: Path) -> Difference:
    """Compare two data sets.

    Args:
        first: A work folder or a publication.
        second: Another one.

    Raises:
        ManifestError: If one is neither, or is damaged.
        ResourceError: If one may not be read.
    """
    one, other = read_side(first), read_side(second)
    changes = [
        *_settings(one, other),
        *_clips(one, other),
        *_votes(one, other),
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
        changes=sorted(changes, key=lambda change: (KINDS.index(change.what), change.where)),
        runs=invalid_runs(one, other),
    )


def _settings(one: Side, other: Side) -> Iterator[Change]:
    before, after = (dict(_flat(side.recipe)) for side in (one, other))
    for key in sorted(before.keys() | after.keys()):
        if before.get(key) != after.get(key):
            yield Change(what="setting", where=key, before=_text(before, key), after=_text(after, key))
    if one.classes != other.classes:
        yield Change(
            what="classes", where="classes", before=", ".join(one.classes), after=", ".join(other.classes)
        )


def _flat(value: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Values of a recipe by dotted key, e.g. ``faces.geometry``; a model file without its folder."""
    for key, item in value.items():
        path = f"{prefix}{key}"
        if isinstance(item, Mapping):
            yield from _flat(item, f"{path}.")
        elif path == "faces.detector_model" and isinstance(item, str):
            yield path, Path(item).name
        else:
            yield path, item


def _text(values: Mapping[str, Any], key: str) -> str:
    return "none" if values.get(key) is None else str(values[key])


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
        for column, what in {"sha256": "bytes", **VALUES, "subject_id": "person"}.items():
            if before[column] != after[column]:
                yield Change(
                    what=what, where=clip_id, before=_text(before, column), after=_text(after, column)
                )


def _votes(one: Side, other: Side) -> Iterator[Change]:
    """Yield the clips with other votes; none where one side is of a version that kept none."""
    if one.votes and other.votes:
        for clip_id in one.votes.keys() | other.votes.keys():
            before, after = (side.votes.get(clip_id, "none") for side in (one, other))
            if before != after:
                yield Change(what="votes", where=clip_id, before=before, after=after)


def _faces(one: Side, other: Side) -> Iterator[Change]:
    for clip_id in dict.fromkeys([*one.faces, *other.faces]):
        if clip_id in one.clips and clip_id in other.clips:
            yield from _face_changes(clip_id, compare_faces(one.faces.of(clip_id), other.faces.of(clip_id)))


def _face_changes(clip_id: str, faces: FaceChange) -> Iterator[Change]:
    """Yield the changes of the faces of a clip; ``after`` is the number of frames, ``before`` is empty."""
    of = f"of {faces.frames} frames"
    if faces.statuses or faces.gone or faces.added:
        others = f", {faces.gone} gone, {faces.added} added" if faces.gone or faces.added else ""
        yield Change(what="face status", where=clip_id, after=f"{faces.statuses} {of}{others}")
    if faces.moved:
        yield Change(
            what="landmarks", where=clip_id, after=f"{faces.moved} {of}, by at most {faces.most_px:.2f} px"
        )
    if faces.laid_out:
        yield Change(what="geometry", where=clip_id, after=f"{faces.laid_out} {of}")
