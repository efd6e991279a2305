"""Whether a data set that was made again is the published one, and if not, what differs and by how much."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from fgbench import storage
from fgbench.publication import layout
from fgbench.publication.faces_compared import NO_CHANGE, FaceChange, compare_faces
from fgbench.publication.sides import Side
from fgbench.publication.source_files import Located

VALUES = ("n_frames", "label", "split", "key_frame")
"""Columns of a clip that have to be the same, beside its bytes and its faces."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipDifference:
    """What differs of one clip.

    Attributes:
        clip_id: The clip.
        path: Path of its file.
        missing: Whether its file was not found.
        other_bytes: Whether its file has other bytes.
        rejected: Stage and reason if it is no usable clip now; of a published reject, if it is one otherwise.
        added: Whether it is usable now, and was not.
        values: Column to its published and its present value.
        faces: What differs of its faces.
        images: Number of its images whose pixels differ, or that one of both lacks.
    """

    clip_id: str
    path: str
    missing: bool = False
    other_bytes: bool = False
    rejected: str | None = None
    added: bool = False
    values: Mapping[str, tuple[Any, Any]] = field(default_factory=dict)
    faces: FaceChange = NO_CHANGE
    images: int = 0

    @property
    def is_same(self) -> bool:
        """Whether nothing differs."""
        is_there = not (self.missing or self.other_bytes or self.rejected or self.added)
        return is_there and not self.values and self.faces.is_same and not self.images


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """How a data set that was made again compares with the published one.

    Attributes:
        dataset: Its name.
        synthetic: Whether its faces are drawn.
        clips: Number of published clips.
        frames: Number of their frames that were compared.
        differences: Clips that are not the same, by id.
        moved: Path of each file that was found elsewhere, to that place.
        classes: Published and present classes, if they differ.
        versions: Package to its published and present version, of those that differ.
    """

    dataset: str
    synthetic: bool
    clips: int
    frames: int
    differences: Sequence[ClipDifference]
    moved: Mapping[str, str]
    classes: tuple[Sequence[str], Sequence[str]] | None
    versions: Mapping[str, tuple[str | None, str | None]]

    @property
    def is_same(self) -> bool:
        """Whether the data set is the published one."""
        return not self.differences and self.classes is None

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {"same": self.is_same, **asdict(self)}


def prove(published: Side, made: Side, again: Path, located: Sequence[Located]) -> Proof:
    """Compare a data set that was made again with the published one.

    Args:
        published: The publication.
        made: The data set, published again without its pictures.
        again: Folder of that.
        located: Where the files of its clips were found.

    Raises:
        ManifestError: If a table is damaged.
    """
    images = _unlike_images(published.folder, again)
    missing = _Affected(one.file.path for one in located if one.found == "missing")
    other = _Affected(one.file.path for one in located if one.found == "other bytes")
    frames = 0
    found = []
    for clip_id in sorted(published.clips.keys() | made.clips.keys()):
        before, now = published.clips.get(clip_id), made.clips.get(clip_id)
        told: Mapping[str, Any] = before or now or {}
        faces = NO_CHANGE
        if before is not None and now is not None:
            faces = compare_faces(published.faces.of(clip_id), made.faces.of(clip_id))
            frames += faces.frames
        found.append(
            ClipDifference(
                clip_id=clip_id,
                path=told["path"],
                missing=missing.has(told["path"]),
                other_bytes=other.has(told["path"])
                or (now is not None and before is not None and now["sha256"] != before["sha256"]),
                rejected=made.rejects.get(clip_id, "not listed") if now is None else None,
                added=before is None,
                values={}
                if before is None or now is None
                else {name: (before[name], now[name]) for name in VALUES if before[name] != now[name]},
                faces=faces,
                images=images.get(clip_id, 0) if now is not None and before is not None else 0,
            )
        )
    found += [
        ClipDifference(
            clip_id=clip_id,
            path="",
            rejected=f"{made.rejects.get(clip_id, 'not rejected')} (published: {reason})",
        )
        for clip_id, reason in sorted(published.rejects.items())
        if clip_id not in made.clips and made.rejects.get(clip_id) != reason
    ]
    return Proof(
        dataset=published.dataset,
        synthetic=published.synthetic,
        clips=len(published.clips),
        frames=frames,
        differences=[one for one in found if not one.is_same],
        moved={one.file.path: one.at for one in located if one.found == "moved" and one.at is not None},
        classes=None if published.classes == made.classes else (published.classes, made.classes),
        versions=unlike_versions(published.provenance, made.provenance),
    )


def unlike_versions(
    first: Mapping[str, Any], second: Mapping[str, Any]
) -> dict[str, tuple[str | None, str | None]]:
    """Package to its two versions, of those that differ between two data sets.

    Args:
        first: Provenance of the one, as indexes keep it.
        second: That of the other.
    """
    told = [
        {name: where.get(name) for name in ("fgbench", "machine")} | dict(where.get("packages") or {})
        for where in (first, second)
    ]
    names = sorted(told[0].keys() | told[1].keys())
    return {
        name: (told[0].get(name), told[1].get(name))
        for name in names
        if told[0].get(name) != told[1].get(name)
    }


class _Affected:
    """Clips that some files belong to: a clip is the file, its folder, or a row of its table."""

    def __init__(self, files: Iterable[str]) -> None:
        self._files = set(files)
        self._above = {str(up) for file in self._files for up in PurePosixPath(file).parents}

    def has(self, path: str) -> bool:
        """Whether one of the files is of the clip at a path."""
        parents = map(str, PurePosixPath(path).parents)
        return path in self._files or path in self._above or not self._files.isdisjoint(parents)


def _unlike_images(published: Path, again: Path) -> dict[str, int]:
    """Clip to the number of images that are not the same in both, of clips that have such."""
    columns = ["image_id", "clip_id", layout.PIXELS]
    known: dict[str, tuple[str, str | None]] = {}
    unlike: dict[str, int] = {}
    for path in layout.parts_of(published, "images"):
        for row in storage.read_rows(path, columns):
            known[row["image_id"]] = (row["clip_id"], row[layout.PIXELS])
    for path in layout.parts_of(again, "images"):
        for row in storage.read_rows(path, columns):
            if known.pop(row["image_id"], None) != (row["clip_id"], row[layout.PIXELS]):
                unlike[row["clip_id"]] = unlike.get(row["clip_id"], 0) + 1
    for clip_id, _ in known.values():
        unlike[clip_id] = unlike.get(clip_id, 0) + 1
    return unlike
