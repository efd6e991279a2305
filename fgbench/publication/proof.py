"""Proof that a rebuilt data set is the published one, or the differences between them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import Any

from fgbench import storage
from fgbench.notebook_lines import NotebookLines
from fgbench.publication import layout
from fgbench.publication.difference_sides import Side
from fgbench.publication.face_comparison import NO_CHANGE, FaceChange, compare_faces
from fgbench.publication.source_files import Located

VALUES = {"n_frames": "frames", "label": "label", "split": "part", "key_frame": "key frame"}
"""Columns of a clip that have to be equal, apart from its bytes and faces, and their names in texts."""

VOTES = "votes"
"""Key of the votes among the values of a clip."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipDifference:
    """Differences of one clip.

    Attributes:
        clip_id: The clip.
        path: Path of its file; empty for published rejects.
        missing: Whether its file was not found.
        other_bytes: Whether its file has other bytes.
        rejected: Stage and reason if it is not usable now; of a published reject, if they have changed.
        added: Whether it is usable now, and was not.
        values: Published and present value of each column that differs.
        faces: Differences of its faces.
        images: Number of its images that have other pixels or are in one data set only.
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
class Proof(NotebookLines):
    """Comparison of a rebuilt data set with the published one.

    Attributes:
        dataset: Its name.
        synthetic: Whether its faces are drawn.
        clips: Number of published clips.
        frames: Number of their frames that were compared.
        differences: Clips that differ, sorted by id; then rejects.
        moved: Published path to present path of each file that was found elsewhere.
        classes: Published and present classes, if they differ.
        versions: Published and present version of each package whose versions differ.
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
        """Return plain values."""
        return {"same": self.is_same, **asdict(self)}

    def lines(self, *, full: bool = False) -> list[str]:
        """Return lines of text: the verdict and what differs; in full every clip that does."""
        from fgbench.publication.proof_lines import proof_lines

        return proof_lines(self, full=full)


def prove(published: Side, made: Side, again: Path, located: Sequence[Located]) -> Proof:
    """Compare a rebuilt data set with the published one.

    Args:
        published: The publication.
        made: The rebuilt data set.
        again: Folder of its tables without pictures.
        located: Files of its clips and where they were found.

    Raises:
        ManifestError: If a table is damaged.
    """
    images = _unlike_images(published.folder, again)
    missing = _Affected(one.file.path for one in located if one.state == "missing")
    other = _Affected(one.file.path for one in located if one.state == "other bytes")
    frames = 0
    clips = []
    for clip_id in sorted(published.clips.keys() | made.clips.keys()):
        before, now = published.clips.get(clip_id), made.clips.get(clip_id)
        path = (before or now or {})["path"]
        clip = ClipDifference(
            clip_id=clip_id,
            path=path,
            missing=missing.has(path),
            other_bytes=other.has(path),
            rejected=made.rejects.get(clip_id, "not listed") if now is None else None,
            added=before is None,
        )
        if before is not None and now is not None:
            clip = replace(
                clip,
                other_bytes=clip.other_bytes or now["sha256"] != before["sha256"],
                values={
                    **{name: (before[name], now[name]) for name in VALUES if before[name] != now[name]},
                    **_votes(published, made, clip_id),
                },
                faces=compare_faces(published.faces.of(clip_id), made.faces.of(clip_id)),
                images=images.get(clip_id, 0),
            )
            frames += clip.faces.frames
        clips.append(clip)
    clips += [
        ClipDifference(
            clip_id=clip_id,
            path="",
            rejected=None
            if made.rejects.get(clip_id) == reason
            else f"{made.rejects.get(clip_id, 'not rejected')} (published: {reason})",
            values=_votes(published, made, clip_id),
        )
        for clip_id, reason in sorted(published.rejects.items())
        if clip_id not in made.clips
    ]
    return Proof(
        dataset=published.dataset,
        synthetic=published.synthetic,
        clips=len(published.clips),
        frames=frames,
        differences=[clip for clip in clips if not clip.is_same],
        moved={one.file.path: one.at for one in located if one.state == "moved" and one.at is not None},
        classes=None if published.classes == made.classes else (published.classes, made.classes),
        versions=unlike_versions(published.provenance, made.provenance),
    )


def _votes(published: Side, made: Side, clip_id: str) -> dict[str, tuple[Any, Any]]:
    """The votes on a clip under :data:`VOTES` if they differ; nothing where a version kept none."""
    before, now = (side.votes.get(clip_id) for side in (published, made))
    return {VOTES: (before, now)} if published.votes and made.votes and before != now else {}


def unlike_versions(
    first: Mapping[str, Any], second: Mapping[str, Any]
) -> dict[str, tuple[str | None, str | None]]:
    """Return the two versions of each package whose versions differ between two data sets.

    Args:
        first: Provenance of the first one, as indexes keep it.
        second: Provenance of the second one.
    """
    one, other = (
        {name: side.get(name) for name in ("fgbench", "machine")} | dict(side.get("packages") or {})
        for side in (first, second)
    )
    versions = {name: (one.get(name), other.get(name)) for name in sorted(one.keys() | other.keys())}
    return {name: pair for name, pair in versions.items() if pair[0] != pair[1]}


class _Affected:
    """Clips that some files belong to: a clip is the file itself, its folder, or a row of its table."""

    def __init__(self, files: Iterable[str]) -> None:
        self._files = set(files)
        self._folders = {str(folder) for file in self._files for folder in PurePosixPath(file).parents}

    def has(self, path: str) -> bool:
        """Return whether one of the files belongs to the clip at a path."""
        parents = map(str, PurePosixPath(path).parents)
        return path in self._files or path in self._folders or not self._files.isdisjoint(parents)


def _unlike_images(published: Path, again: Path) -> dict[str, int]:
    """Return the number of images of each clip that are not the same in both data sets."""
    columns = ["image_id", "clip_id", layout.PIXELS]
    before = {
        row["image_id"]: (row["clip_id"], row[layout.PIXELS])
        for path in layout.parts_of(published, "images")
        for row in storage.read_rows(path, columns)
    }
    unlike: Counter[str] = Counter()
    for path in layout.parts_of(again, "images"):
        for row in storage.read_rows(path, columns):
            if before.pop(row["image_id"], None) != (row["clip_id"], row[layout.PIXELS]):
                unlike[row["clip_id"]] += 1
    unlike.update(clip_id for clip_id, _ in before.values())
    return unlike
